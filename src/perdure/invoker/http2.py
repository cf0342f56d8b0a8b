"""The HTTP/2 transport: a pool of connections to one endpoint."""

import asyncio
import ssl
from collections import deque

from perdure.invoker.closing import sockets_gone
from perdure.invoker.http2_connection import Http2Connection
from perdure.invoker.http2_stream import Http2Settings, Http2Stream
from perdure.invoker.target import Target
from perdure.invoker.tls import client_tls
from perdure.invoker.transport import Request, StreamHandler, TransportError

_GOLDEN = 0.6180339887


class Http2Transport:
    """Exchanges with an endpoint over HTTP/2: prior knowledge on http, ALPN on https.

    bidirectional: False for an endpoint whose manifest asks for request/response.
    """

    def __init__(
        self,
        target: Target,
        *,
        bidirectional: bool = True,
        settings: Http2Settings | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.bidirectional = bidirectional
        self._target = target
        self._settings = settings or Http2Settings()
        # http/1.1 is offered as well: a server without HTTP/2 then says so instead of breaking off the handshake.
        self._tls = (tls or client_tls("h2", "http/1.1")) if target.tls else None
        self._connections: list[Http2Connection] = []
        self._connecting: set[asyncio.Task[None]] = set()
        self._waiting: deque[Http2Stream] = deque()
        self._streams_per_connection = self._settings.streams_max
        self._connections_made = 0
        self._closed = False

    def open(self, request: Request, handler: StreamHandler) -> Http2Stream:
        stream = Http2Stream(request, handler)
        if self._closed:
            error = TransportError(f"the transport to {self._target} is closed")
            asyncio.get_running_loop().call_soon(stream.deliver_failure, error)
            return stream
        self._place(stream)
        return stream

    async def close(self) -> None:
        self._closed = True
        connecting, connections = list(self._connecting), list(self._connections)
        for task in connecting:
            task.cancel()
        error = TransportError(f"the transport to {self._target} was closed")
        for connection in connections:
            connection.close(error)
        self._fail_waiting(error)
        await asyncio.gather(*connecting, return_exceptions=True)
        await sockets_gone(connections)

    @property
    def connections(self) -> int:
        """How many connections are open or being opened."""
        return len(self._connections)

    # For the connections.

    def slot_freed(self, connection: Http2Connection) -> None:
        """A stream ended on the connection, or it learned what the peer allows."""
        while self._waiting and connection.free_slots > 0:
            stream = self._waiting.popleft()
            if not stream.over:
                connection.start(stream)

    def connection_ended(self, connection: Http2Connection, unsent: list[Http2Stream]) -> None:
        """The connection takes no further streams."""
        self._connections.remove(connection)
        for stream in unsent:
            # Once is chance; twice is a peer that says goodbye to everyone, and must not keep us busy.
            if stream.returned or self._closed:
                stream.deliver_failure(TransportError(f"{self._target} closes its connections before taking a request"))
            else:
                stream.returned = True
                self._place(stream)
        self._connect_for_waiting()

    # Placing streams.

    def _place(self, stream: Http2Stream) -> None:
        for connection in self._connections:
            if connection.free_slots > 0:
                connection.start(stream)
                return
        self._waiting.append(stream)
        self._connect_for_waiting()

    def _connect_for_waiting(self) -> None:
        if self._closed or not self._waiting:
            return
        wanted = -(-len(self._waiting) // self._streams_per_connection) - len(self._connecting)
        allowed = self._settings.connections_max - len(self._connections)
        for _ in range(min(wanted, allowed)):
            task = asyncio.get_running_loop().create_task(self._connect())
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self) -> None:
        connection = self._new_connection()
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection, self._target.host, self._target.port, ssl=self._tls
                )
                await asyncio.shield(connection.ready)
        except TimeoutError:
            seconds = self._settings.connect_timeout
            self._connect_failed(connection, f"no HTTP/2 connection to {self._target} within {seconds:g} s")
        except TransportError as error:
            self._fail_waiting(error)
        except OSError as error:
            self._connect_failed(connection, f"cannot connect to {self._target}: {error}")
        else:
            self._streams_per_connection = max(1, connection.slots)
            # The peer may allow fewer streams than was assumed when this one connection was thought to be enough.
            self._connecting -= {asyncio.current_task()}
            self._connect_for_waiting()

    def _connect_failed(self, connection: Http2Connection, reason: str) -> None:
        error = TransportError(reason)
        self._fail_waiting(error)
        connection.abort(error)

    def _new_connection(self) -> Http2Connection:
        # The golden ratio spreads the connections' PINGs evenly, which is all that jitter is for.
        self._connections_made += 1
        spread = (self._connections_made * _GOLDEN) % 1.0 * 2.0 - 1.0
        interval = self._settings.ping_interval * (1.0 + spread * self._settings.ping_jitter)
        connection = Http2Connection(self._target, self._settings, self, ping_interval=interval)
        self._connections.append(connection)
        return connection

    def _fail_waiting(self, error: TransportError) -> None:
        waiting, self._waiting = self._waiting, deque()
        for stream in waiting:
            stream.deliver_failure(error)
