"""Journal entries for people: `entry_type`, `name`, `entry_json`, `entry_lite_json` and `value` of `sys_journal`.

An entry that cannot be decoded is shown by its type alone: a query must not fail over one row.
"""

from typing import Any, Final

import msgspec

from perdure.model.registry import Registry
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.errors import BadFrame
from perdure.protocol.messages import NAMES, MessageType, decode, is_command

Json = dict[str, Any]

_CALLS: Final = frozenset({MessageType.CALL_COMMAND, MessageType.ONE_WAY_CALL_COMMAND})
_NO_TRACE: Final[Json] = {
    "span_context": {
        "trace_id": [0] * 16,
        "span_id": [0] * 8,
        "trace_flags": 0,
        "is_remote": False,
        "trace_state": "",
    },
    "cause": None,
}
_TARGET_NAMES: Final = {"service": "Service", "virtual_object": "VirtualObject", "workflow": "Workflow"}


def entry_type(type_id: int) -> str:
    """`Command: Run`, `Notification: Signal`."""
    name = NAMES.get(type_id, f"0x{type_id:04x}")
    return f"Command: {name}" if is_command(type_id) else f"Notification: {name}"


def entry_name(type_id: int, raw: bytes) -> str | None:
    """The name given in the code, empty for unnamed commands, None for notifications."""
    if not is_command(type_id):
        return None
    try:
        return _name(decode(type_id, raw))
    except BadFrame:
        return ""


def entry_value(type_id: int, raw: bytes) -> bytes | None:
    """The payload of an entry, None if it has none: a failure, a name of state, a time."""
    try:
        message: Any = decode(type_id, raw)
    except BadFrame:
        return None
    for field, part in message.ListFields():
        if isinstance(part, pb.Value):
            content: bytes = part.content
            return content
        if field.name == "parameter":
            return bytes(part)
    # A parameter without a byte is not sent at all.
    return b"" if type_id in _CALLS else None


def call_id_completion(type_id: int, raw: bytes) -> int | None:
    """The completion id of the notification that tells the callee's id; None for anything but calls."""
    if type_id not in _CALLS:
        return None
    try:
        message: Any = decode(type_id, raw)
    except BadFrame:
        return None
    completion_id: int = message.invocation_id_notification_idx
    return completion_id


def entry_json(type_id: int, raw: bytes, callee: bytes | None, registry: Registry, *, lite: bool) -> str:
    """An entry as JSON. callee: for calls, the raw notification with the callee's id. lite: without payloads."""
    name = NAMES.get(type_id, f"0x{type_id:04x}")
    try:
        message: Any = decode(type_id, raw)
        if not is_command(type_id):
            shown = _lite_notification(name, message) if lite else _notification(type_id, name, message)
        else:
            fields = _command(type_id, message, callee, registry)
            if lite:
                fields = _lite_command(type_id, fields)
            command_name = _name(message)
            if command_name or not lite:
                fields["name"] = command_name
            shown = {"Command": {name: fields}}
    except BadFrame:
        shown = {"Command" if is_command(type_id) else "Notification": {name: {}}}
    return msgspec.json.encode(shown).decode()


def _name(message: Any) -> str:
    name: str = message.entry_name if isinstance(message, pb.SendSignalCommandMessage) else message.name
    return name


def _bytes(value: bytes) -> list[int]:
    return list(value)


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _result(message: Any, oneof: str) -> Any:
    kind = message.WhichOneof(oneof)
    if kind is None or kind.endswith("void"):
        return "Void"
    value = getattr(message, kind)
    if isinstance(value, pb.Failure):
        failure: Json = {"code": value.code, "message": value.message}
        if value.metadata:
            failure["metadata"] = [{"key": item.key, "value": item.value} for item in value.metadata]
        return {"Failure": failure}
    return {"Success": _bytes(value.content)}


def _lite_result(result: Any) -> Any:
    return next(iter(result)) if isinstance(result, dict) else result


def _command(type_id: int, message: Any, callee: bytes | None, registry: Registry) -> Json:
    match type_id:
        case MessageType.INPUT_COMMAND:
            headers = [{"name": header.key, "value": header.value} for header in message.headers]
            return {"headers": headers, "payload": _bytes(message.value.content)}
        case MessageType.OUTPUT_COMMAND:
            return {"result": _result(message, "result")}
        case MessageType.SLEEP_COMMAND:
            return {"wake_up_time": message.wake_up_time, "completion_id": message.result_completion_id}
        case MessageType.CALL_COMMAND:
            return {
                "request": _call_request(message, callee, registry),
                "invocation_id_completion_id": message.invocation_id_notification_idx,
                "result_completion_id": message.result_completion_id,
            }
        case MessageType.ONE_WAY_CALL_COMMAND:
            return {
                "request": _call_request(message, callee, registry),
                "invoke_time": message.invoke_time,
                "invocation_id_completion_id": message.invocation_id_notification_idx,
            }
        case MessageType.SEND_SIGNAL_COMMAND:
            by_index = message.WhichOneof("signal_id") == "idx"
            return {
                "target_invocation_id": message.target_invocation_id,
                "signal_id": {"Index": message.idx} if by_index else {"Name": message.name},
                "result": _result(message, "result"),
            }
        case MessageType.ATTACH_INVOCATION_COMMAND | MessageType.GET_INVOCATION_OUTPUT_COMMAND:
            return {"target": _attach_target(message), "completion_id": message.result_completion_id}
        case MessageType.COMPLETE_AWAKEABLE_COMMAND:
            return {"id": message.awakeable_id, "result": _result(message, "result")}
        case _:
            return _simple_command(type_id, message)


