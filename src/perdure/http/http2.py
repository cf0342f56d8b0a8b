"""HTTP/2 connections with prior knowledge: jh2 does framing and state, this moves bytes between it and exchanges."""

import asyncio
import contextlib
from typing import Any, Final, cast

import jh2.config
import jh2.connection
import jh2.errors
import jh2.events
import jh2.exceptions
import jh2.settings

from perdure.http.connection import SendWatch, Serving
from perdure.http.exchange import READ_AHEAD, Exchange, Headers

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_STREAM_WINDOW: Final = 1024 * 1024
_CONNECTION_WINDOW: Final = 16 * 1024 * 1024
_CONNECTION_HEADERS: Final = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"upgrade"})
_CONFIG: Final = jh2.config.H2Configuration(
    client_side=False, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
)


class Http2Exchange(Exchange):
    __slots__ = ("_connection", "_no_body", "closed", "ending", "outgoing", "stream", "unacknowledged")

    def __init__(
        self, connection: "Http2Connection", stream: int, method: str, target: tuple[bytes, bytes], headers: Headers
    ) -> None:
        super().__init__(connection.serving, "2", method, target, headers)
        self._connection = connection
        self._no_body = method == "HEAD"
        self.stream = stream
        self.outgoing = bytearray()
        """Response bytes that the client's window has no room for yet."""
        self.ending = False
        """The response ends behind `outgoing`."""
        self.closed = False
        self.unacknowledged = 0

    @property
    def addresses(self) -> tuple[Any, Any]:
        return self._connection.addresses

    def body_wanted(self) -> None:
        if self.unacknowledged:
            self._acknowledge()

    def body_taken(self, size: int) -> None:
        # Small bodies end before their window matters, so most of them need no update frame.
        if not self.body_done and self.unacknowledged > _STREAM_WINDOW // 2:
            self._acknowledge()

    def _acknowledge(self) -> None:
        size, self.unacknowledged = self.unacknowledged, 0
        self._connection.acknowledge(size, self.stream)

    def start_response(self, status: int, headers: Headers, body: bytes, more: bool) -> None:
        out: Headers = [(b":status", b"%d" % status)]
        out += [(name.lower(), value) for name, value in headers if name not in _CONNECTION_HEADERS]
        out.append((b"date", self._connection.serving.date))
        if self._no_body or status in (204, 304):
            self._no_body = True
            body = b""
        self._connection.send_head(self, out, ends=not more and not body)
        if body:
            self.write_body(body, more)

    def write_body(self, body: bytes, more: bool) -> None:
        if self.closed:
            return
        if not self._no_body:
            self.outgoing += body
        self.ending = not more
        self._connection.pump(self)
        if len(self.outgoing) > READ_AHEAD:
            self.hold_writing()

    def abort(self) -> None:
        self._connection.reset(self, jh2.errors.ErrorCodes.INTERNAL_ERROR)

    def finished(self) -> None:
        self._connection.exchange_finished(self)


