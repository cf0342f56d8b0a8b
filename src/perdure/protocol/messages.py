"""The messages of the service protocol: their type ids, their classes, and what the server writes.

Payloads are bytes without the frame's header. A journal keeps them as they travelled, so that a replay
is a copy.
"""

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final

from google.protobuf.message import DecodeError, Message

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.errors import BadFrame
from perdure.protocol.wire import write_bytes, write_varint

CANCEL_SIGNAL: Final = 1
"""The built-in signal that asks an invocation to cancel itself."""


class MessageType(IntEnum):
    """Type ids of frames."""

    START = 0x0000
    SUSPENSION = 0x0001
    ERROR = 0x0002
    END = 0x0003
    COMMAND_ACK = 0x0004
    PROPOSE_RUN_COMPLETION = 0x0005
    AWAITING_ON = 0x0006
    PROPOSE_RUN_COMPLETION_ACK = 0x0007

    INPUT_COMMAND = 0x0400
    OUTPUT_COMMAND = 0x0401
    GET_LAZY_STATE_COMMAND = 0x0402
    SET_STATE_COMMAND = 0x0403
    CLEAR_STATE_COMMAND = 0x0404
    CLEAR_ALL_STATE_COMMAND = 0x0405
    GET_LAZY_STATE_KEYS_COMMAND = 0x0406
    GET_EAGER_STATE_COMMAND = 0x0407
    GET_EAGER_STATE_KEYS_COMMAND = 0x0408
    GET_PROMISE_COMMAND = 0x0409
    PEEK_PROMISE_COMMAND = 0x040A
    COMPLETE_PROMISE_COMMAND = 0x040B
    SLEEP_COMMAND = 0x040C
    CALL_COMMAND = 0x040D
    ONE_WAY_CALL_COMMAND = 0x040E
    SEND_SIGNAL_COMMAND = 0x0410
    RUN_COMMAND = 0x0411
    ATTACH_INVOCATION_COMMAND = 0x0412
    GET_INVOCATION_OUTPUT_COMMAND = 0x0413
    COMPLETE_AWAKEABLE_COMMAND = 0x0414

    GET_LAZY_STATE_COMPLETION = 0x8002
    GET_LAZY_STATE_KEYS_COMPLETION = 0x8006
    GET_PROMISE_COMPLETION = 0x8009
    PEEK_PROMISE_COMPLETION = 0x800A
    COMPLETE_PROMISE_COMPLETION = 0x800B
    SLEEP_COMPLETION = 0x800C
    CALL_COMPLETION = 0x800D
    CALL_INVOCATION_ID_COMPLETION = 0x800E
    RUN_COMPLETION = 0x8011
    ATTACH_INVOCATION_COMPLETION = 0x8012
    GET_INVOCATION_OUTPUT_COMPLETION = 0x8013
    SIGNAL_NOTIFICATION = 0xFBFF


MESSAGE_CLASSES: Final[dict[int, type[Message]]] = {
    MessageType.START: pb.StartMessage,
    MessageType.SUSPENSION: pb.SuspensionMessage,
    MessageType.ERROR: pb.ErrorMessage,
    MessageType.END: pb.EndMessage,
    MessageType.COMMAND_ACK: pb.CommandAckMessage,
    MessageType.PROPOSE_RUN_COMPLETION: pb.ProposeRunCompletionMessage,
    MessageType.AWAITING_ON: pb.AwaitingOnMessage,
    MessageType.PROPOSE_RUN_COMPLETION_ACK: pb.ProposeRunCompletionAckMessage,
    MessageType.INPUT_COMMAND: pb.InputCommandMessage,
    MessageType.OUTPUT_COMMAND: pb.OutputCommandMessage,
    MessageType.GET_LAZY_STATE_COMMAND: pb.GetLazyStateCommandMessage,
    MessageType.SET_STATE_COMMAND: pb.SetStateCommandMessage,
    MessageType.CLEAR_STATE_COMMAND: pb.ClearStateCommandMessage,
    MessageType.CLEAR_ALL_STATE_COMMAND: pb.ClearAllStateCommandMessage,
    MessageType.GET_LAZY_STATE_KEYS_COMMAND: pb.GetLazyStateKeysCommandMessage,
    MessageType.GET_EAGER_STATE_COMMAND: pb.GetEagerStateCommandMessage,
    MessageType.GET_EAGER_STATE_KEYS_COMMAND: pb.GetEagerStateKeysCommandMessage,
    MessageType.GET_PROMISE_COMMAND: pb.GetPromiseCommandMessage,
    MessageType.PEEK_PROMISE_COMMAND: pb.PeekPromiseCommandMessage,
    MessageType.COMPLETE_PROMISE_COMMAND: pb.CompletePromiseCommandMessage,
    MessageType.SLEEP_COMMAND: pb.SleepCommandMessage,
    MessageType.CALL_COMMAND: pb.CallCommandMessage,
    MessageType.ONE_WAY_CALL_COMMAND: pb.OneWayCallCommandMessage,
    MessageType.SEND_SIGNAL_COMMAND: pb.SendSignalCommandMessage,
    MessageType.RUN_COMMAND: pb.RunCommandMessage,
    MessageType.ATTACH_INVOCATION_COMMAND: pb.AttachInvocationCommandMessage,
    MessageType.GET_INVOCATION_OUTPUT_COMMAND: pb.GetInvocationOutputCommandMessage,
    MessageType.COMPLETE_AWAKEABLE_COMMAND: pb.CompleteAwakeableCommandMessage,
    **{type_id: pb.NotificationMessage for type_id in MessageType if type_id >= 0x8000},
}
"""The class that decodes the payload of each type."""

