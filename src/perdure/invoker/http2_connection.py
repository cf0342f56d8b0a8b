"""One HTTP/2 connection to an endpoint: a shell round jh2, without a task per stream.

What the streams want to send is collected and goes through jh2 once per iteration of the loop, because calls into jh2
are what costs: a head, its first data and the end of the body become two frames and one write.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Protocol, cast

import jh2.config
import jh2.errors
import jh2.events
import jh2.exceptions
import jh2.settings

from perdure.invoker.http2_session import End, Head, Http2Session, Piece
from perdure.invoker.http2_stream import Http2Settings, Http2Stream, request_head
from perdure.invoker.response_delivery import header_dict
from perdure.invoker.target import Target
from perdure.invoker.transport import Http1Answer, TransportError

_FIRST_CONNECTION_WINDOW = 65_535  # fixed by RFC 9113, section 6.9.2
_FLUSH_BYTES_MAX = 64 * 1024  # of one stream in one iteration, so that a large body does not hold up the others


class Pool(Protocol):
    """What a connection tells the pool that owns it."""

    def slot_freed(self, connection: "Http2Connection") -> None:
        """A stream ended, or the connection can take more than before."""

    def connection_ended(self, connection: "Http2Connection", unsent: "list[Http2Stream]") -> None:
        """The connection takes no further streams. unsent: assigned to it, but nothing of them was sent."""


class Http2Connection(asyncio.Protocol):
    """One connection; see `Http2Transport` for how streams get here.

    ready: done when the peer's settings are known and streams can start; failed with TransportError if they never came.
    closed: set when the socket is gone.
    """

    def __init__(self, target: Target, settings: Http2Settings, pool: Pool, *, ping_interval: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._target = target
        self._settings = settings
        self._pool = pool
        self._ping_interval = ping_interval
        self._socket: asyncio.Transport | None = None
        self._h2 = _new_h2(settings)
        self._streams: dict[int, Http2Stream] = {}
        self._next_number = 1
        self._closing: asyncio.Transport | None = None
        self._unsent: dict[Http2Stream, None] = {}  # insertion-ordered set, as the two below
        self._draining = False
        self._first_bytes: bytes | None = b""
        self._slots = 0
        self._senders: dict[Http2Stream, None] = {}  # have something to send
        self._blocked: dict[Http2Stream, None] = {}  # wait for window
        self._writing_paused = False
        self._flush_scheduled = False
        self._to_acknowledge = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ping_pending = False
        self._idle_since = self._loop.time()
        self.closed = asyncio.Event()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())

    # For the pool and the streams.

    @property
    def free_slots(self) -> int:
        """How many further streams the connection takes now."""
        if self._draining or not self.ready.done():
            return 0
        return min(self._slots - self._active, self._settings.requests_max - self._requests)

    @property
    def slots(self) -> int:
        """How many streams the connection takes at once: the lower of our limit and the peer's."""
        return self._slots

    @property
    def _requests(self) -> int:
        """How many the connection has taken in its life. Far below the number that HTTP/2 has stream ids for."""
        return self._next_number // 2 + len(self._unsent)

    @property
    def _active(self) -> int:
        return len(self._streams) + len(self._unsent)

    def start(self, stream: Http2Stream) -> None:
        """Takes a stream on; `free_slots` must be above zero."""
        self._unsent[stream] = None
        stream.connection = self
        self.wants_to_send(stream)

    def wants_to_send(self, stream: Http2Stream) -> None:
        """The stream has a head, data or an end to send."""
        if stream not in self._blocked:
            self._senders[stream] = None
            self._schedule_flush()

    def consumed(self, stream: Http2Stream, size: int) -> None:
        """`size` bytes of response were digested. Credit goes back in portions of a quarter of the window."""
        if stream.to_acknowledge >= self._settings.stream_window // 4:
            self._give_credit(stream.to_acknowledge, stream.number)
            stream.to_acknowledge = 0
        self._acknowledge(size)

    def release(self, stream: Http2Stream, *, completed: bool) -> None:
        """The exchange is over; its slot is free again. Abandons it at the peer unless the response was complete."""
        stream.connection = None
        self._senders.pop(stream, None)
        self._blocked.pop(stream, None)
        self._unsent.pop(stream, None)
        self._streams.pop(stream.number, None)
        if self._socket is None:
            return
        if stream.number:
            self._end_at_peer(stream, completed=completed)
            self._acknowledge(stream.unconsumed)
        if not self._active:
            self._idle_since = self._loop.time()
            if self._draining:
                self._close_soon()
        self._pool.slot_freed(self)

    def abort(self, error: TransportError) -> None:
        """Closes at once; open exchanges fail."""
        if self._socket is not None:
            self._socket.abort()
        else:
            self.closed.set()
        self._lost(error)

    def abort_socket(self) -> None:
        """For a connection that was closed but whose peer does not let it end."""
        if self._closing is not None:
            self._closing.abort()

    def close(self, error: TransportError) -> None:
        """Says goodbye and closes; open exchanges fail."""
        if self._socket is not None:
            self._h2.close_connection()
            self._write()
            self._socket.close()
            self._closing = self._socket
        else:
            self.closed.set()
        self._lost(error)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            self.abort(Http1Answer(f"{self._target} speaks HTTP/1.1 only: TLS did not agree on HTTP/2"))
            return
        self._h2.initiate_connection()
        extra = self._settings.connection_window - _FIRST_CONNECTION_WINDOW
        if extra > 0:
            self._h2.increment_flow_control_window(extra)
        self._write()
        self._timer = self._loop.call_later(self._ping_interval, self._tick)

    def data_received(self, data: bytes) -> None:
        if self._first_bytes is not None:
            data = self._first_bytes + data
            if len(data) < 9 and b"HTTP/1.".startswith(data[:7]):
                self._first_bytes = data
                return
            self._first_bytes = None
            if data.startswith(b"HTTP/1."):
                self.abort(Http1Answer(f"{self._target} speaks HTTP/1.1 only: it does not understand HTTP/2"))
                return
        try:
            events = self._h2.receive_data(data)
        except Exception as error:
            # Not only ProtocolError: with hostile bytes the libraries below it raise errors of their own.
            self._write()
            self.abort(TransportError(f"{self._target} broke HTTP/2: {str(error) or type(error).__name__}"))
            return
        for event in events:
            react = _REACTIONS.get(type(event))
            if react is not None:
                react(self, event)
        if self._h2.wants_to_write:
            self._schedule_flush()

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        self._unblock_all()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()
        reason = f": {exc}" if exc is not None else ""
        self._lost(TransportError(f"{self._target} closed the connection{reason}"))

    # What the peer sent.

    def _on_settings(self, _event: jh2.events.RemoteSettingsChanged) -> None:
        self._slots = min(self._settings.streams_max, self._h2.remote_settings.max_concurrent_streams)
        if not self.ready.done():
            self.ready.set_result(None)
        self._unblock_all()
        self._pool.slot_freed(self)

    def _on_head(self, event: Head | jh2.events.ResponseReceived) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is None:
            return
        status = b""
        headers = []
        for name, value in event.headers:
            if name == b":status":
                status = value
            elif not name.startswith(b":"):
                headers.append((name, value))
        if not status.isdigit() or len(status) != 3:
            stream.deliver_failure(TransportError(f"{self._target} broke HTTP/2: a response without a status"))
            return
        stream.deliver_head(int(status), header_dict(headers))

    def _on_piece(self, piece: Piece) -> None:
        stream = self._streams.get(piece.stream_id)
        if stream is None:
            self._acknowledge(len(piece.data))
            return
        stream.unconsumed += len(piece.data)
        stream.deliver_data(piece.data)

    def _on_data(self, event: jh2.events.DataReceived) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is None:
            self._acknowledge(event.flow_controlled_length)
            return
        data = bytes(event.data)
        padding = event.flow_controlled_length - len(data)
        stream.unconsumed += event.flow_controlled_length
        if padding:
            stream.consumed(padding)
        if data:
            stream.deliver_data(data)

    def _on_end(self, event: End | jh2.events.StreamEnded) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            stream.deliver_end()

    def _on_reset(self, event: jh2.events.StreamReset) -> None:
        stream = self._streams.get(event.stream_id)
        if stream is not None:
            code = _error_name(event.error_code)
            stream.deliver_failure(TransportError(f"{self._target} reset the stream with {code}"))

    def _on_window(self, event: jh2.events.WindowUpdated) -> None:
        if event.stream_id == 0:
            self._unblock_all()
            return
        stream = self._streams.get(event.stream_id)
        if stream is not None and stream in self._blocked:
            del self._blocked[stream]
            self.wants_to_send(stream)

    def _on_goaway(self, event: jh2.events.ConnectionTerminated) -> None:
        last = event.last_stream_id or 0
        self._stop_taking()
        error = TransportError(f"{self._target} closes the connection with {_error_name(event.error_code)}")
        for number, stream in list(self._streams.items()):
            if number > last:
                stream.deliver_failure(error)
        if not self._active:
            self._close_soon()

    def _on_ping_answer(self, _event: jh2.events.PingAckReceived) -> None:
        self._ping_pending = False

    # Sending.

    def _schedule_flush(self) -> None:
        if not self._flush_scheduled and self._socket is not None:
            self._flush_scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._socket is None:
            return
        senders, self._senders = self._senders, {}
        for stream in senders:
            # An earlier stream's failure may have released a later one in the meantime.
            if stream.connection is self:
                try:
                    self._send_from(stream)
                except (jh2.exceptions.ProtocolError, KeyError) as error:
                    # jh2 has already seen the stream's end or reset, whose event may come right after this.
                    stream.deliver_failure(TransportError(f"{self._target} ended the stream: {error}"))
        self._write()
        if self._requests >= self._settings.requests_max and not self._unsent:
            self._stop_taking()
            if not self._active:
                self._close_soon()

    def _send_from(self, stream: Http2Stream) -> None:
        queue = stream.queue
        if not stream.number:
            self._send_head(stream)
        budget = _FLUSH_BYTES_MAX
        while queue.size:
            window = self._h2.window(stream.number)
            if window <= 0 or self._writing_paused:
                self._blocked[stream] = None
                return
            if budget <= 0:
                self.wants_to_send(stream)
                return
            piece = queue.take(min(window, self._h2.max_outbound_frame_size, budget))
            budget -= len(piece)
            stream.end_sent = stream.sent_all and not queue.size
            if stream.end_sent:
                self._h2.send_data(stream.number, piece, end_stream=True)
            else:
                self._h2.send_piece(stream.number, piece)
        if stream.sent_all and not stream.end_sent:
            stream.end_sent = True
            self._h2.end_stream(stream.number)

    def _send_head(self, stream: Http2Stream) -> None:
        if len(self._streams) >= self._slots:
            raise jh2.exceptions.TooManyStreamsError(f"it allows no more than {self._slots} at once")
        number = self._next_number
        self._next_number += 2
        stream.end_sent = stream.sent_all and not stream.queue.size
        self._h2.send_head(number, request_head(self._target, stream.request), end=stream.end_sent)
        stream.number = number
        del self._unsent[stream]
        self._streams[number] = stream

    def _end_at_peer(self, stream: Http2Stream, *, completed: bool) -> None:
        try:
            if not completed or (stream.queue.size and not stream.end_sent):
                self._h2.reset_stream(stream.number, jh2.errors.ErrorCodes.CANCEL)
            elif not stream.end_sent:
                self._h2.end_stream(stream.number)
        except (jh2.exceptions.ProtocolError, KeyError):
            return  # the peer was faster: nothing is left to end
        self._schedule_flush()

    def _unblock_all(self) -> None:
        if self._blocked and not self._writing_paused:
            self._senders.update(self._blocked)
            self._blocked.clear()
            self._schedule_flush()

    def _acknowledge(self, size: int) -> None:
        self._to_acknowledge += size
        if self._to_acknowledge >= self._settings.connection_window // 4:
            self._give_credit(self._to_acknowledge, None)
            self._to_acknowledge = 0

    def _give_credit(self, size: int, number: int | None) -> None:
        if self._socket is None:
            return
        try:
            self._h2.increment_flow_control_window(size, number)
        except (jh2.exceptions.ProtocolError, KeyError):
            return  # the stream has ended in jh2 already
        self._schedule_flush()

    def _write(self) -> None:
        data = self._h2.data_to_send()
        if data and self._socket is not None:
            self._socket.write(data)

    # The connection's own life.

    def _tick(self) -> None:
        if self._ping_pending:
            self.abort(TransportError(f"{self._target} did not answer a PING in {self._settings.ping_timeout:g} s"))
            return
        if not self._active and self._loop.time() - self._idle_since >= self._settings.idle_timeout:
            self.close(TransportError("idle"))
            return
        self._ping_pending = True
        self._h2.ping(b"perdure.")
        self._write()
        self._timer = self._loop.call_later(self._settings.ping_timeout, self._tick_answered)

    def _tick_answered(self) -> None:
        if self._ping_pending:
            self._tick()
            return
        self._timer = self._loop.call_later(max(0.0, self._ping_interval - self._settings.ping_timeout), self._tick)

    def _stop_taking(self) -> None:
        """No new streams; those of which nothing was sent go back to the pool."""
        if self._draining:
            return
        self._draining = True
        unsent, self._unsent = self._unsent, {}
        for stream in unsent:
            self._senders.pop(stream, None)
            stream.connection = None
        self._pool.connection_ended(self, list(unsent))

    def _close_soon(self) -> None:
        # Not at once: the caller may be in the middle of handling what the peer sent.
        self._loop.call_soon(self.close, TransportError(f"{self._target} closes the connection"))

    def _lost(self, error: TransportError) -> None:
        self._socket = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.ready.done():
            self.ready.set_exception(error)
        self._stop_taking()
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.deliver_failure(error)