def _simple_command(type_id: int, message: Any) -> Json:
    """Commands on state and promises, and runs."""
    fields: Json = {}
    if hasattr(message, "key"):
        fields["key"] = _text(message.key) if isinstance(message.key, bytes) else message.key
    match type_id:
        case MessageType.SET_STATE_COMMAND:
            fields["value"] = _bytes(message.value.content)
        case MessageType.GET_EAGER_STATE_COMMAND:
            fields["result"] = _result(message, "result")
        case MessageType.GET_EAGER_STATE_KEYS_COMMAND:
            fields["state_keys"] = [_text(key) for key in message.value.keys]
        case MessageType.COMPLETE_PROMISE_COMMAND:
            fields["value"] = _result(message, "completion")
        case _:
            pass
    if hasattr(message, "result_completion_id"):
        fields["completion_id"] = message.result_completion_id
    return fields


_LITE_DROPS: Final = frozenset({"headers", "payload", "value", "state_keys"})


def _lite_command(type_id: int, fields: Json) -> Json:
    lite = {name: value for name, value in fields.items() if name not in _LITE_DROPS}
    if "result" in lite:
        lite["result"] = _lite_result(lite["result"])
    if type_id in _CALLS:
        request = lite.pop("request")
        lite = {name: request[name] for name in ("invocation_id", "invocation_target")} | lite
    return lite


def _call_request(message: Any, callee: bytes | None, registry: Registry) -> Json:
    invocation_id = pb.NotificationMessage.FromString(callee).invocation_id if callee else None
    handler = registry.handler(message.service_name, message.handler_name)
    service = registry.services.get(message.service_name)
    kind = service.kind if service else ("virtual_object" if message.key else "service")
    target: Json = {"name": message.service_name}
    if kind != "service":
        target["key"] = message.key
    target["handler"] = message.handler_name
    if kind != "service":
        target["handler_ty"] = handler.kind.capitalize() if handler else "Exclusive"
    target["scope"] = message.scope if message.HasField("scope") else None
    return {
        "invocation_id": invocation_id,
        "invocation_target": {_TARGET_NAMES[kind]: target},
        "span_context": _NO_TRACE,
        "parameter": _bytes(message.parameter),
        "headers": [{"name": header.key, "value": header.value} for header in message.headers],
        "idempotency_key": message.idempotency_key if message.HasField("idempotency_key") else None,
        "completion_retention_duration": _duration(handler.completion_retention if handler else 0),
        "journal_retention_duration": _duration(handler.journal_retention if handler else 0),
    }


def _duration(milliseconds: int) -> Json:
    return {"secs": milliseconds // 1000, "nanos": milliseconds % 1000 * 1_000_000}


def _attach_target(message: Any) -> Json:
    match message.WhichOneof("target"):
        case "workflow_target":
            target = message.workflow_target
            return {"Workflow": {"name": target.workflow_name, "key": target.workflow_key}}
        case "idempotent_request_target":
            target = message.idempotent_request_target
            return {
                "IdempotentRequest": {
                    "service": target.service_name,
                    "key": target.service_key if target.HasField("service_key") else None,
                    "handler": target.handler_name,
                    "idempotency_key": target.idempotency_key,
                }
            }
        case _:
            return {"InvocationId": message.invocation_id}


def _notification(type_id: int, name: str, message: Any) -> Json:
    if type_id == MessageType.SIGNAL_NOTIFICATION:
        by_name = message.WhichOneof("id") == "signal_name"
        signal = {"Name": message.signal_name} if by_name else {"Index": message.signal_id}
        return {"Notification": {"Signal": {"id": signal, "result": _result(message, "result")}}}
    fields: Json = {"completion_id": message.completion_id}
    match type_id:
        case MessageType.CALL_INVOCATION_ID_COMPLETION:
            fields["invocation_id"] = message.invocation_id
        case MessageType.GET_LAZY_STATE_KEYS_COMPLETION:
            fields["state_keys"] = [_text(key) for key in message.state_keys.keys]
        case MessageType.SLEEP_COMPLETION:
            pass
        case _:
            fields["result"] = _result(message, "result")
    return {"Notification": {"Completion": {name: fields}}}


_LITE_RESULTS: Final = {
    "value": "Success",
    "failure": "Failure",
    "state_keys": "StateKeys",
    "invocation_id": "InvocationId",
}


def _lite_notification(name: str, message: Any) -> Json:
    result = _LITE_RESULTS.get(message.WhichOneof("result") or "", "Void")
    match message.WhichOneof("id"):
        case "signal_name":
            return {"Notification": {"ty": "Signal", "id": {"SignalName": message.signal_name}, "result": result}}
        case "signal_id":
            return {"Notification": {"ty": "Signal", "id": {"SignalIndex": message.signal_id}, "result": result}}
        case _:
            completion = {"CompletionId": message.completion_id}
            return {"Notification": {"ty": {"Completion": name}, "id": completion, "result": result}}
