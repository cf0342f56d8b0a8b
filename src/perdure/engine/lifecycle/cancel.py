"""Cancel: the handler is asked to stop at its next await. What has not started is completed by the server."""

from perdure.engine.calls import CALL_TYPES, open_calls
from perdure.engine.cancelling import forget_cancel, tell, wait_for_callees
from perdure.engine.lifecycle.complete import complete
from perdure.engine.operations import note_operation
from perdure.engine.outcome import CANCELLED_BEFORE_START, TOLD_OF_CANCELLED_BEFORE_START
from perdure.engine.refusals import completed_already, unknown_invocation
from perdure.engine.turn import Turn
from perdure.model.actions import Done
from perdure.model.invocation import Invocation, Status
from perdure.model.records import Cancel


def on_cancel(turn: Turn, record: Cancel) -> None:
    invocation = turn.tx.invocation_by_id(record.id)
    if invocation is None:
        turn.reply(record, unknown_invocation(record.id))
    elif invocation.status is Status.COMPLETED:
        turn.reply(record, completed_already(record.id))
    else:
        note_operation(turn, invocation, record)
        immediate = cancel(turn, invocation)
        turn.reply(record, Done(immediate))


def cancel(turn: Turn, invocation: Invocation) -> bool:
    """Cancels and saves. A cancel that is pending already stays as it is.

    Returns: True when it is over, False when the handler will see it: now, or after its callees.
    """
    if invocation.status is Status.COMPLETED:
        return True
    if invocation.attempt == 0:
        # No code has run, so there is no handler to give the chance to clean up.
        complete(turn, invocation, CANCELLED_BEFORE_START, told=TOLD_OF_CANCELLED_BEFORE_START)
        return True
    if invocation.cancel_due is None:
        grace = turn.tx.registry.cancel_grace
        calls = open_calls(turn.tx.entries_of(invocation.number, CALL_TYPES)) if grace else []
        if calls:
            wait_for_callees(turn, invocation, calls, grace)
        else:
            forget_cancel(turn, invocation)
            tell(turn, invocation)
        turn.tx.save_invocation(invocation)
    return False
