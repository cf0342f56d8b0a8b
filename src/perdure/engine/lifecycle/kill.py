"""Kill: the invocation is over at once, no user code runs, and what it called follows."""

from perdure.engine.calls import CALL_TYPES, open_calls
from perdure.engine.lifecycle.complete import complete
from perdure.engine.operations import note_operation
from perdure.engine.outcome import KILLED
from perdure.engine.refusals import completed_already, unknown_invocation
from perdure.engine.turn import Turn
from perdure.model.actions import AbortAttempt, Done
from perdure.model.invocation import Invocation, Status
from perdure.model.records import Kill, KillMessage


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
        for call in open_calls(turn.tx.entries_of(invocation.number, CALL_TYPES)):
            turn.send(KillMessage(call.callee_id))
        if invocation.status is Status.INVOKED:
            turn.emit(AbortAttempt(invocation.number, invocation.attempt))
    complete(turn, invocation, KILLED)
