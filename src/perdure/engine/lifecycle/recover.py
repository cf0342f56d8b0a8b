"""The server started: what was running goes on, what was not delivered goes out, timers are armed."""

from perdure.engine.journal import start_attempt
from perdure.engine.pausing import pause
from perdure.engine.turn import LOCAL_PARTITION, Turn
from perdure.model.actions import ArmTimer, Deliver
from perdure.model.invocation import BEFORE_ALL
from perdure.model.records import Recover

INVOCATIONS_PER_TURN = 512


def on_recover(turn: Turn, record: Recover) -> None:
    """Answers the position to go on after, or None when all is done."""
    if record.after == BEFORE_ALL:
        for partition, sequence, message in turn.tx.outbox():
            assert partition == LOCAL_PARTITION
            turn.emit(Deliver(partition, sequence, message))
        if (due := turn.tx.next_due()) is not None:
            turn.emit(ArmTimer(due))
    found = turn.tx.invoked_after(record.after, INVOCATIONS_PER_TURN)
    for _, number in found:
        invocation = turn.tx.invocation(number)
        assert invocation is not None
        if invocation.pause_requested:
            # The attempt that was to come to rest is gone.
            pause(turn, invocation, None)
            turn.tx.save_invocation(invocation)
        elif invocation.next_retry_at is None:
            start_attempt(turn, invocation, afresh=True)
            turn.tx.save_invocation(invocation)
    turn.reply(record, found[-1] if len(found) == INVOCATIONS_PER_TURN else None)
