"""The short way for heads and DATA frames says what jh2 says, and keeps its books as jh2 would."""

from itertools import pairwise
from typing import Any

import jh2.config
import jh2.connection
import jh2.events
import jh2.exceptions
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jh2.hpack import HeaderTuple, NeverIndexedHeaderTuple

from perdure.invoker.http2_session import End, Head, Http2Session, Piece

STREAMS = (1, 3)
SECRETS = {b"authorization"}
REQUEST = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"a"), (b":path", b"/")]


def config(*, client: bool) -> jh2.config.H2Configuration:
    # As in the product: heads are sent as they are given.
    return jh2.config.H2Configuration(
        client_side=client,
        header_encoding=None,
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )


def open_streams(session: Any) -> bytes:
    """A client with two requests under way, their bodies still open. Returns what it sends."""
    session.initiate_connection()
    for number in STREAMS:
        send_head(session, number, REQUEST, end=False)
    sent: bytes = session.data_to_send()
    return sent


def send_head(session: Any, number: int, head: list[tuple[bytes, bytes]], *, end: bool) -> None:
    if isinstance(session, Http2Session):
        session.send_head(number, [(name, value, name in SECRETS) for name, value in head], end=end)
    else:
        kinds = (NeverIndexedHeaderTuple if name in SECRETS else HeaderTuple for name, _ in head)
        session.send_headers(number, [kind(*field) for kind, field in zip(kinds, head, strict=True)], end_stream=end)


def frame(kind: int, flags: int, number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + number.to_bytes(4, "big") + payload


class Server:
    """Answers with whatever is asked for, as long as jh2 lets it."""

    def __init__(self, request: bytes) -> None:
        self.h2 = jh2.connection.H2Connection(config(client=False))
        self.h2.initiate_connection()
        self.h2.receive_data(request)
        self.bytes = bytearray(self.h2.data_to_send())

    def head(self, number: int, length: int | None) -> None:
        headers = [(b":status", b"200"), (b"server", b"x" * 40)]
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
        self._try(self.h2.send_headers, number, headers)

    def early_hints(self, number: int) -> None:
        self._try(self.h2.send_headers, number, [(b":status", b"103")])

    def data(self, number: int, size: int, padding: int | None, end: bool) -> None:
        self._try(self.h2.send_data, number, b"d" * size, end, padding)

    def reset(self, number: int) -> None:
        self._try(self.h2.reset_stream, number)

    def window(self, number: int | None, size: int) -> None:
        self._try(self.h2.increment_flow_control_window, size, number)

    def ping(self) -> None:
        self._try(self.h2.ping, b"12345678")

    def raw(self, data: bytes) -> None:
        self.bytes += data

    def _try(self, call: Any, *arguments: Any) -> None:
        try:
            call(*arguments)
        except (jh2.exceptions.H2Error, KeyError):
            return  # not possible in this state: the next one, then
        self.bytes += self.h2.data_to_send()


numbers = st.sampled_from(STREAMS)
said = st.one_of(
    st.tuples(st.just("head"), numbers, st.sampled_from([None, None, None, 0, 5])),
    st.tuples(st.just("early_hints"), numbers),
    st.tuples(
        st.just("data"), numbers, st.sampled_from([0, 1, 5, 300, 16384]), st.sampled_from([None, 3]), st.booleans()
    ),
    st.tuples(st.just("reset"), numbers),
    st.tuples(st.just("window"), st.sampled_from([None, 1, 3]), st.just(1000)),
    st.tuples(st.just("ping")),
)
hostile = st.one_of(
    said,
    # Frames that no server of good will sends: data too early or too late, in the middle of a head, of nobody's stream.
    st.tuples(
        st.just("raw"),
        st.builds(
            frame,
            st.sampled_from([0, 0, 0, 1, 3, 9]),
            st.sampled_from([0, 1, 4, 8]),
            st.sampled_from([0, 1, 3, 5, 2**31 + 1]),
            st.sampled_from([b"", b"\x88", b"\0\0\0\x08", b"d" * 20_000]),
        ),
    ),
)


def read(session: Any, data: bytes, cuts: list[int]) -> tuple[list[Any], str]:
    """What happened on the streams, pieces of a body joined, and the error that ended it."""
    seen: list[Any] = []
    borders = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(borders):
        try:
            events = session.receive_data(data[start:end])
        except Exception as error:
            return seen, type(error).__name__
        for event in events:
            match event:
                case Piece(number, piece):
                    pass
                case jh2.events.DataReceived():
                    number, piece = event.stream_id, bytes(event.data)
                case Head(number, headers) | jh2.events.ResponseReceived(stream_id=number, headers=headers):
                    seen.append(("head", number, [tuple(field) for field in headers]))
                    continue
                case End(number) | jh2.events.StreamEnded(stream_id=number):
                    seen.append(("end", number))
                    continue
                case _:
                    if not isinstance(event, jh2.events.UnknownFrameReceived):
                        seen.append((type(event).__name__, getattr(event, "stream_id", None)))
                    continue
            if piece and seen and seen[-1][:2] == ("data", number):
                seen[-1] = ("data", number, seen[-1][2] + piece)
            elif piece:
                seen.append(("data", number, piece))
    return seen, ""


def books(session: Any) -> dict[str, Any]:
    """Windows in both directions, and the states of the streams."""
    return {
        "inbound": session.inbound_flow_control_window,
        "outbound": session.outbound_flow_control_window,
        "streams": {
            number: (
                stream.state_machine.state,
                stream.state_machine.stream_closed_by,
                stream.inbound_flow_control_window,
                stream.outbound_flow_control_window,
            )
            for number, stream in session.streams.items()
        },
    }


def both() -> tuple[Http2Session, Any, Server]:
    short, plain = Http2Session(config(client=True)), jh2.connection.H2Connection(config(client=True))
    request = open_streams(short)
    assert open_streams(plain) == request
    return short, plain, Server(request)


@settings(deadline=None)
@given(st.lists(said, max_size=12), st.lists(st.integers(0, 2**20), max_size=8))
def test_what_a_server_says_is_heard_alike(script: list[tuple[Any, ...]], cuts: list[int]) -> None:
    short, plain, server = both()
    for verb, *arguments in script:
        getattr(server, verb)(*arguments)
    data = bytes(server.bytes)
    assert read(short, data, cuts) == read(plain, data, cuts)
    assert books(short) == books(plain)
    assert short.data_to_send() == plain.data_to_send()


@settings(deadline=None)
@given(st.lists(hostile, max_size=8))
@example([("raw", frame(1, 4, 1, b""))])
@example([("raw", frame(1, 4, 1, b"\x20"))])
def test_what_a_hostile_server_says_is_refused_alike(script: list[tuple[Any, ...]]) -> None:
    short, plain, server = both()
    for verb, *arguments in script:
        getattr(server, verb)(*arguments)
    data = bytes(server.bytes)
    # Frame by frame: with an error jh2 drops what it read before in the same piece.
    cuts = list(frame_borders(data))
    assert read(short, data, cuts) == read(plain, data, cuts)
    assert short.data_to_send() == plain.data_to_send()


def frame_borders(data: bytes) -> list[int]:
    borders, at = [], 0
    while at + 9 <= len(data):
        at += 9 + int.from_bytes(data[at : at + 3], "big")
        borders.append(at)
    return borders


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, st.integers(0, 16384)), max_size=6))
def test_what_is_sent_is_the_same(pieces: list[tuple[int, int]]) -> None:
    """A piece without a byte stands for the end."""
    short, plain, _ = both()
    ended: set[int] = set()
    for number, size in pieces:
        if number in ended or size > plain.local_flow_control_window(number):
            continue
        if size:
            short.send_piece(number, b"d" * size)
            plain.send_data(number, b"d" * size)
        else:
            ended.add(number)
            short.end_stream(number)
            plain.end_stream(number)
    assert short.data_to_send() == plain.data_to_send()
    assert books(short) == books(plain)


