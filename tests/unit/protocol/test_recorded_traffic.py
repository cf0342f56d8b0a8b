"""Every recorded body decodes to what it is known to say, and is written back byte for byte."""

from typing import Any

from google.protobuf.message import Message

from perdure.protocol import messages
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import Frame, FrameDecoder, encode_frame
from perdure.protocol.messages import MESSAGE_CLASSES, MessageType, decode

LIMIT = 32 * 1024 * 1024


def frames_of(recorded: dict[str, Any]) -> list[Frame]:
    decoder = FrameDecoder(LIMIT)
    frames = decoder.feed(bytes.fromhex(recorded["hex"]))
    assert decoder.buffered == 0
    return frames


def described(value: Any) -> Any:
    """A protobuf value in the notation of the recordings; bytes as hex."""
    if isinstance(value, Message):
        renamed = {"signal_id": "signal_idx"} if isinstance(value, pb.NotificationMessage) else {}
        return {renamed.get(field.name, field.name): described(content) for field, content in value.ListFields()}
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, (str, int)):
        return value
    return [described(item) for item in value]


def without_text(value: Any) -> Any:
    """Drops the readable copy that the recordings keep beside hex."""
    if isinstance(value, dict):
        keep = ["hex"] if "hex" in value else value.keys()
        return {key: without_text(value[key]) for key in keep}
    return [without_text(item) for item in value] if isinstance(value, list) else value


def test_decodes_to_the_known_messages(recorded: dict[str, Any]) -> None:
    seen = [
        {
            "type_id": f"0x{frame.type:04x}",
            "flags": f"0x{frame.flags:04x}",
            "length": len(frame.payload),
            "fields": described(decode(frame.type, frame.payload)),
        }
        for frame in frames_of(recorded)
    ]
    assert seen == [
        {key: without_text(message[key]) for key in ("type_id", "flags", "length", "fields")}
        for message in recorded["messages"]
    ]


def test_is_written_back_byte_for_byte(recorded: dict[str, Any]) -> None:
    written = b"".join(
        encode_frame(frame.type, decode(frame.type, frame.payload).SerializeToString(), frame.flags)
        for frame in frames_of(recorded)
    )
    assert written == bytes.fromhex(recorded["hex"])


def test_our_encoders_write_what_the_official_server_wrote(recorded: dict[str, Any]) -> None:
    if recorded["direction"] == "sdk_to_server":
        return
    for frame in frames_of(recorded):
        assert encoded_anew(frame) == frame.payload


def encoded_anew(frame: Frame) -> bytes:
    """The payload as the functions for the server's own messages write it from the decoded content."""
    message = decode(frame.type, frame.payload)
    match message:
        case pb.StartMessage():
            return messages.encode_start(
                raw_id=message.id,
                debug_id=message.debug_id,
                known_entries=message.known_entries,
                state=[(entry.key, entry.value) for entry in message.state_map],
                partial_state=message.partial_state,
                key=message.key,
                retry_count=message.retry_count_since_last_stored_entry,
                duration_ms=message.duration_since_last_stored_entry,
                random_seed=message.random_seed,
            )
        case pb.InputCommandMessage():
            return messages.encode_input([(h.key, h.value) for h in message.headers], message.value.content)
        case pb.ProposeRunCompletionAckMessage():
            return messages.run_ack(message.completion_id)
        case pb.CommandAckMessage():
            return messages.command_ack(message.command_index)
        case pb.NotificationMessage():
            return notified_anew(frame.type, message)
        case _:
            return frame.payload


def notified_anew(type_id: int, message: pb.NotificationMessage) -> bytes:
    kind = message.WhichOneof("result")
    void = kind == "void"
    value = message.value.content if kind == "value" else None
    failure = message.failure if kind == "failure" else None
    if type_id == MessageType.SIGNAL_NOTIFICATION:
        signal = message.signal_name if message.WhichOneof("id") == "signal_name" else message.signal_id
        return messages.signal_notification(signal, void=void, value=value, failure=failure)
    return messages.completion(
        type_id,
        message.completion_id,
        void=void,
        value=value,
        failure=failure,
        invocation_id=message.invocation_id if kind == "invocation_id" else None,
        state_keys=message.state_keys.keys if kind == "state_keys" else None,
    )


def test_the_recordings_contain_every_message_type(vectors: dict[str, Any]) -> None:
    seen = {int(message["type_id"], 16) for body in vectors["vectors"] for message in body["messages"]}
    assert seen == set(MESSAGE_CLASSES)
