"""Pause and resume, by an operator."""

from perdure.engine.journal import start_attempt
from perdure.engine.lifecycle.attempt import last_failure
from perdure.engine.lifecycle.pinning import deployment_refusal, resolve
from perdure.engine.operations import note_operation
from perdure.engine.pausing import pause
from perdure.engine.refusals import unknown_invocation
from perdure.engine.turn import Turn
from perdure.model.actions import Done, HalfClose, Refused
from perdure.model.invocation import Invocation, Status
from perdure.model.records import Pause, Resume
from perdure.model.registry import Registry


def on_pause(turn: Turn, record: Pause) -> None:
    invocation = turn.tx.invocation_by_id(record.id)
    if invocation is None:
        turn.reply(record, unknown_invocation(record.id))
        return
    match invocation.status:
        case Status.PAUSED:
            turn.reply(record, Done())
        case Status.COMPLETED:
            turn.reply(record, Refused(409, f"The invocation '{record.id}' is not running, cannot be paused."))
        case _:
            note_operation(turn, invocation, record)
            _bring_to_rest(turn, invocation)
            turn.tx.save_invocation(invocation)
            turn.reply(record, Done(immediate=False))


def _bring_to_rest(turn: Turn, invocation: Invocation) -> None:
    """Pauses now, or marks what is to be paused as soon as it can."""
    if invocation.status in (Status.SCHEDULED, Status.INBOXED):
        # It keeps its time or its place in the queue, and is paused in place of being started.
        invocation.pause_requested = True
        invocation.modified_at = turn.now
    elif invocation.status is Status.SUSPENDED or invocation.next_retry_at is not None:
        pause(turn, invocation, last_failure(invocation))
    else:
        invocation.pause_requested = True
        turn.emit(HalfClose(invocation.number, invocation.attempt))


def on_resume(turn: Turn, record: Resume) -> None:
    invocation = turn.tx.invocation_by_id(record.id)
    if invocation is None:
        turn.reply(record, unknown_invocation(record.id))
        return
    refusal = _refusal(turn.tx.registry, invocation, record.deployment)
    if refusal is not None:
        turn.reply(record, refusal)
        return
    backing_off = invocation.status is Status.INVOKED and invocation.next_retry_at is not None
    if invocation.status in _NOT_AT_REST and not backing_off:
        note_operation(turn, invocation, record)
        # A pause that was asked for and has not happened yet is withdrawn.
        invocation.pause_requested = False
    else:
        pin = invocation.deployment_id
        if record.deployment != "keep":
            invocation.deployment_id = resolve(turn.tx.registry, invocation, record.deployment)
        note_operation(turn, invocation, record, moved_from=pin if pin != invocation.deployment_id else None)
        start_attempt(turn, invocation, afresh=not backing_off)
    turn.tx.save_invocation(invocation)
    turn.reply(record, Done())


_NOT_AT_REST = (Status.SCHEDULED, Status.INBOXED, Status.INVOKED)


def _refusal(registry: Registry, invocation: Invocation, deployment: str) -> Refused | None:
    name = f"The invocation '{invocation.id}'"
    match invocation.status:
        case Status.COMPLETED:
            return Refused(409, f"{name} is completed, cannot be resumed.")
        case Status.SCHEDULED | Status.INBOXED if not invocation.pause_requested:
            return Refused(425, f"{name} is either inboxed or scheduled, cannot be resumed.")
        case Status.SCHEDULED | Status.INBOXED if deployment == "latest" and invocation.deployment_id is None:
            return None  # where it starts anyway
        case Status.INVOKED | Status.SCHEDULED | Status.INBOXED if deployment != "keep":
            text = "is still running or the deployment id is not pinned yet, deployment id cannot be changed."
            return Refused(409, f"{name} {text}")
        case _:
            return None if deployment == "keep" else deployment_refusal(registry, invocation, deployment, "resume")
