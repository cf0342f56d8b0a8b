"""Records: what happened and must be decided upon. The input of the engine, applied in order of arrival.

Ids, random bytes and decoded bytes come inside a record, time as an argument beside it; so the same
records on the same tables always give the same actions.
"""

from enum import IntEnum
from typing import Any

import msgspec

from perdure.model.invocation import BEFORE_ALL, AttemptFailure, Outcome, Position, Target
from perdure.model.registry import Deployment, ServiceSettings

NOBODY = 0
"""The `reply_to` of a record that nobody waits for."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """reply_to: token of the request that waits for a `Reply`, or NOBODY."""

    reply_to: int = NOBODY


class Invoke(Record, frozen=True, gc=False, kw_only=True):
    """A caller outside asks for an invocation.

    id: made or derived by the ingress. may_exist: the id is derived from a caller's key (idempotency or workflow), so
    an invocation of that id may be there already. input: encoded InputCommandMessage.
    wait: a call (answered with its outcome), else a send (answered as soon as it is durable).
    execution_time: ms since the epoch, None = now.
    """

    id: str
    target: Target
    input: bytes
    wait: bool
    may_exist: bool = False
    idempotency_key: str | None = None
    execution_time: int | None = None
    trace_parent: str | None = None


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A frame of the SDK that is a command or a run proposal: its type id, flags, raw payload, and decoded message."""

    type: int
    flags: int
    raw: bytes
    message: Any


class Ended(msgspec.Struct, frozen=True, gc=False):
    """The SDK ended the invocation; the output command is stored."""


class Suspended(msgspec.Struct, frozen=True, gc=False):
    """The SDK waits. tree: JSON of the await tree."""

    tree: bytes


class ErrorBehavior(IntEnum):
    """What the SDK wants to come of a failed attempt: `ErrorMessage.behavior`. Numbers without a name mean retry."""

    RETRY = 0
    PAUSE = 1
    """Until somebody resumes."""
    FAIL = 2
    """The invocation completes with the failure."""


class Failed(msgspec.Struct, frozen=True, gc=False):
    """The attempt did not get through.

    retry_after: ms until the next attempt, set by the SDK or the endpoint; it does not advance the policy.
    behavior: one of `ErrorBehavior`. counted: whether the SDK is told of it as a failed attempt.
    """

    failure: AttemptFailure
    retry_after: int | None = None
    behavior: int = ErrorBehavior.RETRY
    counted: bool = True


AttemptEnd = Ended | Suspended | Failed


class AttemptProgress(Record, frozen=True, gc=False, kw_only=True):
    """What one attempt said: entries in order, then perhaps its end. Stale attempts are ignored.

    deployment_id, protocol_version: where and how it runs; become the pin with the first entry.
    server: the SDK's name and version, when the head told it. randomness: 16 fresh bytes for ids of calls and jitter.
    """

    number: int
    attempt: int
    deployment_id: str
    protocol_version: int
    server: str | None
    entries: list[Entry]
    end: AttemptEnd | None
    randomness: bytes


class CompleteSignal(Record, frozen=True, gc=False, kw_only=True):
    """Someone outside completes an awakeable, or sends a signal. outcome None: void."""

    id: str
    signal_id: int | None
    signal_name: str | None
    outcome: Outcome | None


class CompletePromise(Record, frozen=True, gc=False, kw_only=True):
    """Somebody outside completes a promise of a workflow key. Answered with `Done` or `Refused`."""

    service: str
    key: str
    name: str
    outcome: Outcome


class Operator(msgspec.Struct, frozen=True, gc=False):
    """Who steers an invocation, and why; both in their own words."""

    actor: str | None = None
    reason: str | None = None


class Operation(Record, frozen=True, gc=False, kw_only=True):
    """Somebody steers an invocation. Answered with `Done` or `Refused`, unless a subclass says otherwise."""

    id: str
    operator: Operator | None = None


class Cancel(Operation, frozen=True, gc=False, kw_only=True):
    pass


class Kill(Operation, frozen=True, gc=False, kw_only=True):
    pass


