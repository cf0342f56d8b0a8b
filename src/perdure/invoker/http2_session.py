"""jh2 with a short way for heads and pieces of bodies, which are nearly all that an attempt sends and receives.

Settings, windows and whatever is unusual go through jh2. A plain head or piece takes a few lines here in place
of a dozen calls there. The books of jh2 (windows, buffers, states of streams) are kept as if it had been asked, and a
frame that is not what these lines expect goes to jh2. What is private to it is used here and nowhere else.
"""

import struct
from typing import Any, Final

import jh2.config
import jh2.connection
import jh2.events
import jh2.stream
import msgspec
from jh2.hyperframe.frame import Frame, GoAwayFrame

_HEADER_SIZE: Final = 9
_DATA: Final = 0x0
_HEADERS: Final = 0x1
_CONTINUATION: Final = 0x9
_END_STREAM: Final = 0x1
_END_HEADERS: Final = 0x4
_PADDED: Final = 0x8
_HEADER_BLOCK: Final = frozenset({_HEADERS, 0x5, _CONTINUATION})  # the other is PUSH_PROMISE
_HEADER: Final = struct.Struct(">IBI")  # length and type in one number, flags, stream

_State = jh2.stream.StreamState
_Input = jh2.stream.StreamInputs
_ConnectionInput = jh2.connection.ConnectionInputs
_OPEN = jh2.connection.ConnectionState.CLIENT_OPEN
_CLIENTS = jh2.connection.AllowedStreamIDs.ODD
_SENDING: Final = frozenset({_State.OPEN, _State.HALF_CLOSED_REMOTE})
_RECEIVING: Final = frozenset({_State.OPEN, _State.HALF_CLOSED_LOCAL})

JOINED_MAX: Final = 4096
"""Bytes. Small pieces of one body that come in one go are one piece."""

_STREAMS_KEPT: Final = 32
"""So many streams may be over before they are looked for."""

