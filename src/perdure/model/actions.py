"""Actions: what is to be done outside once the decision is durable, in order. The output of the engine."""

from typing import Any

import msgspec

from perdure.model.invocation import Outcome, Target
from perdure.model.records import Message


class Action(msgspec.Struct, frozen=True, gc=False):
    pass


class Reply(Action, frozen=True, gc=False):
    """Answers the request with that token. answer: one of the classes below, or what the record's docstring names."""

    reply_to: int
    answer: Any


class Completed(Action, frozen=True, gc=False):
    """An invocation has its outcome: whoever outside waits for it gets it."""

    id: str
    outcome: Outcome
    target: Target


class StartAttempt(Action, frozen=True, gc=False):
    """Open an attempt as soon as there is room."""

    number: int
    attempt: int


class SendToAttempt(Action, frozen=True, gc=False):
    """Frame bytes for an open attempt.

    index: journal index of a notification, to be skipped if the attempt started with it; None: an ack.
    """

    number: int
    attempt: int
    index: int | None
    data: bytes


class HalfClose(Action, frozen=True, gc=False):
    """Ask the attempt to come to rest: it suspends or ends. drain: ignore what it still says, it has failed already."""

    number: int
    attempt: int
    drain: bool = False


class AbortAttempt(Action, frozen=True, gc=False):
    """Reset the attempt; nothing it says counts any more."""

    number: int
    attempt: int


class ArmTimer(Action, frozen=True, gc=False):
    """Submit `TimersDue` at that time (ms since the epoch)."""

    due: int


class Deliver(Action, frozen=True, gc=False):
    """A message of the outbox for a partition."""

    partition: int
    sequence: int
    message: Message


class RegistryChanged(Action, frozen=True, gc=False):
    """Take a new snapshot of the registry."""


# Answers.


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A send is durable. created: False if it was there before."""

    id: str
    created: bool
    execution_time: int | None


class Finished(msgspec.Struct, frozen=True, gc=False):
    """The outcome of an invocation. expires_at: set when it was complete before it was asked for (ms since the epoch).

    target: what ran, for those who asked by id alone: the content type of a result is the handler's.
    """

    id: str
    outcome: Outcome
    expires_at: int | None
    target: Target | None = None


class AlreadyInvoked(msgspec.Struct, frozen=True, gc=False):
    """A workflow's main handler was called a second time."""

    id: str


class Refused(msgspec.Struct, frozen=True, gc=False):
    """An operation that does not fit the state. status: HTTP status. message: for people."""

    status: int
    message: str
    code: str | None = None


class Done(msgspec.Struct, frozen=True, gc=False):
    """An operation took effect (`immediate`), or will as soon as the handler lets it."""

    immediate: bool = True


class Restarted(msgspec.Struct, frozen=True, gc=False):
    """A completed invocation runs again, under a new id."""

    id: str
