"""Kill: the invocation is over at once, no user code runs, and what it called follows."""

from perdure.engine.lifecycle.complete import complete
from perdure.engine.operations import note_operation
from perdure.engine.outcome import KILLED
from perdure.engine.refusals import completed_already, unknown_invocation
from perdure.engine.turn import Turn
from perdure.model.actions import AbortAttempt, Done
from perdure.model.invocation import Invocation, Status
from perdure.model.records import Kill, KillMessage
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.messages import MessageType


def on_kill(turn: Turn, record: Kill) -> None:
    invocation = turn.tx.invocation_by_id(record.id)
    if invocation is None:
        turn.reply(record, unknown_invocation(record.id))
    elif invocation.status is Status.COMPLETED:
        turn.reply(record, completed_already(record.id))
    else:
        note_operation(turn, invocation, record)
        kill(turn, invocation)
        turn.reply(record, Done())


def on_kill_message(turn: Turn, message: KillMessage) -> None:
    invocation = turn.tx.invocation_by_id(message.id)
    if invocation is not None and invocation.status is not Status.COMPLETED:
        kill(turn, invocation)


def kill(turn: Turn, invocation: Invocation) -> None:
    started = invocation.status not in (Status.SCHEDULED, Status.INBOXED)
    if started:
        for callee in _open_calls(turn, invocation.number):
            turn.send(KillMessage(callee))
        if invocation.status is Status.INVOKED:
            turn.emit(AbortAttempt(invocation.number, invocation.attempt))
    complete(turn, invocation, KILLED)


def _open_calls(turn: Turn, number: int) -> list[str]:
    """Ids of the invocations that this one called and has no result from. Sends are detached and not among them."""
    pending: dict[int, int] = {}
    ids: dict[int, str] = {}
    for entry in turn.tx.entries(number):
        if entry.type == MessageType.CALL_COMMAND:
            call = wire.CallCommandMessage.FromString(entry.raw)
            pending[call.result_completion_id] = call.invocation_id_notification_idx
        elif entry.type == MessageType.CALL_INVOCATION_ID_COMPLETION and entry.completion_id is not None:
            ids[entry.completion_id] = wire.NotificationMessage.FromString(entry.raw).invocation_id
        elif entry.type == MessageType.CALL_COMPLETION and entry.completion_id is not None:
            pending.pop(entry.completion_id, None)
    return [ids[notification] for notification in pending.values() if notification in ids]
