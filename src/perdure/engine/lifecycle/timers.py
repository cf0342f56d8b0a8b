"""Timers come due: sleeps end, delayed invocations begin, back-offs and graces are over."""

from perdure.engine.cancelling import on_grace_over
from perdure.engine.inbox import begin
from perdure.engine.journal import notify, start_attempt
from perdure.engine.notifications import completion_of
from perdure.engine.turn import Turn
from perdure.model.actions import ArmTimer
from perdure.model.invocation import Invocation, Status
from perdure.model.records import TimersDue
from perdure.protocol.messages import MessageType

TIMERS_PER_TURN = 256
"""So many at once, so that a crowd of timers does not keep everybody else waiting."""


def on_timers_due(turn: Turn, _record: TimersDue) -> None:
    for timer in turn.tx.take_due_timers(turn.now, TIMERS_PER_TURN):
        invocation = turn.tx.invocation(timer.invocation)
        if invocation is None:
            continue
        match timer.kind:
            case "sleep":
                notify(turn, invocation, completion_of(MessageType.SLEEP_COMPLETION, timer.reference, None))
            case "start":
                _start(turn, invocation)
            case "retry":
                _retry(turn, invocation, timer.reference)
            case "cancel":
                on_grace_over(turn, invocation, timer.due)
            case _:
                raise AssertionError(f"unknown kind of timer {timer.kind!r}")
    if (due := turn.tx.next_due()) is not None:
        turn.emit(ArmTimer(due))


def _start(turn: Turn, invocation: Invocation) -> None:
    if invocation.status is Status.SCHEDULED:
        begin(turn, invocation)
        turn.tx.save_invocation(invocation)


def _retry(turn: Turn, invocation: Invocation, attempt: int) -> None:
    # Another attempt may have been started by hand in the meantime; this timer is then of the past.
    if invocation.status is Status.INVOKED and invocation.attempt == attempt and invocation.next_retry_at is not None:
        start_attempt(turn, invocation, afresh=False)
        turn.tx.save_invocation(invocation)