HeadField = tuple[bytes, bytes, bool]
"""Name, value, and whether it must stay out of the tables that both ends keep."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """An event: the head of a response whose body may follow, with pseudo-headers."""

    stream_id: int
    headers: list[tuple[bytes, bytes]]


class Piece(msgspec.Struct, frozen=True, gc=False):
    """An event: data of a stream, never empty, all of which counts for the windows."""

    stream_id: int
    data: bytes


class End(msgspec.Struct, frozen=True, gc=False):
    """An event: the body that came in pieces is complete."""

    stream_id: int


class Http2Session(jh2.connection.H2Connection):  # type: ignore[misc] # untyped library
    """A connection's protocol, without IO. Events are those of jh2, `Head`, `Piece` and `End`."""

    def __init__(self, config: jh2.config.H2Configuration) -> None:
        super().__init__(config)
        self._rest = b""
        self._in_header_block = False
        self._streams_kept = _STREAMS_KEPT

    def receive_data(self, data: bytes) -> list[Any]:
        """What the bytes mean, in order. Raises: as jh2."""
        if self._rest:
            data = self._rest + data
        events: list[Any] = []
        at = unread = 0
        size = len(data)
        while size - at >= _HEADER_SIZE:
            length_and_type, flags, number = _HEADER.unpack_from(data, at)
            end = at + _HEADER_SIZE + (length_and_type >> 8)
            if end - at - _HEADER_SIZE > self.max_inbound_frame_size:
                at = size  # for jh2 to refuse, as soon as the header is there
                break
            if end > size:
                break
            kind = length_and_type & 0xFF
            if kind == _DATA and not flags & _PADDED:
                if unread < at:
                    events += super().receive_data(data[unread:at])
                    unread = at
                if self._take(number, end - at - _HEADER_SIZE):
                    unread = end
                    if at + _HEADER_SIZE < end:
                        _append(events, number, data[at + _HEADER_SIZE : end])
                    if flags & _END_STREAM:
                        events.append(_end_received(self.streams[number].state_machine))
            elif kind == _HEADERS and flags == _END_HEADERS:
                if unread < at:
                    events += super().receive_data(data[unread:at])
                    unread = at
                head = self._take_head(number, data[at + _HEADER_SIZE : end])
                if head is not None:
                    unread = end
                    events += head
            elif kind in _HEADER_BLOCK:
                self._in_header_block = not flags & _END_HEADERS
            at = end
        if unread < at:
            events += super().receive_data(data[unread:at])
        self._rest = data[at:]
        return events

    def _take(self, number: int, length: int) -> bool:
        """Books a frame of data as received. False: it is not for the short way."""
        stream = self.streams.get(number)
        if stream is None or self._in_header_block:
            return False
        machine = stream.state_machine
        if machine.state not in _RECEIVING or not machine.headers_received:
            return False
        if stream._expected_content_length is not None:
            return False  # jh2 counts along
        whole, own = self._inbound_flow_control_window_manager, stream._inbound_window_manager
        if length > whole.current_window_size or length > own.current_window_size:
            return False
        whole.current_window_size -= length
        own.current_window_size -= length
        return True

    def _take_head(self, number: int, block: bytes) -> list[Any] | None:
        """The events of the head of a response. None: it is not for the short way."""
        stream = self.streams.get(number)
        if stream is None or self._in_header_block:
            return None
        machine = stream.state_machine
        if machine.state not in _RECEIVING or machine.headers_received:
            return None
        try:
            fields = jh2.connection._decode_headers(self.decoder, block)
            if self.state_machine.state is not _OPEN:
                self.state_machine.process_input(_ConnectionInput.RECV_HEADERS)
            usual = bool(fields)
            for name, value in fields:
                if name == b"content-length" or (name == b":status" and value.startswith(b"1")):
                    usual = False
            if not usual:
                events: list[Any] = stream.receive_headers(fields, False, self.config.header_encoding)[1]
                return events
        except jh2.exceptions.ProtocolError as error:
            self._terminate_connection(error.error_code)
            raise
        machine.headers_received = True
        return [Head(number, fields)]

    @property
    def wants_to_write(self) -> bool:
        """Whether `data_to_send` has something."""
        return bool(self._data_to_send)

    def send_head(self, number: int, head: list[HeadField], *, end: bool) -> None:
        """Opens a stream, which the peer must have allowed. head: the pseudo-headers first, and of them `:method`."""
        if len(self.streams) >= self._streams_kept:
            # To count those that are open forgets those that are over. jh2 would do it for each new one.
            self._streams_kept = 2 * self.open_outbound_streams + _STREAMS_KEPT
        if self.state_machine.state is not _OPEN:
            self.state_machine.process_input(_ConnectionInput.SEND_HEADERS)
        stream = self._begin_new_stream(number, _CLIENTS)
        stream.state_machine.process_input(_Input.SEND_HEADERS)
        if end:
            stream.state_machine.process_input(_Input.SEND_END_STREAM)
        stream.request_method = head[0][1]
        block = self.encoder.encode(head)
        kind, flags = _HEADERS, _END_STREAM if end else 0
        while len(block) > self.max_outbound_frame_size:
            part, block = block[: self.max_outbound_frame_size], block[self.max_outbound_frame_size :]
            self._data_to_send += _HEADER.pack(len(part) << 8 | kind, flags, number) + part
            kind, flags = _CONTINUATION, 0
        self._data_to_send += _HEADER.pack(len(block) << 8 | kind, flags | _END_HEADERS, number) + block

    def window(self, number: int) -> int:
        """Bytes of body that the stream may send now; may be negative. Raises: KeyError."""
        size: int = min(self.outbound_flow_control_window, self.streams[number].outbound_flow_control_window)
        return size

    def send_piece(self, number: int, piece: bytes) -> None:
        """Sends data that does not end the stream. piece: within the windows and the frame size. Raises: as jh2."""
        stream = self.streams[number]
        if stream.state_machine.state not in _SENDING:
            self.send_data(number, piece)
            return
        size = len(piece)
        stream.outbound_flow_control_window -= size
        self.outbound_flow_control_window -= size
        assert stream.outbound_flow_control_window >= 0
        assert self.outbound_flow_control_window >= 0
        self._data_to_send += _HEADER.pack(size << 8, 0, number) + piece

    def end_stream(self, stream_id: int) -> None:
        """Ends the stream from our side. Raises: as jh2."""
        machine = self.streams[stream_id].state_machine
        if machine.state not in _SENDING:
            super().end_stream(stream_id)
            return
        if machine.state is _State.OPEN:
            machine.state = _State.HALF_CLOSED_LOCAL
        else:
            machine.state = _State.CLOSED
            machine.stream_closed_by = jh2.stream.StreamClosedBy.SEND_END_STREAM
        self._data_to_send += _HEADER.pack(_DATA, _END_STREAM, stream_id)

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[jh2.events.Event]]:
        # jh2 would treat it as the end of the connection; streams up to its last id may still finish.
        event = jh2.events.ConnectionTerminated()
        event.error_code = frame.error_code
        event.last_stream_id = frame.last_stream_id
        return [], [event]


def _end_received(machine: jh2.stream.H2StreamStateMachine) -> End:
    if machine.state is _State.OPEN:
        machine.state = _State.HALF_CLOSED_REMOTE
    else:
        machine.state = _State.CLOSED
        machine.stream_closed_by = jh2.stream.StreamClosedBy.RECV_END_STREAM
    return End(machine.stream_id)


def _append(events: list[Any], number: int, data: bytes) -> None:
    last = events[-1] if events else None
    if type(last) is Piece and last.stream_id == number and len(last.data) + len(data) <= JOINED_MAX:
        events[-1] = Piece(number, last.data + data)
    else:
        events.append(Piece(number, data))
