"""Sleeps: a timer, or an answer at once when the time is past."""

from perdure.engine.journal import append_command, append_notification, forward
from perdure.engine.notifications import completion_of
from perdure.engine.turn import LATEST_TIME, Turn
from perdure.engine.tx import Timer
from perdure.model.actions import ArmTimer
from perdure.model.invocation import Invocation
from perdure.model.records import Entry
from perdure.protocol.messages import MessageType


def on_sleep(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    append_command(turn, invocation, entry.type, entry.raw)
    due = min(entry.message.wake_up_time, LATEST_TIME)
    completion_id = entry.message.result_completion_id
    if due <= turn.now:
        notification = completion_of(MessageType.SLEEP_COMPLETION, completion_id, None)
        forward(turn, invocation, append_notification(turn, invocation, notification), notification)
    else:
        turn.tx.add_timer(Timer(due, invocation.number, "sleep", completion_id))
        turn.emit(ArmTimer(due))
