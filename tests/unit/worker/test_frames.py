"""The worker link's wire format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.worker import frames

any_frame = st.tuples(st.integers(0, 2**32 - 1), st.integers(frames.OPEN, frames.CONTROL), st.binary(max_size=300))


@given(st.lists(any_frame), st.integers(1, 50))
def test_frames_survive_any_cut(expected, size):
    wire = b"".join(frames.frame(*one) for one in expected)
    decoder = frames.Decoder()
    got = [one for start in range(0, len(wire), size) for one in decoder.feed(wire[start : start + size])]
    assert joined(got) == joined(expected)


def joined(some):
    """With neighbouring pieces of the same body as one."""
    result = []
    for stream, kind, payload in some:
        if kind == frames.DATA and result and result[-1][:2] == (stream, kind):
            result[-1] = (stream, kind, result[-1][2] + payload)
        else:
            result.append((stream, kind, payload))
    return result


def test_small_pieces_of_one_body_come_as_one():
    small, half = b"x", b"y" * (frames.JOINED_MAX // 2)
    said = [(1, small), (1, small), (2, small), (1, small), (1, half), (1, half), (1, small)]
    wire = b"".join(frames.frame(stream, frames.DATA, payload) for stream, payload in said)
    got = frames.Decoder().feed(wire)
    assert [(stream, payload) for stream, _, payload in got] == [
        (1, small + small),
        (2, small),
        (1, small + half),
        (1, half + small),
    ]
    end = frames.frame(1, frames.END)
    assert len(frames.Decoder().feed(frames.frame(1, frames.DATA, small) + end + end)) == 3


@pytest.mark.parametrize("wire", [b"\0\0\0\1\0\0\0\0\0", b"\0\0\0\1\x08\0\0\0\0", b"\0\0\0\1\3\xff\xff\xff\xff"])
def test_what_is_no_frame_is_refused_at_its_header(wire):
    with pytest.raises(frames.FrameError):
        frames.Decoder().feed(wire)


@given(st.binary(max_size=200))
def test_random_bytes_give_frames_or_a_frame_error(wire):
    try:
        for _stream, kind, payload in frames.Decoder().feed(wire):
            for decode in (frames.decode_open, frames.decode_head, frames.decode_control, frames.decode_credit):
                try:
                    decode(payload)
                except frames.FrameError:
                    assert kind
    except frames.FrameError:
        return


def test_payloads_round_trip():
    request = frames.OpenPayload("POST", "/invoke/a/b", [("x", "y")])
    assert frames.decode_open(frames.encode(request)) == request
    head = frames.HeadPayload(200, [(b"x", b"\xff")])
    assert frames.decode_head(frames.encode(head)) == head
    for message in (frames.Ready(pid=7), frames.Failed(reason="why")):
        assert frames.decode_control(frames.encode(message)) == message
