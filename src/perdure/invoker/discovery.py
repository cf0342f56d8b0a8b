"""Asks an endpoint which services it offers: one GET, whatever the transport."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from perdure.invoker.transport import Request, Stream, Transport, TransportError
from perdure.model.registry import Discovered
from perdure.protocol.manifest import ManifestError, accept_header, parse_manifest

MANIFEST_LIMIT: Final = 16 * 1024 * 1024
"""The longest manifest, in bytes."""
EXCHANGE_SECONDS: Final = 10.0
RETRY_DELAYS: Final = (0.1, 0.4)
"""Seconds before the second and the third try; then discovery has failed."""
_RETRYABLE: Final = frozenset({408, 429, 500, 502, 503, 504})
_SHOWN: Final = 400
"""How much of an unexpected answer is repeated to the operator, in characters."""

Sign = Callable[[str], list[tuple[str, str]]]
"""Path to the headers that prove who asks."""


class Connect(Protocol):
    def __call__(self, uri: str, *, http11: bool = False) -> Transport: ...


class DiscoveryError(Exception):
    """Discovery failed. status: of the admin API. code: stable code or None. `str()` says what to do."""

    def __init__(self, message: str, code: str | None = "META0003", status: int = 500) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class _Retryable(DiscoveryError):
    """May be gone in a moment."""


class _Exchange:
    """Collects one response."""

    def __init__(self) -> None:
        self.stream: Stream | None = None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def head_received(self, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers

    def data_received(self, data: bytes) -> None:
        self.body += data
        if len(self.body) > MANIFEST_LIMIT:
            self._fail(DiscoveryError(f"the manifest is longer than {MANIFEST_LIMIT} bytes", "META0013"))
        elif self.stream is not None:
            self.stream.consumed(len(data))

    def end_received(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)

    def stream_failed(self, error: TransportError) -> None:
        self._fail(error)

    def _fail(self, error: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(error)


class Discovery:
    """Discovers endpoints. connect: makes a transport to an HTTP address; sign: None when no key is configured."""

    def __init__(self, connect: Connect, sign: Sign | None = None) -> None:
        self._connect = connect
        self._sign = sign

    async def discover(self, uri: str, *, http11: bool = False, headers: Mapping[str, str] | None = None) -> Discovered:
        """Asks the endpoint at an HTTP address. Raises: DiscoveryError."""
        transport = self._connect(uri, http11=http11)
        try:
            return await self.discover_over(transport, uri, headers=headers)
        finally:
            await transport.close()

    async def discover_over(
        self, transport: Transport, uri: str, *, headers: Mapping[str, str] | None = None
    ) -> Discovered:
        """Asks over an open transport, which stays open. uri: for messages. Raises: DiscoveryError."""
        for delay in RETRY_DELAYS:
            try:
                return await self._ask(transport, uri, headers or {})
            except _Retryable:
                await asyncio.sleep(delay)
        return await self._ask(transport, uri, headers or {})

    async def _ask(self, transport: Transport, uri: str, headers: Mapping[str, str]) -> Discovered:
        exchange = await self._exchange(transport, uri, headers)
        if not 200 <= exchange.status < 300:
            raise _bad_status(uri, exchange)
        try:
            manifest = parse_manifest(exchange.headers.get("content-type"), bytes(exchange.body))
        except ManifestError as error:
            raise DiscoveryError(str(error), error.restate_code, error.http_status) from None
        return Discovered(
            bidirectional=manifest.bidirectional,
            http_version="HTTP/2.0" if transport.bidirectional else "HTTP/1.1",
            min_version=manifest.min_protocol_version,
            max_version=manifest.max_protocol_version,
            sdk_version=exchange.headers.get("x-restate-server"),
            manifest=bytes(exchange.body),
        )

    async def _exchange(self, transport: Transport, uri: str, headers: Mapping[str, str]) -> _Exchange:
        fields = [("accept", accept_header()), *((name.lower(), value) for name, value in headers.items())]
        if self._sign is not None:
            fields += self._sign("/discover")
        exchange = _Exchange()
        stream = transport.open(Request("GET", "/discover", fields), exchange)
        exchange.stream = stream
        stream.half_close()
        try:
            async with asyncio.timeout(EXCHANGE_SECONDS):
                await exchange.finished
        except TimeoutError:
            raise DiscoveryError(f"'{uri}' did not answer within {EXCHANGE_SECONDS:g} seconds") from None
        except TransportError as error:
            raise _unreachable(uri, error) from None
        finally:
            if not exchange.finished.done() or exchange.finished.exception() is not None:
                stream.reset()
        return exchange


def _unreachable(uri: str, error: TransportError) -> DiscoveryError:
    return _Retryable(f"error when calling '{uri}': {error}")


def _bad_status(uri: str, exchange: _Exchange) -> DiscoveryError:
    shown = bytes(exchange.body[:_SHOWN]).decode(errors="replace")
    hint = " Check the path of the address: the SDK may be mounted below another one." if exchange.status == 404 else ""
    message = f"'{uri}' answered the discovery request with status {exchange.status}.{hint}"
    if shown:
        message += f" Its answer begins: {shown}"
    return _Retryable(message) if exchange.status in _RETRYABLE else DiscoveryError(message)
