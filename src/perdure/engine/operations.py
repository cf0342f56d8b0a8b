"""Who did what to an invocation, and why: an event beside its journal for each operation that was not refused."""

from typing import Final

import msgspec

from perdure.engine.turn import Turn
from perdure.engine.tx import EVENTS_KEPT, JournalEvent
from perdure.model.invocation import Invocation, OperationEvent
from perdure.model.records import Cancel, Kill, Operation, Operator, Pause, PurgeJournal, RestartAsNew, Resume

EVENT_TYPE: Final = "Operation"

_NAMES: Final[dict[type[Operation], str]] = {
    Cancel: "cancel",
    Kill: "kill",
    Pause: "pause",
    Resume: "resume",
    PurgeJournal: "purge-journal",
    RestartAsNew: "restart-as-new",
}

_UNKNOWN: Final = Operator()


def note_operation(
    turn: Turn, invocation: Invocation, record: Operation, *, new_id: str | None = None, moved_from: str | None = None
) -> None:
    """Appends the event; before the operation is done, because the row may be gone afterwards.

    new_id, moved_from: see `OperationEvent`.
    """
    by = record.operator or _UNKNOWN
    event = OperationEvent(_NAMES[type(record)], by.actor, by.reason, new_id, moved_from)
    after_index = max(invocation.journal_size - 1, 0)
    stored = JournalEvent(turn.now, after_index, EVENT_TYPE, msgspec.json.encode(event))
    turn.tx.append_event(invocation.number, stored, EVENTS_KEPT)
