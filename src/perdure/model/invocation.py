"""One durable execution of one handler, as the engine and the store see it."""

from enum import StrEnum
from typing import Final, NamedTuple

import msgspec


class Status(StrEnum):
    """The stored part of an invocation's state; `engine/transitions.py` says which moves are legal."""

    SCHEDULED = "scheduled"
    """Accepted with a start time in the future; nothing has run."""
    INBOXED = "inboxed"
    """Waits for the lock of its object key; nothing has run."""
    INVOKED = "invoked"
    """May run: an attempt is open, is about to be, or waits for its back-off (`next_retry_at`)."""
    SUSPENDED = "suspended"
    """Holds no connection; waits for a notification of its await tree."""
    PAUSED = "paused"
    """Does nothing until somebody resumes, cancels or kills it."""
    COMPLETED = "completed"


class HandlerKind(StrEnum):
    """How calls of one handler relate to each other."""

    SERVICE = "service"
    EXCLUSIVE = "exclusive"
    SHARED = "shared"
    WORKFLOW = "workflow"


class ServiceKind(StrEnum):
    """Whether a service has keys, and what a key means."""

    SERVICE = "service"
    VIRTUAL_OBJECT = "virtual_object"
    WORKFLOW = "workflow"


class InvokedBy(StrEnum):
    """Where an invocation came from."""

    INGRESS = "ingress"
    SERVICE = "service"
    SUBSCRIPTION = "subscription"
    RESTART = "restart_as_new"


class Target(msgspec.Struct, frozen=True, gc=False):
    """What an invocation invokes. `key` is None exactly for plain services."""

    service: str
    handler: str
    key: str | None
    service_kind: ServiceKind
    handler_kind: HandlerKind

    def __str__(self) -> str:
        if self.key is None:
            return f"{self.service}/{self.handler}"
        return f"{self.service}/{self.key}/{self.handler}"

    @property
    def locks(self) -> bool:
        """True: holds the object key from start to completion."""
        return self.handler_kind is HandlerKind.EXCLUSIVE


class Failure(msgspec.Struct, frozen=True, gc=False):
    """A handler's stored failure, or the server's in its place (409 for cancelled and killed)."""

    code: int
    message: str
    metadata: tuple[tuple[str, str], ...] = ()
    stacktrace: str | None = None


class Success(msgspec.Struct, frozen=True, gc=False):
    """A handler's stored result, as serialised by its SDK."""

    value: bytes


Outcome = Success | Failure


class AttemptFailure(msgspec.Struct, frozen=True, gc=False):
    """Why one attempt did not get through; the invocation itself goes on.

    code: HTTP-like number (500 ordinary, 570 journal mismatch, 571 protocol violation).
    rt_code: the stable code operators see, `RT0007`; `docs/reference/errors.md` explains each.
    command_index: counts commands, the input being 0. command_type: display name such as `Run`.
    """

    code: int
    rt_code: str
    message: str
    stacktrace: str | None = None
    command_index: int | None = None
    command_name: str | None = None
    command_type: str | None = None


class OperationEvent(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What somebody did to an invocation from outside. operation: `cancel` and so on, as in the path of the admin API.

    actor, reason: as they were told. new_invocation_id: what a restart led to. moved_from: the deployment on which it
    ran before a resume put it on another.
    """

    operation: str
    actor: str | None = None
    reason: str | None = None
    new_invocation_id: str | None = None
    moved_from: str | None = None


class CancelGraceOver(msgspec.Struct, frozen=True, gc=False):
    """An invocation was told of its cancellation though calls of it are open.

    callees: their ids. more: how many there are beside those.
    """

    callees: list[str]
    more: int


class OpenAttempt(msgspec.Struct, frozen=True):
    """What is known of an attempt before it says anything. server: the SDK. awaiting_on: JSON of what it waits for."""

    deployment_id: str
    server: str | None
    awaiting_on: str | None


class AttemptNews(StrEnum):
    """What happened to an open attempt. TOLD: more is known of it than before, see `OpenAttempt`."""

    STARTED = "started"
    TOLD = "told"
    ENDED = "ended"


class Position(NamedTuple):
    """Where an invocation stands among all, the oldest first. created_at: ms since the epoch."""

    created_at: int
    number: int


BEFORE_ALL: Final = Position(0, 0)


class Invocation(msgspec.Struct, gc=False):
    """The row of one invocation. Times are milliseconds since the epoch, retentions milliseconds.

    The fields up to `trace_parent` never change after the insert; the rest is saved as a whole.
    Field order is column order in the store.
    """

    number: int
    id: str
    service: str
    handler: str
    key: str | None
    service_kind: ServiceKind
    handler_kind: HandlerKind
    idempotency_key: str | None
    invoked_by: InvokedBy
    caller_id: str | None
    caller_target: str | None
    root_id: str | None
    restarted_from: str | None
    created_at: int
    execution_time: int | None
    completion_retention: int
    journal_retention: int
    trace_parent: str | None

    status: Status
    attempt: int = 0
    """Number of the only attempt that is believed; grows with every start."""
    deployment_id: str | None = None
    """The pin: set by the first command received."""
    protocol_version: int | None = None
    journal_size: int = 0
    command_count: int = 0
    modified_at: int = 0
    entry_stored_at: int = 0
    """When the journal last changed; the SDK is told how long ago that was."""
    inboxed_at: int | None = None
    running_at: int | None = None
    last_start_at: int | None = None
    completed_at: int | None = None
    retry_count: int = 0
    """Attempts started since the policy began afresh; 1 during the first."""
    policy_retries: int = 0
    """Delays taken from the retry policy since it began afresh; a delay set by the handler takes none."""
    retry_count_since_entry: int = 0
    """Failed attempts since the last new command; told to the SDK."""
    next_retry_at: int | None = None
    last_deployment_id: str | None = None
    last_server: str | None = None
    last_failure: bytes | None = None
    """JSON of an `AttemptFailure`."""
    awaiting: bytes | None = None
    """JSON of the await tree of a suspended one."""
    pause_requested: bool = False
    output_index: int | None = None
    """Journal index of the last output command."""
    failure: bytes | None = None
    """JSON of a `Failure`: the durable outcome, when it is one."""
    completion_expires_at: int | None = None
    journal_expires_at: int | None = None
    seed_id: str | None = None
    """Whose random seed the journal was begun with, when it was copied from another invocation; None: its own."""
    cancel_due: int | None = None
    """A cancel waits for the callees, and until then at the most; None: no cancel is pending."""
    callees_cancelled: bool = False
    """There are cancelled calls: those that a pending cancel waits for, or has not waited for any longer."""

    @property
    def position(self) -> Position:
        return Position(self.created_at, self.number)

    @property
    def target(self) -> Target:
        return Target(self.service, self.handler, self.key, self.service_kind, self.handler_kind)


class JournalEntry(msgspec.Struct, frozen=True, gc=False):
    """One stored entry. `raw` is the message as on the wire, without the frame header.

    type: message type id of the service protocol.
    completion_id, signal_id, signal_name: what a notification answers or is called; all None for commands.
    failed: a notification whose result is a failure.
    """

    index: int
    type: int
    raw: bytes
    appended_at: int
    completion_id: int | None = None
    signal_id: int | None = None
    signal_name: str | None = None
    failed: bool = False
