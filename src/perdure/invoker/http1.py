"""The HTTP/1.1 transport: one exchange at a time on a connection, and a few idle connections kept for the next."""

import asyncio
import ssl

from perdure.invoker.closing import sockets_gone
from perdure.invoker.http1_connection import Http1Connection, Http1Settings, Http1Stream
from perdure.invoker.target import Target
from perdure.invoker.tls import client_tls
from perdure.invoker.transport import Request, StreamHandler, TransportError


class Http1Transport:
    """Exchanges with an endpoint over HTTP/1.1.

    bidirectional: True for an endpoint whose manifest says that it answers while the request body is still open.
    The bytes flow both ways in either case.
    """

    def __init__(
        self,
        target: Target,
        *,
        bidirectional: bool = False,
        settings: Http1Settings | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.bidirectional = bidirectional
        self._target = target
        self._settings = settings or Http1Settings()
        self._tls = (tls or client_tls("http/1.1")) if target.tls else None
        self._idle: list[Http1Connection] = []
        self._connections: set[Http1Connection] = set()
        self._connecting: dict[asyncio.Task[None], Http1Stream] = {}
        self._closed = False

    def open(self, request: Request, handler: StreamHandler) -> Http1Stream:
        stream = Http1Stream(request, handler)
        loop = asyncio.get_running_loop()
        if self._closed:
            error = TransportError(f"the transport to {self._target} is closed")
            loop.call_soon(stream.deliver_failure, error)
        elif self._idle:
            # The one used last is the one least likely to be closed by the peer just now.
            self._idle.pop().start(stream)
        else:
            task = loop.create_task(self._connect(stream))
            self._connecting[task] = stream
            task.add_done_callback(self._connecting.pop)
        return stream

    async def close(self) -> None:
        self._closed = True
        error = TransportError(f"the transport to {self._target} was closed")
        connecting, connections = dict(self._connecting), list(self._connections)
        for task, stream in connecting.items():
            task.cancel()
            stream.deliver_failure(error)
        for connection in connections:
            connection.close(error)
        await asyncio.gather(*connecting, return_exceptions=True)
        await sockets_gone(connections)

    @property
    def connections(self) -> int:
        """How many connections are open, idle ones included."""
        return len(self._connections)

    # For the connections.

    def exchange_ended(self, connection: Http1Connection) -> None:
        """The connection is free for the next exchange."""
        if self._closed or len(self._idle) >= self._settings.idle_connections_max:
            connection.close(TransportError("idle"))
        else:
            self._idle.append(connection)

    def connection_ended(self, connection: Http1Connection) -> None:
        """The connection cannot be used again."""
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    async def _connect(self, stream: Http1Stream) -> None:
        connection = Http1Connection(self._target, self._settings, self)
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection, self._target.host, self._target.port, ssl=self._tls
                )
        except TimeoutError:
            seconds = self._settings.connect_timeout
            stream.deliver_failure(TransportError(f"no connection to {self._target} within {seconds:g} s"))
        except OSError as error:
            stream.deliver_failure(TransportError(f"cannot connect to {self._target}: {error}"))
        else:
            self._connections.add(connection)
            if stream.over:
                connection.close(TransportError("the exchange was given up"))
            elif connection.closed.is_set():
                self._connections.discard(connection)
                stream.deliver_failure(TransportError(f"{self._target} closed the connection"))
            else:
                connection.start(stream)
