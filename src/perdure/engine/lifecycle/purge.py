"""What is over is removed: by an operator, or when its retention has passed."""

from perdure.engine.lifecycle.complete import drop_journal
from perdure.engine.refusals import unknown_invocation
from perdure.engine.turn import Turn
from perdure.model.actions import Done, Refused
from perdure.model.invocation import HandlerKind, Invocation, Status
from perdure.model.records import Purge, PurgeJournal, Record, Sweep

SWEEP_PER_TURN = 256
"""So many at once; the sweeper asks again as long as there are more."""


def on_purge(turn: Turn, record: Purge) -> None:
    if (invocation := _completed(turn, record, record.id)) is not None:
        purge(turn, invocation)
        turn.reply(record, Done())


def on_purge_journal(turn: Turn, record: PurgeJournal) -> None:
    if (invocation := _completed(turn, record, record.id)) is not None:
        drop_journal(turn, invocation)
        turn.tx.save_invocation(invocation)
        turn.reply(record, Done())


def on_sweep(turn: Turn, record: Sweep) -> None:
    """Answers how many it removed; less than `SWEEP_PER_TURN` means that nothing more is due."""
    expired = turn.tx.expired_completions(turn.now, SWEEP_PER_TURN)
    for number in expired:
        invocation = turn.tx.invocation(number)
        assert invocation is not None
        purge(turn, invocation)
    journals = turn.tx.expired_journals(turn.now, SWEEP_PER_TURN)
    for number in journals:
        invocation = turn.tx.invocation(number)
        assert invocation is not None
        drop_journal(turn, invocation)
        turn.tx.save_invocation(invocation)
    turn.reply(record, max(len(expired), len(journals)))


def purge(turn: Turn, invocation: Invocation) -> None:
    """Removes a completed invocation; a workflow's key is free again, so its state and promises go too."""
    assert invocation.status is Status.COMPLETED
    turn.tx.delete_invocation(invocation.number)
    if invocation.handler_kind is HandlerKind.WORKFLOW:
        assert invocation.key is not None
        turn.tx.clear_all_state(invocation.service, invocation.key)
        turn.tx.delete_promises(invocation.service, invocation.key)


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
