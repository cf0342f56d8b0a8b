"""Calls and one-way calls: the callee's id is known at once, its result comes when it completes."""

from perdure import ids
from perdure.engine.calls import OpenCall
from perdure.engine.cancelling import cancel_call
from perdure.engine.commands.refusal import CommandRefused
from perdure.engine.journal import append_command, append_notification, forward
from perdure.engine.notifications import invocation_id_completion
from perdure.engine.turn import Turn
from perdure.model.invocation import HandlerKind, Invocation, ServiceKind, Target
from perdure.model.records import CallMessage, Entry
from perdure.protocol import messages_pb2 as wire


def on_call(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    _call(turn, invocation, entry, completion_id=entry.message.result_completion_id, execution_time=None)


def on_one_way_call(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    invoke_time = entry.message.invoke_time
    execution_time = invoke_time if invoke_time > turn.now else None
    _call(turn, invocation, entry, completion_id=None, execution_time=execution_time)


def _call(
    turn: Turn, invocation: Invocation, entry: Entry, *, completion_id: int | None, execution_time: int | None
) -> None:
    command: wire.CallCommandMessage | wire.OneWayCallCommandMessage = entry.message
    target = _target(turn, entry)
    idempotency_key = command.idempotency_key if command.HasField("idempotency_key") else None
    callee_id = _callee_id(turn, target, idempotency_key)
    append_command(turn, invocation, entry.type, entry.raw)
    notification = invocation_id_completion(command.invocation_id_notification_idx, callee_id)
    forward(turn, invocation, append_notification(turn, invocation, notification), notification)
    # The parameter and the headers become the callee's input as they are.
    input_command = wire.InputCommandMessage(headers=command.headers, value=wire.Value(content=command.parameter))
    is_workflow = target.handler_kind is HandlerKind.WORKFLOW
    turn.send(
        CallMessage(
            id=callee_id,
            target=target,
            input=input_command.SerializeToString(),
            caller_id=invocation.id,
            caller_target=str(invocation.target),
            root_id=invocation.root_id or invocation.id,
            completion_id=completion_id,
            idempotency_key=None if is_workflow else idempotency_key,
            may_exist=is_workflow or idempotency_key is not None,
            execution_time=execution_time,
        )
    )
    if invocation.cancel_due is not None and completion_id is not None:
        # What would be cancelled as soon as the handler is told is cancelled now, so that nobody is left behind.
        cancel_call(turn, invocation, OpenCall(completion_id, callee_id))


def _target(turn: Turn, entry: Entry) -> Target:
    """The callee, or why it cannot be called."""
    command = entry.message
    service = turn.tx.registry.services.get(command.service_name)
    if service is None:
        text = f"service '{command.service_name}' not found, make sure to register the service before calling it."
        raise CommandRefused("RT0018", text, entry)
    handler = service.handlers.get(command.handler_name)
    if handler is None:
        text = (
            f"the service '{service.name}' exists, but the handler '{command.handler_name}' was not found, "
            "check that the handler exists in the latest registered service version."
        )
        raise CommandRefused("RT0018", text, entry)
    if service.kind is ServiceKind.SERVICE and command.key:
        raise CommandRefused("RT0017", f"the service '{service.name}' has no keys, but one was given.", entry)
    if command.HasField("idempotency_key") and not command.idempotency_key:
        raise CommandRefused("RT0017", "the idempotency key of a call must not be empty.", entry)
    if command.HasField("scope"):
        raise CommandRefused("RT0024", "calls with a scope need flow control, which is off.", entry)
    if command.HasField("limit_key"):
        raise CommandRefused("RT0024", "a limit key needs a scope.", entry)
    key = None if service.kind is ServiceKind.SERVICE else command.key
    return Target(service.name, handler.name, key, service.kind, handler.kind)


def _callee_id(turn: Turn, target: Target, idempotency_key: str | None) -> str:
    if target.handler_kind is HandlerKind.WORKFLOW:
        assert target.key is not None
        return ids.workflow_invocation_id(target.service, target.key)
    if idempotency_key is not None:
        return ids.idempotent_invocation_id(target.service, target.handler, idempotency_key, target.key)
    drawn = turn.draw()
    bucket = int.from_bytes(drawn[10:12], "big") % ids.SERVICE_BUCKETS
    return ids.fresh_invocation_id(target.service, target.key, ids.ulid_bytes(turn.now, drawn[:10]), bucket)
