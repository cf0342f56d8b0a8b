"""What arrives from outside for keys, signals, promises and the registry."""

from perdure.engine.commands import promise
from perdure.engine.inbox import queue_mutation
from perdure.engine.lifecycle.messages import on_signal
from perdure.engine.notifications import signal_of
from perdure.engine.outcome import PROMISE_COMPLETED
from perdure.engine.turn import Turn
from perdure.model.actions import Done, Refused, RegistryChanged
from perdure.model.records import (
    CompletePromise,
    CompleteSignal,
    DeleteDeployment,
    ModifyState,
    PutDeployment,
    PutServiceSettings,
    SignalMessage,
)


def on_complete_signal(turn: Turn, record: CompleteSignal) -> None:
    """Always taken: whether anybody waits for it is not the sender's business."""
    signal = signal_of(record.signal_id, record.signal_name, record.outcome)
    on_signal(turn, SignalMessage(record.id, signal.signal_id, signal.signal_name, signal.failed, signal.raw))
    turn.reply(record, Done())


def on_complete_promise(turn: Turn, record: CompletePromise) -> None:
    """Taken once, also before anybody waits for it or the workflow began, as from handlers of the workflow."""
    if turn.tx.promise(record.service, record.key, record.name) is not None:
        turn.reply(record, Refused(PROMISE_COMPLETED.code, PROMISE_COMPLETED.message))
        return
    promise.complete(turn, record.service, record.key, record.name, record.outcome)
    turn.reply(record, Done())


def on_modify_state(turn: Turn, record: ModifyState) -> None:
    applied = queue_mutation(turn, record.mutation)
    change = record.mutation.change
    if change is None:
        turn.reply(record, Done())
    elif applied is False:
        text = f"Somebody else changed the state meanwhile: the entry '{change.name}' is not what was seen."
        turn.reply(record, Refused(409, f"{text} Look at it, and try again."))
    else:
        turn.reply(record, Done(immediate=applied is True))


def on_put_deployment(turn: Turn, record: PutDeployment) -> None:
    turn.tx.put_deployment(record.deployment)
    if record.reset_settings:
        for service in record.deployment.revisions:
            turn.tx.delete_service_settings(service)
    turn.emit(RegistryChanged())
    turn.reply(record, Done())


def on_delete_deployment(turn: Turn, record: DeleteDeployment) -> None:
    if record.if_drained and (refusal := _in_use(turn, record.id)) is not None:
        turn.reply(record, refusal)
        return
    turn.tx.delete_deployment(record.id)
    turn.emit(RegistryChanged())
    turn.reply(record, Done())


def _in_use(turn: Turn, deployment_id: str) -> Refused | None:
    """Why a deployment is not drained. What has no pin yet needs the newest deployment of its service."""
    services = turn.tx.registry.services.values()
    newest = sorted(service.name for service in services if service.deployment_id == deployment_id)
    needing = turn.tx.count_unfinished(deployment_id, newest, _COUNTED_MAX)
    if needing == 0 and not newest:
        return None
    reasons = []
    if needing:
        count = f"{needing} or more" if needing == _COUNTED_MAX else str(needing)
        reasons.append(f"{count} {'invocation needs' if needing == 1 else 'invocations need'} it")
    if newest:
        reasons.append(f"new invocations of {', '.join(newest)} go to it")
    text = f"The deployment '{deployment_id}' is still in use: {', and '.join(reasons)}."
    advice = "Register newer code and wait until it is drained, or delete it with force=true."
    return Refused(409, f"{text} {advice}")


_COUNTED_MAX = 1000
"""Nobody needs to know it more exactly, and everybody waits while they are counted."""


def on_put_service_settings(turn: Turn, record: PutServiceSettings) -> None:
    turn.tx.put_service_settings(record.service, record.settings)
    turn.emit(RegistryChanged())
    turn.reply(record, Done())
