"""An invocation comes to rest: nothing but resume, cancel and kill wakes it."""

import msgspec

from perdure.engine.turn import Turn
from perdure.engine.tx import EVENTS_KEPT, JournalEvent
from perdure.model.invocation import AttemptFailure, Invocation, Status


def pause(turn: Turn, invocation: Invocation, failure: AttemptFailure | None) -> None:
    """Pauses; what arrives meanwhile waits in the journal. failure: why, when it was failing. The caller saves."""
    invocation.status = Status.PAUSED
    invocation.pause_requested = False
    invocation.next_retry_at = None
    invocation.awaiting = None
    invocation.modified_at = turn.now
    body = msgspec.json.encode(failure) if failure else b"null"
    event = JournalEvent(turn.now, invocation.journal_size - 1, "Paused", body)
    turn.tx.append_event(invocation.number, event, EVENTS_KEPT)
