"""What a transport to a handler's code must offer; four kinds implement it.

Callback style, because an attempt must not cost a task: the transport calls the `StreamHandler`
from the event loop's thread, and the caller calls the `Stream` from there too. Nothing here blocks.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec


class TransportError(Exception):
    """The exchange broke: refused, reset, timed out, or the peer broke HTTP. `str()` is for people.

    retry_after: ms until the next attempt where the peer is coming back by itself; that uses up no attempt of the
    retry policy. None: as the policy says.
    """

    retry_after: int | None = None


class Http1Answer(TransportError):
    """HTTP/2 was spoken to the peer and it answered in HTTP/1.1: it must be asked for by `http11`."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """The head of one exchange.

    path: below the endpoint's base path, for example `/invoke/Greeter/greet` or `/discover`.
    headers: lower-case names; values are printable ASCII.
    """

    method: str
    path: str
    headers: list[tuple[str, str]]


class StreamHandler(Protocol):
    """Receives one exchange's response. After `end_received` or `stream_failed` nothing more comes."""

    def head_received(self, status: int, headers: Mapping[str, str]) -> None:
        """The response head, once, before any data. headers: lower-case names; others may be given the same object."""

    def data_received(self, data: bytes) -> None:
        """A piece of the response body, never empty, in order."""

    def end_received(self) -> None:
        """The peer closed its half in an orderly way."""

    def stream_failed(self, error: TransportError) -> None:
        """The exchange is lost. May come at any time, also before the head."""


class Stream(Protocol):
    """The request side of one exchange."""

    def send(self, data: bytes) -> None:
        """Queues body bytes. Silently ignored once the stream is closed in this direction."""

    @property
    def queued(self) -> int:
        """Bytes of request body that the peer has no room for yet."""

    def half_close(self) -> None:
        """Ends the request body; the response goes on. Idempotent."""

    def reset(self) -> None:
        """Abandons the exchange (HTTP/2: RST_STREAM code 8). No callback follows. Idempotent."""

    def consumed(self, size: int) -> None:
        """Gives the peer back `size` bytes of credit: that much of the received data was digested."""


class Transport(Protocol):
    """A way to one endpoint; shared by all attempts that go there."""

    @property
    def bidirectional(self) -> bool:
        """True: request and response bodies flow at once. False: half-close first, then the response."""

    def open(self, request: Request, handler: StreamHandler) -> Stream:
        """Starts an exchange. Never raises for network trouble: that arrives as `stream_failed`, later."""

    async def close(self) -> None:
        """Closes connections; open exchanges fail."""