# Numbers for keys, as they come off the wire: members of an enumeration are slow to hash and to compare.
_PARSERS: Final[dict[int, Callable[[bytes], Message]]] = {
    int(type_id): message_class.FromString for type_id, message_class in MESSAGE_CLASSES.items()
}

NAMES: Final[dict[int, str]] = {
    type_id: "".join(word.capitalize() for word in type_id.name.split("_"))
    .removesuffix("Command")
    .removesuffix("Completion")
    .removesuffix("Notification")
    for type_id in MessageType
    if type_id >= 0x0400
}
"""Display names of journal entries, `Run` or `OneWayCall`; command and completion share theirs."""

_VOID_OR_RESULT: Final = frozenset({"void", "value", "failure"})
_RESULT: Final = frozenset({"value", "failure"})
NOTIFICATION_RESULTS: Final[dict[int, frozenset[str]]] = {
    MessageType.GET_LAZY_STATE_COMPLETION: frozenset({"void", "value"}),
    MessageType.GET_LAZY_STATE_KEYS_COMPLETION: frozenset({"state_keys"}),
    MessageType.GET_PROMISE_COMPLETION: _RESULT,
    MessageType.PEEK_PROMISE_COMPLETION: _VOID_OR_RESULT,
    MessageType.COMPLETE_PROMISE_COMPLETION: frozenset({"void", "failure"}),
    MessageType.SLEEP_COMPLETION: frozenset({"void"}),
    MessageType.CALL_COMPLETION: _RESULT,
    MessageType.CALL_INVOCATION_ID_COMPLETION: frozenset({"invocation_id"}),
    MessageType.RUN_COMPLETION: _RESULT,
    MessageType.ATTACH_INVOCATION_COMPLETION: _RESULT,
    MessageType.GET_INVOCATION_OUTPUT_COMPLETION: _VOID_OR_RESULT,
    MessageType.SIGNAL_NOTIFICATION: _VOID_OR_RESULT,
}
"""The results that each notification may carry."""


def is_command(type_id: int) -> bool:
    """True for entries the handler issues, known or not."""
    return 0x0400 <= type_id < 0x8000


def is_notification(type_id: int) -> bool:
    """True for entries the handler receives, known or not."""
    return 0x8000 <= type_id < 0xFC00


def is_completion(type_id: int) -> bool:
    """True for notifications that answer a command."""
    return is_notification(type_id) and type_id != MessageType.SIGNAL_NOTIFICATION


def decode(type_id: int, payload: bytes) -> Message:
    """The message in a frame. Raises: BadFrame for unknown types and undecodable payloads."""
    parse = _PARSERS.get(type_id)
    if parse is None:
        raise BadFrame(f"unknown message type 0x{type_id:04x}")
    try:
        return parse(payload)
    except DecodeError:
        name = MessageType(type_id).name
        raise BadFrame(f"the payload of a frame of type 0x{type_id:04x} ({name}) cannot be decoded") from None


# ---- What the server writes ----


