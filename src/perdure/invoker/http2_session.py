"""jh2 with a short way for DATA frames, which are most of what an attempt sends and receives.

Heads, settings, windows and whatever is unusual go through jh2. A plain piece of a body takes a few lines here in place
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
_DATA: Final = 0
_END_STREAM: Final = 0x1
_END_HEADERS: Final = 0x4
_PADDED: Final = 0x8
_HEADER_BLOCK: Final = frozenset({0x1, 0x5, 0x9})  # HEADERS, PUSH_PROMISE, CONTINUATION
_HEADER: Final = struct.Struct(">IBI")  # length and type in one number, flags, stream

_State = jh2.stream.StreamState
_Input = jh2.stream.StreamInputs
_SENDING: Final = frozenset({_State.OPEN, _State.HALF_CLOSED_REMOTE})
_RECEIVING: Final = frozenset({_State.OPEN, _State.HALF_CLOSED_LOCAL})


class Piece(msgspec.Struct, frozen=True, gc=False):
    """An event: data of a stream, never empty, all of which counts for the windows."""

    stream_id: int
    data: bytes


class Http2Session(jh2.connection.H2Connection):  # type: ignore[misc] # untyped library
    """A connection's protocol, without IO. Events are those of jh2, and `Piece`."""

    def __init__(self, config: jh2.config.H2Configuration) -> None:
        super().__init__(config)
        self._rest = b""
        self._in_header_block = False

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
                        events.append(Piece(number, data[at + _HEADER_SIZE : end]))
                    if flags & _END_STREAM:
                        events += self.streams[number].state_machine.process_input(_Input.RECV_END_STREAM)
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
        machine.process_input(_Input.SEND_END_STREAM)
        self._data_to_send += _HEADER.pack(_DATA, _END_STREAM, stream_id)

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[jh2.events.Event]]:
        # jh2 would treat it as the end of the connection; streams up to its last id may still finish.
        event = jh2.events.ConnectionTerminated()
        event.error_code = frame.error_code
        event.last_stream_id = frame.last_stream_id
        return [], [event]
