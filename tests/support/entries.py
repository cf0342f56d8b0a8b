"""Frames of a handler, written as one line each."""

from collections.abc import Callable

from google.protobuf.message import Message

from perdure import ids
from perdure.model.records import Entry
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.framing import ACK_FLAG
from perdure.protocol.messages import CANCEL_SIGNAL, MessageType
from support.datadriven import Words

Resolve = Callable[[str], str]
"""The invocation id behind a name."""


def entry(message_type: int, message: Message, *, ack: bool = False) -> Entry:
    return Entry(message_type, ACK_FLAG if ack else 0, message.SerializeToString(), message)


def parse_entry(line: Words, now: int, resolve: Resolve) -> Entry:
    """The command or proposal that a line describes; `ack` behind it asks for an ack. now: ms since the epoch."""
    ack = line.flag("ack")
    name = line.positional[0]
    message_type, message = _BUILDERS[name](line, now, resolve)
    if "name" in message.DESCRIPTOR.fields_by_name and name != "signal" and (shown := line.get("name")):
        message.name = shown
    line.check_all_used()
    return entry(message_type, message, ack=ack)


def _value(line: Words) -> wire.Value | None:
    text = line.get("value")
    return None if text is None else wire.Value(content=text.encode())


def _failure(line: Words) -> wire.Failure | None:
    """`failure=404:gone`"""
    text = line.get("failure")
    if text is None:
        return None
    code, _, message = text.partition(":")
    return wire.Failure(code=int(code), message=message)


def _target(line: Words) -> dict[str, str]:
    """`S/handler` or `S/key/handler`"""
    parts = line["target"].split("/")
    return {"service_name": parts[0], "handler_name": parts[-1], "key": parts[1] if len(parts) == 3 else ""}


def _propose(line: Words, _now: int, _resolve: Resolve) -> tuple[int, Message]:
    text = line.get("value")
    message = wire.ProposeRunCompletionMessage(
        result_completion_id=line.number("id"),
        value=None if text is None else text.encode(),
        failure=_failure(line),
    )
    return MessageType.PROPOSE_RUN_COMPLETION, message


def _get_eager(line: Words, _now: int, _resolve: Resolve) -> tuple[int, Message]:
    value = _value(line)
    void = wire.Void() if value is None else None
    return MessageType.GET_EAGER_STATE_COMMAND, wire.GetEagerStateCommandMessage(
        key=line["key"].encode(), value=value, void=void
    )


def _call(line: Words, _now: int, _resolve: Resolve) -> tuple[int, Message]:
    callee, result = line.numbers("ids")
    message = wire.CallCommandMessage(
        parameter=(line.get("input") or "").encode(),
        idempotency_key=line.get("idempotency"),
        scope=line.get("scope"),
        invocation_id_notification_idx=callee,
        result_completion_id=result,
        **_target(line),
    )
    return MessageType.CALL_COMMAND, message


def _send(line: Words, now: int, _resolve: Resolve) -> tuple[int, Message]:
    delay = line.get("delay")
    message = wire.OneWayCallCommandMessage(
        parameter=(line.get("input") or "").encode(),
        idempotency_key=line.get("idempotency"),
        invoke_time=_time_after(now, delay) if delay else 0,
        invocation_id_notification_idx=line.number("id"),
        **_target(line),
    )
    return MessageType.ONE_WAY_CALL_COMMAND, message


def _time_after(now: int, delay: str) -> int:
    """delay: ms, or `forever` for the latest time that fits the wire."""
    return 2**64 - 1 if delay == "forever" else now + int(delay)


def _other(line: Words, resolve: Resolve) -> dict[str, object]:
    """`to=name`, `workflow=W/key` or `idempotent=S/handler/key`"""
    if (to := line.get("to")) is not None:
        return {"invocation_id": resolve(to)}
    if (workflow := line.get("workflow")) is not None:
        name, key = workflow.split("/")
        return {"workflow_target": wire.WorkflowTarget(workflow_name=name, workflow_key=key)}
    service, handler, idempotency_key = line["idempotent"].split("/")
    target = wire.IdempotentRequestTarget(service_name=service, handler_name=handler, idempotency_key=idempotency_key)
    return {"idempotent_request_target": target}


def _attach(line: Words, _now: int, resolve: Resolve) -> tuple[int, Message]:
    return MessageType.ATTACH_INVOCATION_COMMAND, wire.AttachInvocationCommandMessage(
        result_completion_id=line.number("id"), **_other(line, resolve)
    )