_REACTIONS: dict[type[Any], Callable[[Http2Connection, Any], None]] = {
    Head: Http2Connection._on_head,
    Piece: Http2Connection._on_piece,
    End: Http2Connection._on_end,
    jh2.events.RemoteSettingsChanged: Http2Connection._on_settings,
    jh2.events.ResponseReceived: Http2Connection._on_head,
    jh2.events.DataReceived: Http2Connection._on_data,
    jh2.events.StreamEnded: Http2Connection._on_end,
    jh2.events.StreamReset: Http2Connection._on_reset,
    jh2.events.WindowUpdated: Http2Connection._on_window,
    jh2.events.ConnectionTerminated: Http2Connection._on_goaway,
    jh2.events.PingAckReceived: Http2Connection._on_ping_answer,
}


def _new_h2(settings: Http2Settings) -> Http2Session:
    # Validation is off in both directions for speed: our own heads are built below, and of the peer's only the status
    # and plain name-value pairs are used.
    config = jh2.config.H2Configuration(
        client_side=True,
        header_encoding=None,
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
        validate_inbound_headers=False,
        normalize_inbound_headers=False,
    )
    connection = Http2Session(config)
    codes = jh2.settings.SettingCodes
    connection.local_settings = jh2.settings.Settings(
        client=True,
        initial_values={
            codes.ENABLE_PUSH: 0,
            codes.INITIAL_WINDOW_SIZE: settings.stream_window,
            codes.MAX_FRAME_SIZE: settings.frame_size,
            codes.MAX_HEADER_LIST_SIZE: connection.local_settings.max_header_list_size or 64 * 1024,
        },
    )
    return connection


def _error_name(code: int | None) -> str:
    try:
        name: str = jh2.errors.ErrorCodes(code or 0).name
        return name
    except ValueError:
        return f"error code {code}"
