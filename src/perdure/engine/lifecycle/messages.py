"""Messages from other partitions, and from this one: taken once, in order."""

from perdure.engine.cancelling import hold
from perdure.engine.journal import notify
from perdure.engine.lifecycle.cancel import cancel
from perdure.engine.lifecycle.complete import tell_awaiter
from perdure.engine.lifecycle.invoke import attach, on_call
from perdure.engine.lifecycle.kill import on_kill_message
from perdure.engine.notifications import Notification
from perdure.engine.outcome import NOT_FOUND, outcome_of
from perdure.engine.turn import LOCAL_PARTITION, Turn
from perdure.engine.tx import Awaiter
from perdure.model.invocation import Status
from perdure.model.records import (
    AttachMessage,
    CallMessage,
    CompletionMessage,
    KillMessage,
    MessageArrived,
    SignalMessage,
)
from perdure.protocol.messages import CANCEL_SIGNAL, MessageType


def on_message(turn: Turn, record: MessageArrived) -> None:
    if record.sequence <= turn.tx.last_sequence(record.source):
        return
    turn.tx.set_last_sequence(record.source, record.sequence)
    if record.source == LOCAL_PARTITION:
        turn.tx.delete_outbox(LOCAL_PARTITION, record.sequence)
    message = record.message
    match message:
        case CallMessage():
            on_call(turn, message)
        case CompletionMessage():
            _on_completion(turn, message)
        case SignalMessage():
            on_signal(turn, message)
        case AttachMessage():
            _on_attach(turn, message)
        case KillMessage():
            on_kill_message(turn, message)


def _on_completion(turn: Turn, message: CompletionMessage) -> None:
    invocation = turn.tx.invocation_by_id(message.id)
    if invocation is not None:
        notification = Notification(
            message.entry_type, message.raw, completion_id=message.completion_id, failed=message.failed
        )
        if invocation.cancel_due is not None and message.entry_type == MessageType.CALL_COMPLETION:
            hold(turn, invocation, notification)
        else:
            notify(turn, invocation, notification)


def on_signal(turn: Turn, message: SignalMessage) -> None:
    """A signal for an invocation in any state: what is queued or scheduled keeps it for later."""
    invocation = turn.tx.invocation_by_id(message.id)
    if invocation is None or invocation.status is Status.COMPLETED:
        return
    if message.signal_id == CANCEL_SIGNAL:
        cancel(turn, invocation)
        return
    notification = Notification(
        MessageType.SIGNAL_NOTIFICATION,
        message.raw,
        signal_id=message.signal_id,
        signal_name=message.signal_name,
        failed=message.failed,
    )
    notify(turn, invocation, notification)


def _on_attach(turn: Turn, message: AttachMessage) -> None:
    invocation = turn.tx.invocation_by_id(message.id)
    if message.peek:
        message_type = MessageType.GET_INVOCATION_OUTPUT_COMPLETION
    else:
        message_type = MessageType.ATTACH_INVOCATION_COMPLETION
    if invocation is None:
        tell_awaiter(turn, message.caller_id, message_type, message.completion_id, NOT_FOUND)
    elif not message.peek:
        attach(turn, invocation, Awaiter(message.caller_id, message.completion_id, message_type))
    else:
        done = invocation.status is Status.COMPLETED
        outcome = outcome_of(turn.tx, invocation) if done else None
        tell_awaiter(turn, message.caller_id, message_type, message.completion_id, outcome)