def encode_start(
    *,
    raw_id: bytes,
    debug_id: str,
    known_entries: int,
    state: Iterable[tuple[bytes, bytes]] = (),
    partial_state: bool,
    key: str = "",
    retry_count: int = 0,
    duration_ms: int = 0,
    random_seed: int = 0,
    scope: str | None = None,
    limit_key: str | None = None,
    idempotency_key: str | None = None,
) -> bytes:
    """Payload of the StartMessage that opens every attempt.

    known_entries: commands and notifications that follow at once, at least 1.
    partial_state: True if keys missing from `state` may still exist.
    retry_count, duration_ms: failed attempts, and time, since the last stored entry.
    scope, limit_key, idempotency_key: since version 7, leave them out below.
    """
    message = pb.StartMessage(
        id=raw_id,
        debug_id=debug_id,
        known_entries=known_entries,
        partial_state=partial_state,
        key=key,
        retry_count_since_last_stored_entry=retry_count,
        duration_since_last_stored_entry=duration_ms,
        random_seed=random_seed,
        scope=scope,
        limit_key=limit_key,
        idempotency_key=idempotency_key,
    )
    for state_key, state_value in state:
        message.state_map.add(key=state_key, value=state_value)
    return message.SerializeToString()


def encode_input(headers: Iterable[tuple[str, str]], value: bytes) -> bytes:
    """Payload of the InputCommand that is entry 0 of every journal."""
    return join_input([input_header(name, text) for name, text in headers], value)


def input_header(name: str, text: str) -> bytes:
    """One header of an InputCommand, encoded: callers send the same ones again and again."""
    parts = [write_bytes(tag, content.encode()) for tag, content in ((b"\x0a", name), (b"\x12", text)) if content]
    return write_bytes(b"\x0a", b"".join(parts))


def join_input(headers: Iterable[bytes], value: bytes) -> bytes:
    """Payload of an InputCommand. headers: from `input_header`, in order."""
    return b"".join((*headers, write_bytes(b"\x72", _value(value))))


def _value(content: bytes) -> bytes:
    """A `Value`. An empty one is a value, too, and no byte long."""
    return write_bytes(b"\x0a", content) if content else b""


def make_failure(code: int, message: str, metadata: Iterable[tuple[str, str]] = ()) -> pb.Failure:
    """A stored outcome that is not a value. code: HTTP-like.  metadata: since version 6."""
    return pb.Failure(
        code=code, message=message, metadata=[pb.FailureMetadata(key=key, value=text) for key, text in metadata]
    )


def completion(
    type_id: int,
    completion_id: int,
    *,
    void: bool = False,
    value: bytes | None = None,
    failure: pb.Failure | None = None,
    invocation_id: str | None = None,
    state_keys: Iterable[bytes] | None = None,
) -> bytes:
    """Payload of the notification that answers a command. Exactly one result, of a kind the type knows."""
    if value is not None:
        others = (void or None, failure, invocation_id, state_keys)
        assert others == (None, None, None, None)
        assert "value" in NOTIFICATION_RESULTS[type_id]
        return value_completion(completion_id, value)
    message = pb.NotificationMessage(completion_id=completion_id)
    _set_result(message, void, None, failure)
    if invocation_id is not None:
        message.invocation_id = invocation_id
    if state_keys is not None:
        message.state_keys.CopyFrom(pb.StateKeys(keys=state_keys))
    assert message.WhichOneof("result") in NOTIFICATION_RESULTS[type_id]
    return message.SerializeToString()


def value_completion(completion_id: int, value: bytes) -> bytes:
    """The same with a value. Every step has one: written by hand in a tenth of the time."""
    size = len(value)
    if 0 < size < 0x7E and completion_id < 0x80:
        # All numbers are one byte long.
        return bytes((0x08, completion_id, 0x2A, size + 2, 0x0A, size)) + value
    return b"\x08" + write_varint(completion_id) + write_bytes(b"\x2a", _value(value))


def signal_notification(
    signal: int | str,
    *,
    void: bool = False,
    value: bytes | None = None,
    failure: pb.Failure | None = None,
) -> bytes:
    """Payload of a SignalNotification. signal: an id, or a name.  Exactly one result."""
    if isinstance(signal, str):
        message = pb.NotificationMessage(signal_name=signal)
    else:
        message = pb.NotificationMessage(signal_id=signal)
    _set_result(message, void, value, failure)
    assert message.WhichOneof("result") is not None
    return message.SerializeToString()


def _set_result(message: pb.NotificationMessage, void: bool, value: bytes | None, failure: pb.Failure | None) -> None:
    if void:
        message.void.SetInParent()
    elif value is not None:
        # An empty value is a value: presence is set even if no byte of content is written.
        message.value.SetInParent()
        message.value.content = value
    elif failure is not None:
        message.failure.CopyFrom(failure)


def run_ack(completion_id: int) -> bytes:
    """Payload of the ProposeRunCompletionAckMessage: the proposed result of a run is durable."""
    return b"\x08" + write_varint(completion_id) if completion_id else b""


def command_ack(index: int) -> bytes:
    """Payload of the CommandAckMessage. index: counts commands only, the input is 0."""
    return pb.CommandAckMessage(command_index=index).SerializeToString()
