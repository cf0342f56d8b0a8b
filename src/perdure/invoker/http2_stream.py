"""One exchange over HTTP/2, and the head of its request."""

from functools import lru_cache
from typing import Protocol

import msgspec

from perdure.invoker.body_queue import BodyQueue
from perdure.invoker.http2_session import HeadField
from perdure.invoker.response_delivery import ResponseDelivery
from perdure.invoker.target import Target
from perdure.invoker.transport import Request, StreamHandler

# HTTP/2 has no place for these (RFC 9113, section 8.2.2); the authority replaces host.
_CONNECTION_HEADERS = {"connection", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"}

# Values that differ in every exchange would only push the useful ones out of HPACK's table; secrets must not enter it.
_UNINDEXED_HEADERS = {"authorization", "traceparent", "tracestate", "x-restate-invocation-id", "x-restate-jwt-v1"}


class Http2Settings(msgspec.Struct, frozen=True):
    """Sizes in bytes, times in seconds.

    requests_max: on one connection, before another takes its place. Some servers end a connection after a thousand
    requests together with whatever is under way on it (hypercorn's default); we leave before that.
    """

    streams_max: int = 128
    requests_max: int = 900
    connections_max: int = 64
    stream_window: int = 2 * 1024 * 1024
    connection_window: int = 5 * 1024 * 1024
    frame_size: int = 16 * 1024
    connect_timeout: float = 10.0
    idle_timeout: float = 300.0
    ping_interval: float = 40.0
    ping_jitter: float = 0.2
    ping_timeout: float = 20.0


class StreamOwner(Protocol):
    """What a stream asks of the connection that carries it."""

    def wants_to_send(self, stream: "Http2Stream") -> None:
        """The stream has a head, data or an end to send."""

    def consumed(self, stream: "Http2Stream", size: int) -> None:
        """`size` bytes of response were digested."""

    def release(self, stream: "Http2Stream", *, completed: bool) -> None:
        """The exchange is over."""


class Http2Stream(ResponseDelivery):
    """One exchange. It waits in the pool until a connection takes it."""

    __slots__ = (
        "connection",
        "end_sent",
        "number",
        "queue",
        "request",
        "returned",
        "sent_all",
        "to_acknowledge",
        "unconsumed",
    )

    def __init__(self, request: Request, handler: StreamHandler) -> None:
        super().__init__(handler)
        self.request = request
        self.connection: StreamOwner | None = None
        self.number = 0
        self.queue = BodyQueue()
        self.returned = False
        self.sent_all = False
        self.end_sent = False
        self.unconsumed = 0
        self.to_acknowledge = 0

    @property
    def over(self) -> bool:
        """Whether the exchange has ended, failed or been reset."""
        return self._handler is None

    @property
    def queued(self) -> int:
        """Bytes of request body that wait for the peer's window."""
        return self.queue.size

    def send(self, data: bytes) -> None:
        if self._handler is None or self.sent_all or not data:
            return
        self.queue.push(data)
        if self.connection is not None:
            self.connection.wants_to_send(self)

    def half_close(self) -> None:
        if self._handler is None or self.sent_all:
            return
        self.sent_all = True
        if self.connection is not None:
            self.connection.wants_to_send(self)

    def consumed(self, size: int) -> None:
        if self.connection is not None:
            size = min(size, self.unconsumed)
            self.unconsumed -= size
            self.to_acknowledge += size
            self.connection.consumed(self, size)

    def _release(self, *, completed: bool) -> None:
        if self.connection is not None:
            self.connection.release(self, completed=completed)
        self.queue.clear()


def request_head(target: Target, request: Request) -> list[HeadField]:
    """The pseudo-headers and headers to send. header names must be lower case already."""
    head = [
        _field(":method", request.method),
        _field(":scheme", target.scheme),
        _field(":authority", target.authority),
        _field(":path", target.request_path(request.path)),
    ]
    for name, value in request.headers:
        if name in _CONNECTION_HEADERS:
            continue
        usual = name not in _UNINDEXED_HEADERS and len(value) <= _REMEMBERED_MAX
        head.append(_field(name, value) if usual else _encoded(name, value))
    return head


def _encoded(name: str, value: str) -> HeadField:
    return name.encode(), value.encode("latin-1", "replace"), name in _UNINDEXED_HEADERS


_REMEMBERED_MAX = 256
_field = lru_cache(maxsize=512)(_encoded)
"""For fields of which the same is sent again and again."""