class Http2Connection(asyncio.Protocol):
    """Answers many requests at once on one connection."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.last_active = serving.loop.time()
        self._transport: asyncio.Transport | None = None
        self.addresses: tuple[Any, Any] = (None, None)
        """Of the client and of the server."""
        self._exchanges: dict[int, Http2Exchange] = {}
        self._new: list[Http2Exchange] = []
        """Started when all that came with their heads is taken in: most are complete by then."""
        self._writing_paused = False
        self._send_watch = SendWatch(self.last_active)
        self._stopping = False
        self._flush_scheduled = False
        self._h2 = jh2.connection.H2Connection(_CONFIG)

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop are no subclasses.
        self._transport = cast("asyncio.Transport", transport)
        self.addresses = (transport.get_extra_info("peername"), transport.get_extra_info("sockname"))
        limits = self.serving.limits
        codes = jh2.settings.SettingCodes
        self._h2.local_settings = jh2.settings.Settings(
            client=False,
            initial_values={
                codes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                codes.MAX_CONCURRENT_STREAMS: limits.streams,
                codes.MAX_HEADER_LIST_SIZE: limits.head_size,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW - 65_535)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self.last_active = self.serving.loop.time()
        try:
            events = self._h2.receive_data(data)
        except (jh2.exceptions.ProtocolError, jh2.exceptions.H2Error):
            self._flush()
            self.close()
            return
        for event in events:
            self._handle(event)
        for exchange in self._new:
            if not exchange.closed:
                exchange.start()
        self._new.clear()
        self._flush()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.serving.connections.discard(self)
        for exchange in tuple(self._exchanges.values()):
            exchange.client_gone()
        self._exchanges.clear()

    def pause_writing(self) -> None:
        # Who does not read its answers gets to ask nothing more.
        self._writing_paused = True
        if self._transport is not None:
            self._transport.pause_reading()
        for exchange in self._exchanges.values():
            exchange.hold_writing()

    def resume_writing(self) -> None:
        self._writing_paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        for exchange in tuple(self._exchanges.values()):
            self._pump_on(exchange)

    # Events of jh2

    def _handle(self, event: jh2.events.Event) -> None:
        match event:
            case jh2.events.RequestReceived():
                self._request(event)
            case jh2.events.DataReceived():
                self._data(event)
            case jh2.events.StreamEnded():
                if (exchange := self._exchanges.get(event.stream_id)) is not None:
                    exchange.end_body()
            case jh2.events.StreamReset():
                if (exchange := self._exchanges.pop(event.stream_id, None)) is not None:
                    exchange.closed = True
                    exchange.client_gone()
            case jh2.events.WindowUpdated(stream_id=stream) if stream:
                if (exchange := self._exchanges.get(stream)) is not None:
                    self._pump_on(exchange)
            case jh2.events.WindowUpdated() | jh2.events.RemoteSettingsChanged():
                for exchange in tuple(self._exchanges.values()):
                    self._pump_on(exchange)
            case jh2.events.ConnectionTerminated():
                if not self._exchanges:
                    self.close()

    def _request(self, event: jh2.events.RequestReceived) -> None:
        stream = event.stream_id
        if len(event.headers) > self.serving.limits.headers or self._stopping:
            code = jh2.errors.ErrorCodes.REFUSED_STREAM if self._stopping else jh2.errors.ErrorCodes.ENHANCE_YOUR_CALM
            self._h2.reset_stream(stream, code)
            return
        method, target, authority = b"", b"/", None
        headers: Headers = []
        for name, value in event.headers:
            if name == b":method":
                method = value
            elif name == b":path":
                target = value
            elif name == b":authority":
                authority = value
            elif not name.startswith(b":"):
                headers.append((bytes(name), bytes(value)))
        if authority is not None and not any(name == b"host" for name, _ in headers):
            headers.insert(0, (b"host", authority))
        raw_path, _, query = target.partition(b"?")
        exchange = Http2Exchange(self, stream, method.decode("latin-1"), (raw_path, query), headers)
        self._exchanges[stream] = exchange
        self._new.append(exchange)

    def _data(self, event: jh2.events.DataReceived) -> None:
        size = event.flow_controlled_length
        exchange = self._exchanges.get(event.stream_id)
        if exchange is None or exchange.response_done:
            self.acknowledge(size, event.stream_id)
            return
        exchange.unacknowledged += size
        if event.data:
            exchange.feed(event.data)

    # The exchanges

    def acknowledge(self, size: int, stream: int) -> None:
        """Gives the client back `size` bytes of credit."""
        if size and self._transport is not None:
            try:
                self._h2.acknowledge_received_data(size, stream)
            except jh2.exceptions.StreamClosedError:
                pass  # the connection's share was given back all the same
            self._schedule_flush()

    def send_head(self, exchange: Http2Exchange, headers: Headers, ends: bool) -> None:
        if exchange.closed or self._transport is None:
            return
        self._h2.send_headers(exchange.stream, headers, end_stream=ends)
        if ends:
            self._response_ended(exchange)
        self._schedule_flush()

    def pump(self, exchange: Http2Exchange) -> None:
        """Sends what the windows have room for."""
        if exchange.closed or self._transport is None or self._writing_paused:
            return
        outgoing = exchange.outgoing
        connection = self._h2
        stream = exchange.stream
        while outgoing:
            room = min(connection.local_flow_control_window(stream), connection.max_outbound_frame_size)
            if room <= 0:
                self._schedule_flush()
                return
            ends = exchange.ending and len(outgoing) <= room
            connection.send_data(stream, bytes(outgoing[:room]), end_stream=ends)
            del outgoing[:room]
            if ends:
                self._response_ended(exchange)
        if exchange.ending and not exchange.closed:
            connection.end_stream(stream)
            self._response_ended(exchange)
        self._schedule_flush()

    def _pump_on(self, exchange: Http2Exchange) -> None:
        if exchange.outgoing:
            self.pump(exchange)
        if len(exchange.outgoing) <= READ_AHEAD and not self._writing_paused:
            exchange.resume_writing()

    def reset(self, exchange: Http2Exchange, code: jh2.errors.ErrorCodes) -> None:
        if not exchange.closed and self._transport is not None:
            exchange.closed = True
            try:
                self._h2.reset_stream(exchange.stream, code)
            except jh2.exceptions.StreamClosedError:
                pass  # the client was faster
            self._schedule_flush()

    def exchange_finished(self, exchange: Http2Exchange) -> None:
        self.last_active = self.serving.loop.time()
        if exchange.closed:
            self._forget(exchange)

    def _response_ended(self, exchange: Http2Exchange) -> None:
        if exchange.unacknowledged:
            size, exchange.unacknowledged = exchange.unacknowledged, 0
            self.acknowledge(size, exchange.stream)
        if not exchange.body_done:
            # The rest is swallowed for a while, because many clients lose an answer that a reset follows.
            self.serving.loop.call_later(self.serving.limits.linger_seconds, self._reset_unread, exchange.stream)
        exchange.closed = True
        if exchange.response_done:
            # The app was done before its bytes were.
            self._forget(exchange)

    def _reset_unread(self, stream: int) -> None:
        """Ends a request body that nobody reads and that has not ended by itself."""
        if self._transport is not None:
            with contextlib.suppress(jh2.exceptions.NoSuchStreamError):  # StreamClosedError is one, too
                self._h2.reset_stream(stream, jh2.errors.ErrorCodes.NO_ERROR)
                self._schedule_flush()

    def _forget(self, exchange: Http2Exchange) -> None:
        self._exchanges.pop(exchange.stream, None)
        if self._stopping and not self._exchanges and self._transport is not None:
            self._say_goodbye()

    def _schedule_flush(self) -> None:
        # Responses that end in the same turn of the loop share one write.
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self.serving.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._transport is not None and (data := self._h2.data_to_send()):
            self._transport.write(data)

    def close_if_idle(self, now: float, silent_since: float) -> None:
        transport = self._transport
        if transport is None:
            return
        unsent = transport.get_write_buffer_size()
        answering = any(e.body_done and not e.response_done for e in self._exchanges.values())
        if self._send_watch.is_stuck(unsent, now, silent_since):
            transport.abort()
        elif not answering and not unsent and self.last_active <= silent_since:
            transport.close()

    def stop(self) -> None:
        """Takes no more requests; closes after what is being answered."""
        if self._transport is None or self._stopping:
            return
        self._stopping = True
        if not self._exchanges:
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        # Not before the last answer: clients built on h2 take nothing in after they were told that it ends.
        self._h2.close_connection()
        self._flush()
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
