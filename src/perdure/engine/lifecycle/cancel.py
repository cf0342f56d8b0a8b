"""Cancel: the handler is asked to stop at its next await. What has not started is completed by the server."""

from perdure.engine.journal import append_notification, forward, start_attempt
from perdure.engine.lifecycle.complete import complete
from perdure.engine.notifications import Notification, signal_of
from perdure.engine.operations import note_operation
from perdure.engine.outcome import CANCELLED_BEFORE_START, TOLD_OF_CANCELLED_BEFORE_START
from perdure.engine.refusals import completed_already, unknown_invocation
from perdure.engine.turn import Turn
from perdure.model.actions import Done
from perdure.model.invocation import Invocation, Status
from perdure.model.records import Cancel
from perdure.protocol.messages import CANCEL_SIGNAL


def on_cancel(turn: Turn, record: Cancel) -> None:
    invocation = turn.tx.invocation_by_id(record.id)
    if invocation is None:
        turn.reply(record, unknown_invocation(record.id))
    elif invocation.status is Status.COMPLETED:
        turn.reply(record, completed_already(record.id))
    else:
        note_operation(turn, invocation, record)
        immediate = cancel(turn, invocation, signal_of(CANCEL_SIGNAL, None, None))
        turn.reply(record, Done(immediate))


def cancel(turn: Turn, invocation: Invocation, signal: Notification) -> bool:
    """Cancels and saves. signal: the cancel signal.

    Returns: True when it is over, False when the handler will see it.
    """
    if invocation.status is Status.COMPLETED:
        return True
    if invocation.attempt == 0:
        # No code has run, so there is no handler to give the chance to clean up.
        complete(turn, invocation, CANCELLED_BEFORE_START, told=TOLD_OF_CANCELLED_BEFORE_START)
        return True
    index = append_notification(turn, invocation, signal)
    forward(turn, invocation, index, signal)
    # A pause that was asked for before would keep the handler from seeing it.
    invocation.pause_requested = False
    if invocation.status is not Status.INVOKED or invocation.next_retry_at is not None:
        # Clean-up runs now, not after the back-off or whenever something else would have woken it.
        start_attempt(turn, invocation, afresh=True)
    turn.tx.save_invocation(invocation)
    return False
