"""The legal moves of an invocation between statuses, as data, and which records make them.

`docs/internals/engine.md` has the picture; `scripts/draw_transitions.py` draws it from this table.
"""

from collections.abc import Iterator, Mapping

from perdure.model.invocation import Invocation, Status
from perdure.model.records import (
    AttemptProgress,
    CallMessage,
    Cancel,
    CompletePromise,
    CompleteSignal,
    CompletionMessage,
    Invoke,
    Kill,
    KillMessage,
    MessageArrived,
    Pause,
    Purge,
    Record,
    Recover,
    RestartAsNew,
    Resume,
    SignalMessage,
    Sweep,
    TimersDue,
)

_ACCEPTS = (Invoke, CallMessage)
_CANCELS = (Cancel, CompleteSignal, SignalMessage)
_KILLS = (Kill, KillMessage)
_OVER = (AttemptProgress, *_KILLS)
_FREES_KEY = (*_OVER, *_CANCELS)

TRANSITIONS: Mapping[tuple[Status | None, Status | None], tuple[type, ...]] = {
    (None, Status.SCHEDULED): _ACCEPTS,
    (None, Status.INBOXED): (*_ACCEPTS, RestartAsNew),
    (None, Status.INVOKED): (*_ACCEPTS, RestartAsNew),
    (Status.SCHEDULED, Status.INBOXED): (TimersDue,),
    (Status.SCHEDULED, Status.INVOKED): (TimersDue,),
    # It was to be paused before its time or its turn came.
    (Status.SCHEDULED, Status.PAUSED): (TimersDue,),
    (Status.INBOXED, Status.PAUSED): _FREES_KEY,
    (Status.SCHEDULED, Status.COMPLETED): (*_CANCELS, *_KILLS),
    # Without retention.
    (Status.SCHEDULED, None): (*_CANCELS, *_KILLS),
    # Who held the key is over.
    (Status.INBOXED, Status.INVOKED): _FREES_KEY,
    (Status.INBOXED, Status.COMPLETED): (*_CANCELS, *_KILLS),
    (Status.INBOXED, None): (*_CANCELS, *_KILLS),
    (Status.INVOKED, Status.SUSPENDED): (AttemptProgress,),
    (Status.INVOKED, Status.PAUSED): (AttemptProgress, Pause, Recover),
    (Status.INVOKED, Status.COMPLETED): _OVER,
    (Status.INVOKED, None): _OVER,
    # What it waited for has come: a sleep ends, a callee completes, somebody completes a promise.
    (Status.SUSPENDED, Status.INVOKED): (
        *_CANCELS,
        CompletePromise,
        CompletionMessage,
        TimersDue,
        AttemptProgress,
        Resume,
    ),
    (Status.SUSPENDED, Status.PAUSED): (Pause,),
    (Status.SUSPENDED, Status.COMPLETED): _KILLS,
    (Status.SUSPENDED, None): _KILLS,
    # A cancel that waited for callees: they are over, or the grace is.
    (Status.PAUSED, Status.INVOKED): (*_CANCELS, Resume, CompletionMessage, TimersDue),
    # Cancelled: if it was paused before it ever started.
    (Status.PAUSED, Status.COMPLETED): (*_CANCELS, *_KILLS),
    (Status.PAUSED, None): (*_CANCELS, *_KILLS),
    (Status.COMPLETED, None): (Purge, Sweep),
}
"""(from, to) to the records and messages that may cause it. None: there is no row (yet, or any more)."""

NEW_ATTEMPTS: tuple[type, ...] = (AttemptProgress, TimersDue, *_CANCELS, CompletionMessage, Resume, Recover)
"""What makes an invocation that is invoked already start another attempt."""


def check_moves(before: Mapping[int, Invocation], after: Mapping[int, Invocation], record: Record) -> None:
    """Raises AssertionError when the record moved an invocation in a way the table does not know."""
    cause = type(record.message) if isinstance(record, MessageArrived) else type(record)
    for number, old, new in _pairs(before, after):
        source = old.status if old else None
        target = new.status if new else None
        if source is not target:
            assert cause in TRANSITIONS.get((source, target), ()), (
                f"{cause.__name__} moved invocation {number} from {source} to {target}"
            )
        elif old and new and old.attempt != new.attempt:
            assert new.attempt == old.attempt + 1, f"invocation {number} skipped an attempt"
            assert cause in NEW_ATTEMPTS, f"{cause.__name__} started another attempt of invocation {number}"


def _pairs(
    before: Mapping[int, Invocation], after: Mapping[int, Invocation]
) -> Iterator[tuple[int, Invocation | None, Invocation | None]]:
    for number in sorted(before.keys() | after.keys()):
        yield number, before.get(number), after.get(number)
