"""The in-memory transport: the app is called in this process."""

import asyncio

from perdure.clock import Clock
from perdure.http.asgi_bridge import App, AsgiExchange, AsgiHost
from perdure.http.direct import DirectExchange
from perdure.invoker.response_delivery import ResponseDelivery, header_dict
from perdure.invoker.transport import Request, StreamHandler, TransportError

RESPONSE_WINDOW = 1024 * 1024
"""Bytes of response that may wait for `Stream.consumed` before the app's `send` waits."""


class _AsgiStream(ResponseDelivery):
    """One exchange; also the sink of the app's response."""

    __slots__ = ("_consumed", "_exchange", "_transport")

    def __init__(self, transport: "AsgiTransport", handler: StreamHandler) -> None:
        super().__init__(handler)
        self._transport = transport
        self._consumed = 0
        self._exchange: AsgiExchange | DirectExchange | None = None

    def start(self, exchange: AsgiExchange | DirectExchange) -> None:
        self._exchange = exchange

    @property
    def direct(self) -> bool:
        """Whether the app runs without ASGI in between."""
        return isinstance(self._exchange, DirectExchange)

    # The request side, for the caller.

    def send(self, data: bytes) -> None:
        if self._exchange is not None and data:
            self._exchange.feed(data)

    @property
    def queued(self) -> int:
        return self._exchange.unread if self._exchange is not None else 0

    def half_close(self) -> None:
        if self._exchange is not None:
            self._exchange.end_request()

    def consumed(self, size: int) -> None:
        self._consumed += size
        if self._consumed >= RESPONSE_WINDOW // 4 and self._exchange is not None:
            self._exchange.add_credit(self._consumed)
            self._consumed = 0

    # The response side, for the bridge.

    data = ResponseDelivery.deliver_data
    end = ResponseDelivery.deliver_end

    def head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.deliver_head(status, header_dict(headers))

    def failed(self, reason: str) -> None:
        self.deliver_failure(TransportError(reason))

    def request_taken(self, size: int) -> None:
        """Nothing to give back: the caller's queue and the app's are the same one here."""

    def _release(self, *, completed: bool) -> None:
        self._transport.forget(self)
        if self._exchange is not None:
            self._exchange.disconnect()
            self._exchange = None


class AsgiTransport:
    """Calls an ASGI app in this process.

    Call `start` first if the app wants its lifespan events; `close` then runs its shutdown.
    """

    bidirectional = True

    def __init__(self, app: App, clock: Clock | None = None) -> None:
        """clock: for attempts that are run without ASGI; None: as usual."""
        self._host = AsgiHost(app, clock)
        self._streams: set[_AsgiStream] = set()
        self._closed = False

    async def start(self) -> None:
        """Runs the app's startup. Raises: LifespanFailed."""
        await self._host.start()

    def open(self, request: Request, handler: StreamHandler) -> _AsgiStream:
        stream = _AsgiStream(self, handler)
        if self._closed:
            error = TransportError("the in-memory transport is closed")
            asyncio.get_running_loop().call_soon(stream.deliver_failure, error)
            return stream
        self._streams.add(stream)
        stream.start(self._host.open(request.method, request.path, request.headers, stream, credit=RESPONSE_WINDOW))
        return stream

    def forget(self, stream: _AsgiStream) -> None:
        """The stream is over."""
        self._streams.discard(stream)

    async def close(self) -> None:
        self._closed = True
        for stream in list(self._streams):
            stream.deliver_failure(TransportError("the in-memory transport was closed"))
        await self._host.stop()
