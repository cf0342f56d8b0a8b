"""Bodies arrive in pieces of any size; frames come out whole and in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.protocol.errors import FrameTooLarge
from perdure.protocol.framing import ACK_FLAG, Frame, FrameDecoder, encode_frame

frame_lists = st.lists(
    st.builds(Frame, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=12
)


@pytest.mark.parametrize(
    ("encoded", "frame"),
    [
        ("00 03 00 00 00 00 00 00", Frame(0x0003, 0, b"")),
        ("04 11 00 00 00 00 00 09 58 01 62 05 66 69 72 73 74", Frame(0x0411, 0, b"\x58\x01\x62\x05first")),
        ("00 05 80 00 00 00 00 04 08 01 72 00", Frame(0x0005, ACK_FLAG, b"\x08\x01\x72\x00")),
        ("80 0c 00 00 00 00 00 04 08 01 22 00", Frame(0x800C, 0, b"\x08\x01\x22\x00")),
    ],
)
def test_the_layout_of_a_frame(encoded: str, frame: Frame) -> None:
    data = bytes.fromhex(encoded)
    assert FrameDecoder(100).feed(data) == [frame]
    assert encode_frame(frame.type, frame.payload, frame.flags) == data


@given(frame_lists, st.lists(st.integers(0, 600)))
def test_the_split_of_a_body_does_not_matter(frames: list[Frame], cuts: list[int]) -> None:
    body = b"".join(encode_frame(frame.type, frame.payload, frame.flags) for frame in frames)
    decoder = FrameDecoder(40)
    seen: list[Frame] = []
    at = 0
    for cut in [*sorted(cuts), len(body)]:
        seen += decoder.feed(body[at:cut])
        at = max(at, min(cut, len(body)))
    assert seen == frames
    assert decoder.buffered == 0


@given(frame_lists)
def test_byte_by_byte(frames: list[Frame]) -> None:
    body = b"".join(encode_frame(frame.type, frame.payload, frame.flags) for frame in frames)
    decoder = FrameDecoder(40)
    assert [frame for byte in body for frame in decoder.feed(bytes([byte]))] == frames


def test_a_body_that_is_cut_off_leaves_bytes_behind() -> None:
    decoder = FrameDecoder(100)
    assert decoder.feed(encode_frame(3, b"") + encode_frame(1, b"abc")[:-1]) == [Frame(3, 0, b"")]
    assert decoder.buffered == 10


def test_a_large_message_in_small_pieces_arrives_whole() -> None:
    payload = bytes(range(256)) * (32 * 1024 * 1024 // 256)
    body = encode_frame(0x0401, payload) + encode_frame(0x0003, b"")
    decoder = FrameDecoder(len(payload))
    seen = [frame for at in range(0, len(body), 16384) for frame in decoder.feed(body[at : at + 16384])]
    assert [frame.type for frame in seen] == [0x0401, 0x0003]
    assert seen[0].payload == payload


def test_a_frame_at_the_limit_passes_and_one_above_is_refused_from_its_header() -> None:
    assert FrameDecoder(3).feed(encode_frame(1, b"abc")) == [Frame(1, 0, b"abc")]
    decoder = FrameDecoder(3)
    with pytest.raises(FrameTooLarge, match="4 bytes is above the limit of 3"):
        decoder.feed(encode_frame(1, b"abcd")[:8])
    assert decoder.buffered == 0


def test_frames_in_front_of_one_that_is_too_large_are_not_lost() -> None:
    decoder = FrameDecoder(3)
    assert decoder.feed(encode_frame(3, b"") + encode_frame(1, b"abcd")) == [Frame(3, 0, b"")]
    with pytest.raises(FrameTooLarge):
        decoder.raise_pending()
    with pytest.raises(FrameTooLarge):
        decoder.feed(b"more")
