"""One HTTP/1.1 connection to an endpoint: a shell round h11, without a task per exchange."""

import asyncio
from typing import Protocol, cast

import h11
import msgspec

from perdure.invoker.body_queue import BodyQueue
from perdure.invoker.response_delivery import ResponseDelivery, header_dict
from perdure.invoker.target import Target
from perdure.invoker.transport import Request, StreamHandler, TransportError

_PIECE_MAX = 64 * 1024
_HEAD_MAX = 64 * 1024

# Framing and connection are this transport's own business.
_CONNECTION_HEADERS = {"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding", "upgrade"}


class Http1Settings(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds.

    response_window: bytes of response that may wait for `Stream.consumed` before the socket is no longer read.
    """

    idle_connections_max: int = 32
    response_window: int = 2 * 1024 * 1024
    connect_timeout: float = 10.0
    idle_timeout: float = 300.0


class Pool(Protocol):
    """What a connection tells the pool that owns it."""

    def exchange_ended(self, connection: "Http1Connection") -> None:
        """The connection is free for the next exchange."""

    def connection_ended(self, connection: "Http1Connection") -> None:
        """The connection cannot be used again."""


class Http1Stream(ResponseDelivery):
    """One exchange. What is sent before a connection is there waits in the queue."""

    __slots__ = ("connection", "queue", "request", "sent_all", "unconsumed")

    def __init__(self, request: Request, handler: StreamHandler) -> None:
        super().__init__(handler)
        self.request = request
        self.connection: Http1Connection | None = None
        self.queue = BodyQueue()
        self.sent_all = False
        self.unconsumed = 0

    @property
    def over(self) -> bool:
        """Whether the exchange has ended, failed or been reset."""
        return self._handler is None

    @property
    def queued(self) -> int:
        """Bytes of request body that wait for the socket."""
        return self.queue.size

    def send(self, data: bytes) -> None:
        if self._handler is None or self.sent_all or not data:
            return
        self.queue.push(data)
        if self.connection is not None:
            self.connection.schedule_flush()

    def half_close(self) -> None:
        if self._handler is None or self.sent_all:
            return
        self.sent_all = True
        if self.connection is not None:
            self.connection.schedule_flush()

    def consumed(self, size: int) -> None:
        self.unconsumed -= size
        if self.connection is not None:
            self.connection.consumed()

    def _release(self, *, completed: bool) -> None:
        self.queue.clear()
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.release(completed=completed)


class Http1Connection(asyncio.Protocol):
    """One connection. closed: set when the socket is gone."""

    def __init__(self, target: Target, settings: Http1Settings, pool: Pool) -> None:
        self._loop = asyncio.get_running_loop()
        self._target = target
        self._settings = settings
        self._pool = pool
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_MAX)
        self._socket: asyncio.Transport | None = None
        self._closing: asyncio.Transport | None = None
        self._stream: Http1Stream | None = None
        self._peer_finished = False
        self._flush_scheduled = False
        self._writing_paused = False
        self._reading_paused = False
        self._idle_timer: asyncio.TimerHandle | None = None
        self.closed = asyncio.Event()

    # For the pool and the stream.

    def start(self, stream: Http1Stream) -> None:
        """Takes an exchange on; the connection must be idle."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        self._stream = stream
        stream.connection = self
        self.schedule_flush()

    def schedule_flush(self) -> None:
        """Sends what there is in a later iteration of the loop, together with what is added until then."""
        if not self._flush_scheduled and self._socket is not None:
            self._flush_scheduled = True
            self._loop.call_soon(self._flush)

    def consumed(self) -> None:
        """Some of the response was digested."""
        if not self._reading_paused or self._stream is None or self._socket is None:
            return
        if self._stream.unconsumed <= self._settings.response_window // 2:
            self._reading_paused = False
            self._socket.resume_reading()

    def release(self, *, completed: bool) -> None:
        """The exchange is over. The connection serves another one if both directions came to their end."""
        self._stream = None
        if self._socket is None:
            return
        if self._reading_paused:
            self._reading_paused = False
            self._socket.resume_reading()
        if not completed:
            self.abort_socket()
            self._ended()
            return
        try:
            self._h11.start_next_cycle()
            # Bytes beyond the response would be taken for the answer to the next request.
            reusable = not self._peer_finished and not self._h11.trailing_data[0]
        except h11.ProtocolError:
            reusable = False  # the request was not complete, or one side asked to close
        if not reusable:
            self.close(TransportError("the exchange is over"))
            return
        self._idle_timer = self._loop.call_later(
            self._settings.idle_timeout, self.close, TransportError("the connection was idle")
        )
        self._pool.exchange_ended(self)

    def close(self, error: TransportError) -> None:
        """Closes the connection; an open exchange fails."""
        if self._socket is not None:
            self._closing = self._socket
            self._socket.close()
        self._ended()
        if self._stream is not None:
            self._stream.deliver_failure(error)

    def abort_socket(self) -> None:
        """Drops the socket without a goodbye; also if the connection was closed and the peer does not let it end."""
        socket = self._socket or self._closing
        if socket is not None:
            socket.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._socket is None:
            return
        if self._stream is None:
            self.close(TransportError("the peer spoke without being asked"))
            return
        self._h11.receive_data(data)
        self._read_events()

    def eof_received(self) -> None:
        self._peer_finished = True
        if self._stream is not None:
            self._h11.receive_data(b"")
            self._read_events()

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        self.schedule_flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()
        reason = f": {exc}" if exc is not None else ""
        self.close(TransportError(f"{self._target} closed the connection before its response was complete{reason}"))

    # Receiving.

    def _read_events(self) -> None:
        while (stream := self._stream) is not None:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                stream.deliver_failure(TransportError(f"{self._target} broke HTTP/1.1: {error}"))
                return
            if event is h11.NEED_DATA:
                return
            if event is h11.PAUSED:
                # The peer switched protocols, or sent more after a response that closes the connection.
                stream.deliver_failure(TransportError(f"{self._target} broke HTTP/1.1: it switched protocols"))
                return
            if isinstance(event, h11.Response):
                stream.deliver_head(event.status_code, header_dict(event.headers))
            elif isinstance(event, h11.Data):
                self._deliver_data(stream, bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                stream.deliver_end()
            elif isinstance(event, h11.ConnectionClosed):
                return

    def _deliver_data(self, stream: Http1Stream, data: bytes) -> None:
        if not data:
            return
        stream.unconsumed += len(data)
        stream.deliver_data(data)
        if (
            stream.unconsumed > self._settings.response_window
            and not self._reading_paused
            and self._stream is stream
            and self._socket is not None
        ):
            self._reading_paused = True
            self._socket.pause_reading()

    # Sending.

    def _flush(self) -> None:
        self._flush_scheduled = False
        stream = self._stream
        if stream is None or self._socket is None:
            return
        parts: list[bytes] = []
        try:
            self._collect(stream, parts)
        except h11.LocalProtocolError as error:
            stream.deliver_failure(TransportError(f"the request to {self._target} is not valid HTTP/1.1: {error}"))
            return
        if parts:
            self._socket.write(b"".join(parts))

    def _collect(self, stream: Http1Stream, parts: list[bytes]) -> None:
        if self._h11.our_state is h11.IDLE:
            parts.append(self._send(_request_head(self._target, stream)))
        queue = stream.queue
        if queue.size and not self._writing_paused:
            parts.append(self._send(h11.Data(data=queue.take(_PIECE_MAX))))
            if queue.size:
                self.schedule_flush()
        if stream.sent_all and not queue.size and self._h11.our_state is h11.SEND_BODY:
            parts.append(self._send(h11.EndOfMessage()))

    def _send(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> bytes:
        return self._h11.send(event) or b""

    def _ended(self) -> None:
        self._socket = None
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        self._pool.connection_ended(self)


def _request_head(target: Target, stream: Http1Stream) -> h11.Request:
    request = stream.request
    headers = [("host", target.authority)]
    headers += [(name, value) for name, value in request.headers if name not in _CONNECTION_HEADERS]
    if request.method not in ("GET", "HEAD"):
        headers.append(("transfer-encoding", "chunked"))
    return h11.Request(method=request.method, target=target.request_path(request.path), headers=headers)
