"""From an endpoint's address to a transport, and one whole request over a transport."""

import asyncio
import ssl
from collections.abc import Mapping

import msgspec

from perdure.invoker.http1 import Http1Transport
from perdure.invoker.http2 import Http2Transport
from perdure.invoker.target import parse_target
from perdure.invoker.transport import Request, Stream, Transport, TransportError


class Response(msgspec.Struct, frozen=True):
    """A whole response. headers: lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ResponseTooLarge(TransportError):
    """The response body is larger than the caller wants."""


def connect(
    uri: str, *, http11: bool, bidirectional: bool | None = None, tls: ssl.SSLContext | None = None
) -> Transport:
    """The transport to an http or https endpoint; connections are opened when they are needed.

    http11: HTTP/1.1 instead of HTTP/2. A server that only has HTTP/1.1 answers HTTP/2 with `Http1Answer`.
    bidirectional: what the manifest says; None stands for the HTTP version's usual mode.
    tls: instead of verifying against the system's certificates.
    Raises: InvalidTarget.
    """
    target = parse_target(uri)
    if http11:
        return Http1Transport(target, bidirectional=bool(bidirectional), tls=tls)
    return Http2Transport(target, bidirectional=bidirectional is not False, tls=tls)


async def fetch(transport: Transport, request: Request, *, limit: int, timeout: float) -> Response:
    """Sends a request without a body and reads the whole response.

    limit: bytes of body at most. timeout: seconds for everything.
    Raises: TransportError, ResponseTooLarge.
    """
    reader = _WholeResponse(limit)
    stream = transport.open(request, reader)
    reader.stream = stream
    stream.half_close()
    try:
        async with asyncio.timeout(timeout):
            return await reader.response
    except TimeoutError:
        raise TransportError(f"no answer to {request.method} {request.path} within {timeout:g} s") from None
    finally:
        stream.reset()


class _WholeResponse:
    """Collects a response up to a limit."""

    def __init__(self, limit: int) -> None:
        self.response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.stream: Stream | None = None
        self._limit = limit
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._body = bytearray()

    def head_received(self, status: int, headers: Mapping[str, str]) -> None:
        self._status, self._headers = status, headers

    def data_received(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > self._limit:
            self._fail(ResponseTooLarge(f"the response is larger than {self._limit} bytes"))
        elif self.stream is not None:
            self.stream.consumed(len(data))

    def end_received(self) -> None:
        if not self.response.done():
            self.response.set_result(Response(self._status, self._headers, bytes(self._body)))

    def stream_failed(self, error: TransportError) -> None:
        self._fail(error)

    def _fail(self, error: TransportError) -> None:
        if not self.response.done():
            self.response.set_exception(error)