class Pause(Operation, frozen=True, gc=False, kw_only=True):
    pass


class Resume(Operation, frozen=True, gc=False, kw_only=True):
    """deployment: `keep`, `latest`, or a deployment id."""

    deployment: str = "keep"


class Purge(Operation, frozen=True, gc=False, kw_only=True):
    pass


class PurgeJournal(Operation, frozen=True, gc=False, kw_only=True):
    pass


class RestartAsNew(Operation, frozen=True, gc=False, kw_only=True):
    """A completed invocation is run again. Answered with `Restarted`.

    new_id: fresh, in the partition key of the old one. from_index: index in the journal up to which it is replayed,
    0 = only the input. deployment: `keep`, `latest`, or a deployment id. key: a new key, for workflows.
    """

    new_id: str
    from_index: int = 0
    deployment: str = "latest"
    key: str | None = None


class TimersDue(Record, frozen=True, gc=False):
    """Some timer may be due: look."""


class Sweep(Record, frozen=True, gc=False):
    """Look for expired completions and journals."""


class Recover(Record, frozen=True, gc=False):
    """The server started: what was running starts again, undelivered messages go out, timers are armed.

    after: invocations up to that one are done. Answered with the next value of it, or None.
    """

    after: Position = BEFORE_ALL


class PutDeployment(Record, frozen=True, kw_only=True):
    """A deployment was discovered; replaces the one with its id.

    reset_settings: what operators changed on its services falls back to the manifest.
    """

    deployment: Deployment
    reset_settings: bool = False


class DeleteDeployment(Record, frozen=True, kw_only=True):
    """if_drained: refused while an invocation needs it, or new ones would go to it."""

    id: str
    if_drained: bool = False


class PutServiceSettings(Record, frozen=True, kw_only=True):
    service: str
    settings: ServiceSettings


class EntryChange(msgspec.Struct, frozen=True):
    """One entry of a state. before: the value that the operator saw. value: the new one. None: no such entry."""

    name: str
    before: bytes | None
    value: bytes | None


class StateMutation(msgspec.Struct, frozen=True):
    """The whole new state of a key, name to value. version: apply only when the present state has it.

    change: of one entry, in place of the whole.
    """

    service: str
    key: str
    state: dict[str, bytes]
    version: str | None = None
    change: EntryChange | None = None


class ModifyState(Record, frozen=True, kw_only=True):
    """An operator changes the state of a key, in queue order behind who holds it. Answered with `Done` or `Refused`.

    Of a change of the whole it is not told whether its version was there.
    """

    mutation: StateMutation


class MessageArrived(Record, frozen=True, kw_only=True):
    """A message of a partition's outbox arrived here. source, sequence: for deduplication."""

    source: int
    sequence: int
    message: "Message"


class CallMessage(msgspec.Struct, frozen=True, tag="call"):
    """A handler calls or sends. completion_id None: one-way. may_exist: see `Invoke`."""

    id: str
    target: Target
    input: bytes
    caller_id: str
    caller_target: str
    root_id: str
    completion_id: int | None
    idempotency_key: str | None
    may_exist: bool
    execution_time: int | None


class AttachMessage(msgspec.Struct, frozen=True, tag="attach"):
    """A handler wants the outcome of another invocation. peek: as it is now, without waiting."""

    id: str
    caller_id: str
    completion_id: int
    peek: bool


class CompletionMessage(msgspec.Struct, frozen=True, tag="completion"):
    """An entry's result travels to its invocation.

    entry_type: message type id of the notification. raw: the encoded notification.
    """

    id: str
    entry_type: int
    completion_id: int
    failed: bool
    raw: bytes


class SignalMessage(msgspec.Struct, frozen=True, tag="signal"):
    id: str
    signal_id: int | None
    signal_name: str | None
    failed: bool
    raw: bytes


class KillMessage(msgspec.Struct, frozen=True, tag="kill"):
    """The caller was killed; its callee follows."""

    id: str


Message = CallMessage | AttachMessage | CompletionMessage | SignalMessage | KillMessage