fields = st.tuples(
    st.sampled_from([b"a", b"authorization", b"x-restate-service-key"]),
    st.one_of(st.binary(max_size=8), st.integers(0, 40_000).map(lambda size: b"\xfe" * size)),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.lists(fields, max_size=4), st.booleans(), st.booleans()), max_size=5))
def test_heads_are_the_same(requests: list[tuple[list[tuple[bytes, bytes]], bool, bool]]) -> None:
    """Of some, the whole request is sent with the head; some are reset at once."""
    short, plain, _ = both()
    for number, (head, end, reset) in enumerate(requests):
        for session in (short, plain):
            send_head(session, 5 + 2 * number, REQUEST + head, end=end)
            if reset:
                session.reset_stream(5 + 2 * number)
    assert short.data_to_send() == plain.data_to_send()
    assert short.open_outbound_streams == plain.open_outbound_streams
    assert books(short) == books(plain)


def test_streams_that_are_over_are_forgotten() -> None:
    short, _, _ = both()
    for number in range(5, 2005, 2):
        short.send_head(number, [(name, value, False) for name, value in REQUEST], end=False)
        short.reset_stream(number)
    assert len(short.streams) < 100
    assert short.open_outbound_streams == len(STREAMS)


def test_pieces_that_come_together_are_one() -> None:
    short, _, server = both()
    server.head(1, None)
    server.head(3, None)
    for number, size in ((1, 2), (1, 3), (3, 1), (1, 4096), (1, 1)):
        server.data(number, size, None, False)
    pieces = [event for event in short.receive_data(bytes(server.bytes)) if isinstance(event, Piece)]
    assert [(piece.stream_id, len(piece.data)) for piece in pieces] == [(1, 5), (3, 1), (1, 4096), (1, 1)]


def test_the_window_is_that_of_stream_and_connection() -> None:
    short, plain, _ = both()
    for session in (short, plain):
        session.send_data(1, b"d" * 16_384)
    assert [short.window(number) for number in STREAMS] == [plain.local_flow_control_window(n) for n in STREAMS]
    with pytest.raises(KeyError):
        short.window(5)


def test_a_stream_that_is_over_takes_no_more() -> None:
    short, _, _ = both()
    short.end_stream(1)
    with pytest.raises(jh2.exceptions.ProtocolError):
        short.send_piece(1, b"d")
    with pytest.raises(jh2.exceptions.ProtocolError):
        short.end_stream(1)
    with pytest.raises(KeyError):
        short.send_piece(5, b"d")