def _output_of(line: Words, _now: int, resolve: Resolve) -> tuple[int, Message]:
    return MessageType.GET_INVOCATION_OUTPUT_COMMAND, wire.GetInvocationOutputCommandMessage(
        result_completion_id=line.number("id"), **_other(line, resolve)
    )


def _signal(line: Words, _now: int, resolve: Resolve) -> tuple[int, Message]:
    value, failure, number = _value(line), _failure(line), line.get("idx")
    message = wire.SendSignalCommandMessage(
        target_invocation_id=resolve(line["to"]),
        idx=None if number is None else int(number),
        name=line.get("name"),
        value=value,
        failure=failure,
        void=wire.Void() if value is failure is None else None,
    )
    return MessageType.SEND_SIGNAL_COMMAND, message


def _cancel(line: Words, _now: int, resolve: Resolve) -> tuple[int, Message]:
    return MessageType.SEND_SIGNAL_COMMAND, wire.SendSignalCommandMessage(
        target_invocation_id=resolve(line["to"]), idx=CANCEL_SIGNAL, void=wire.Void()
    )


def _awakeable(line: Words, _now: int, resolve: Resolve) -> tuple[int, Message]:
    target = resolve(line["of"])
    awakeable = "sign_1nonsense"
    if not target.endswith("nonsense"):
        awakeable = ids.awakeable_id(ids.decode_invocation_id(target), line.number("idx"))
    return MessageType.COMPLETE_AWAKEABLE_COMMAND, wire.CompleteAwakeableCommandMessage(
        awakeable_id=awakeable, value=_value(line), failure=_failure(line)
    )


_BUILDERS: dict[str, Callable[[Words, int, Resolve], tuple[int, Message]]] = {
    "run": lambda w, _n, _r: (MessageType.RUN_COMMAND, wire.RunCommandMessage(result_completion_id=w.number("id"))),
    "propose": _propose,
    "get": lambda w, _n, _r: (
        MessageType.GET_LAZY_STATE_COMMAND,
        wire.GetLazyStateCommandMessage(key=w["key"].encode(), result_completion_id=w.number("id")),
    ),
    "get-eager": _get_eager,
    "keys": lambda w, _n, _r: (
        MessageType.GET_LAZY_STATE_KEYS_COMMAND,
        wire.GetLazyStateKeysCommandMessage(result_completion_id=w.number("id")),
    ),
    "keys-eager": lambda w, _n, _r: (
        MessageType.GET_EAGER_STATE_KEYS_COMMAND,
        wire.GetEagerStateKeysCommandMessage(value=wire.StateKeys(keys=[k.encode() for k in w["keys"].split(",")])),
    ),
    "set": lambda w, _n, _r: (
        MessageType.SET_STATE_COMMAND,
        wire.SetStateCommandMessage(key=w["key"].encode(), value=_value(w)),
    ),
    "clear": lambda w, _n, _r: (
        MessageType.CLEAR_STATE_COMMAND,
        wire.ClearStateCommandMessage(key=w["key"].encode()),
    ),
    "clear-all": lambda w, _n, _r: (MessageType.CLEAR_ALL_STATE_COMMAND, wire.ClearAllStateCommandMessage()),
    "promise": lambda w, _n, _r: (
        MessageType.GET_PROMISE_COMMAND,
        wire.GetPromiseCommandMessage(key=w["key"], result_completion_id=w.number("id")),
    ),
    "peek": lambda w, _n, _r: (
        MessageType.PEEK_PROMISE_COMMAND,
        wire.PeekPromiseCommandMessage(key=w["key"], result_completion_id=w.number("id")),
    ),
    "complete-promise": lambda w, _n, _r: (
        MessageType.COMPLETE_PROMISE_COMMAND,
        wire.CompletePromiseCommandMessage(
            key=w["key"],
            result_completion_id=w.number("id"),
            completion_value=_value(w),
            completion_failure=_failure(w),
        ),
    ),
    "sleep": lambda w, now, _r: (
        MessageType.SLEEP_COMMAND,
        wire.SleepCommandMessage(wake_up_time=_time_after(now, w["for"]), result_completion_id=w.number("id")),
    ),
    "call": _call,
    "send": _send,
    "attach": _attach,
    "output-of": _output_of,
    "signal": _signal,
    "cancel": _cancel,
    "awakeable": _awakeable,
    "output": lambda w, _n, _r: (
        MessageType.OUTPUT_COMMAND,
        wire.OutputCommandMessage(value=_value(w), failure=_failure(w)),
    ),
}
