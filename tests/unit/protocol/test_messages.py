"""What the protocol says about messages beyond the recordings."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.errors import BadFrame
from perdure.protocol.messages import (
    MESSAGE_CLASSES,
    NAMES,
    NOTIFICATION_RESULTS,
    MessageType,
    completion,
    decode,
    encode_input,
    is_command,
    is_completion,
    is_notification,
    make_failure,
    run_ack,
    signal_notification,
)

FIRST_ENTRY = 0x0400
"""Type ids below are those of messages that steer the exchange."""


def test_every_type_has_a_class() -> None:
    assert set(MESSAGE_CLASSES) == set(MessageType)


@pytest.mark.parametrize("type_id", range(0x10000 // 0x40))
def test_every_type_id_below_the_custom_range_is_of_exactly_one_kind(type_id: int) -> None:
    type_id *= 0x40
    kinds = [type_id < FIRST_ENTRY, is_command(type_id), is_notification(type_id)]
    assert sum(kinds) == (0 if type_id >= 0xFC00 else 1)


def test_a_signal_is_a_notification_but_completes_nothing() -> None:
    assert is_notification(MessageType.SIGNAL_NOTIFICATION)
    assert not is_completion(MessageType.SIGNAL_NOTIFICATION)
    assert is_completion(MessageType.RUN_COMPLETION)


def test_journal_entries_have_display_names() -> None:
    assert NAMES[MessageType.ONE_WAY_CALL_COMMAND] == "OneWayCall"
    assert NAMES[MessageType.RUN_COMMAND] == NAMES[MessageType.RUN_COMPLETION] == "Run"
    assert NAMES[MessageType.CALL_INVOCATION_ID_COMPLETION] == "CallInvocationId"
    assert NAMES[MessageType.SIGNAL_NOTIFICATION] == "Signal"
    assert set(NAMES) == {type_id for type_id in MessageType if type_id >= FIRST_ENTRY}
    assert set(NOTIFICATION_RESULTS) == {type_id for type_id in MessageType if is_notification(type_id)}


@pytest.mark.parametrize("type_id", [0x0008, 0x040F, 0x0415, 0x8000, 0xFC00, 0xFFFF])
def test_an_unknown_type_is_a_bad_frame(type_id: int) -> None:
    with pytest.raises(BadFrame, match="unknown message type"):
        decode(type_id, b"")


@pytest.mark.parametrize("payload", [b"\xff", b"\x0a\x05ab", b"\x62\x01\xff"])
def test_an_undecodable_payload_is_a_bad_frame(payload: bytes) -> None:
    with pytest.raises(BadFrame, match="cannot be decoded"):
        decode(MessageType.RUN_COMMAND, payload)


def test_unknown_fields_are_ignored() -> None:
    message = decode(MessageType.RUN_COMMAND, b"\x58\x01\xc0\x3e\x07")
    assert isinstance(message, pb.RunCommandMessage)
    assert message.result_completion_id == 1


def test_an_empty_value_is_a_value_and_not_void() -> None:
    assert completion(MessageType.RUN_COMPLETION, 1, value=b"") == bytes.fromhex("08012a00")
    assert completion(MessageType.SLEEP_COMPLETION, 1, void=True) == bytes.fromhex("08012200")


def test_a_completion_with_a_result_its_command_cannot_have_is_refused() -> None:
    with pytest.raises(AssertionError):
        completion(MessageType.RUN_COMPLETION, 1, void=True)
    with pytest.raises(AssertionError):
        completion(MessageType.SLEEP_COMPLETION, 1)


def test_signals_are_addressed_by_number_or_name() -> None:
    by_number = pb.NotificationMessage.FromString(signal_notification(17, value=b"x"))
    assert (by_number.WhichOneof("id"), by_number.signal_id) == ("signal_id", 17)
    by_name = pb.NotificationMessage.FromString(signal_notification("go", failure=make_failure(500, "no")))
    assert (by_name.WhichOneof("id"), by_name.signal_name) == ("signal_name", "go")
    assert by_name.failure.message == "no"


def test_failures_carry_metadata() -> None:
    failure = make_failure(418, "no", [("k", "v")])
    assert [(entry.key, entry.value) for entry in failure.metadata] == [("k", "v")]


@example(127, bytes(125))
@example(128, bytes(125))
@example(127, bytes(126))
@example(0, bytes(127))
@example(0, bytes(128))
@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.binary(max_size=300))
def test_what_is_written_by_hand_is_what_the_library_writes(number: int, value: bytes) -> None:
    expected = pb.NotificationMessage(completion_id=number, value=pb.Value(content=value))
    assert completion(MessageType.RUN_COMPLETION, number, value=value) == expected.SerializeToString()
    ack = pb.ProposeRunCompletionAckMessage(completion_id=number)
    assert run_ack(number) == ack.SerializeToString()


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=200), st.text(max_size=200)), max_size=3), st.binary(max_size=300))
def test_an_input_written_by_hand_is_what_the_library_writes(headers: list[tuple[str, str]], value: bytes) -> None:
    expected = pb.InputCommandMessage(
        headers=[pb.Header(key=name, value=text) for name, text in headers], value=pb.Value(content=value)
    )
    assert encode_input(headers, value) == expected.SerializeToString()
