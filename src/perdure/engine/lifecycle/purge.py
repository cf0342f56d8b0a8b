"""What is over is removed: by an operator, or when its retention has passed."""

from perdure.engine.lifecycle.complete import drop_journal, remove
from perdure.engine.operations import note_operation
from perdure.engine.refusals import unknown_invocation
from perdure.engine.turn import Turn
from perdure.model.actions import Done, Refused
from perdure.model.invocation import Invocation, Status
from perdure.model.records import Purge, PurgeJournal, Record, Sweep

SWEEP_PER_TURN = 256
"""So many at once; the sweeper asks again as long as there are more."""


def on_purge(turn: Turn, record: Purge) -> None:
    if (invocation := _completed(turn, record, record.id)) is not None:
        remove(turn, invocation)
        turn.reply(record, Done())


def on_purge_journal(turn: Turn, record: PurgeJournal) -> None:
    if (invocation := _completed(turn, record, record.id)) is not None:
        note_operation(turn, invocation, record)
        drop_journal(turn, invocation)
        turn.tx.save_invocation(invocation)
        turn.reply(record, Done())


def on_sweep(turn: Turn, record: Sweep) -> None:
    """Answers how many it removed; less than `SWEEP_PER_TURN` means that nothing more is due."""
    expired = turn.tx.expired_completions(turn.now, SWEEP_PER_TURN)
    for number in expired:
        invocation = turn.tx.invocation(number)
        assert invocation is not None
        remove(turn, invocation)
    journals = turn.tx.expired_journals(turn.now, SWEEP_PER_TURN)
    for number in journals:
        invocation = turn.tx.invocation(number)
        assert invocation is not None
        drop_journal(turn, invocation)
        turn.tx.save_invocation(invocation)
    turn.reply(record, max(len(expired), len(journals)))


def _completed(turn: Turn, record: Record, invocation_id: str) -> Invocation | None:
    """The invocation if it is completed; else the request is answered."""
    invocation = turn.tx.invocation_by_id(invocation_id)
    if invocation is None:
        turn.reply(record, unknown_invocation(invocation_id))
    elif invocation.status is not Status.COMPLETED:
        turn.reply(record, Refused(409, f"The invocation '{invocation_id}' is not yet completed."))
    else:
        return invocation
    return None
