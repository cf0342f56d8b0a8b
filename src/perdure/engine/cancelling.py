"""A cancel goes leaves first: what an invocation calls is cancelled before it, and it is told when that is over.

Until then, and for the grace time at the most, the cancel is *pending* (`Invocation.cancel_due`): completions of calls
are held back, so that the handler finds the cancellation in its journal before them. All else goes on.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from perdure.engine.calls import OpenCall
from perdure.engine.journal import append_notification, forward, start_attempt
from perdure.engine.notifications import Notification, signal_of
from perdure.engine.turn import Turn
from perdure.engine.tx import EVENTS_KEPT, CancelledCall, HeldCompletion, JournalEvent, Timer
from perdure.model.actions import ArmTimer
from perdure.model.invocation import CancelGraceOver, Invocation, Status
from perdure.model.records import SignalMessage
from perdure.protocol.messages import CANCEL_SIGNAL, MessageType

GRACE_OVER: Final = "CancelGraceOver"
"""Type of the event that an invocation was told before all its calls were over."""

CALLEES_NAMED: Final = 10
"""In that event; of more it gives the number."""

_SIGNAL: Final = signal_of(CANCEL_SIGNAL, None, None)


def tell(turn: Turn, invocation: Invocation, held: Iterable[HeldCompletion] = ()) -> None:
    """The handler gets its cancellation, then what was held back for it. The caller saves."""
    completions = (
        Notification(MessageType.CALL_COMPLETION, each.raw, completion_id=each.completion_id, failed=each.failed)
        for each in held
    )
    for notification in (_SIGNAL, *completions):
        forward(turn, invocation, append_notification(turn, invocation, notification), notification)
    # A pause that was asked for before would keep the handler from seeing it.
    invocation.pause_requested = False
    if invocation.status is not Status.INVOKED or invocation.next_retry_at is not None:
        # Clean-up runs now, not after the back-off or whenever something else would have woken it.
        start_attempt(turn, invocation, afresh=True)


def wait_for_callees(turn: Turn, invocation: Invocation, calls: list[OpenCall], grace: int) -> None:
    """Cancels the callees and makes the cancel pending. calls: all that are open, at least one. The caller saves.

    Those that an earlier cancel did not wait for any longer have been cancelled already: again would disturb clean-up.
    """
    assert calls
    assert invocation.cancel_due is None
    open_still = set(calls)
    earlier = turn.tx.cancelled_calls(invocation.number) if invocation.callees_cancelled else []
    turn.tx.forget_cancel(invocation.number)
    for cancelled in earlier:
        if OpenCall(*cancelled[:2]) in open_still:
            turn.tx.put_cancelled_call(invocation.number, cancelled)
            open_still.remove(OpenCall(*cancelled[:2]))
    for call in calls:
        if call in open_still:
            cancel_call(turn, invocation, call)
    invocation.callees_cancelled = True
    invocation.cancel_due = turn.now + grace
    invocation.modified_at = turn.now
    turn.tx.add_timer(Timer(invocation.cancel_due, invocation.number, "cancel", 0))
    turn.emit(ArmTimer(invocation.cancel_due))


def cancel_call(turn: Turn, invocation: Invocation, call: OpenCall) -> None:
    """Cancels a callee, once however many calls led to it; the pending cancel waits for all of them."""
    if turn.tx.cancelled_call_to(invocation.number, call.callee_id) is None:
        turn.send(SignalMessage(call.callee_id, _SIGNAL.signal_id, None, False, _SIGNAL.raw))
    turn.tx.put_cancelled_call(invocation.number, CancelledCall(*call))


def hold(turn: Turn, invocation: Invocation, completion: Notification) -> None:
    """Keeps the completion of a call for later; the last one that is waited for ends the wait. Saves."""
    assert completion.completion_id is not None
    held = HeldCompletion(completion.completion_id, completion.raw, completion.failed)
    turn.tx.hold_completion(invocation.number, held)
    turn.tx.remove_cancelled_calls(invocation.number, completion.completion_id)
    if not turn.tx.has_cancelled_calls(invocation.number):
        invocation.callees_cancelled = False
        _end_wait(turn, invocation)
        turn.tx.save_invocation(invocation)


def on_grace_over(turn: Turn, invocation: Invocation, due: int) -> None:
    """A timer is due: of the cancel that is pending, or of one long past."""
    if invocation.cancel_due != due:
        return
    callees = [call.callee_id for call in turn.tx.cancelled_calls(invocation.number)]
    body = msgspec.json.encode(CancelGraceOver(callees[:CALLEES_NAMED], max(0, len(callees) - CALLEES_NAMED)))
    event = JournalEvent(turn.now, invocation.journal_size - 1, GRACE_OVER, body)
    turn.tx.append_event(invocation.number, event, EVENTS_KEPT)
    _end_wait(turn, invocation)
    turn.tx.save_invocation(invocation)


def _end_wait(turn: Turn, invocation: Invocation) -> None:
    invocation.cancel_due = None
    tell(turn, invocation, turn.tx.take_held_completions(invocation.number))


def is_echo(turn: Turn, invocation: Invocation, target_id: str) -> bool:
    """True, once for each call: the handler cancels what the server has cancelled with it, as SDKs do when told.

    A second signal would strike the callee in the middle of its clean-up.
    """
    call = turn.tx.cancelled_call_to(invocation.number, target_id) if invocation.callees_cancelled else None
    if call is None or call.echoed:
        return False
    turn.tx.put_cancelled_call(invocation.number, call._replace(echoed=True))
    return True


def forget_cancel(turn: Turn, invocation: Invocation) -> None:
    """Nothing waits any more, because the invocation is over or cancelled anew. The caller saves."""
    if invocation.callees_cancelled:
        turn.tx.forget_cancel(invocation.number)
        invocation.callees_cancelled = False
        invocation.cancel_due = None
