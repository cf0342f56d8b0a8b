"""Asks an endpoint which services it offers: one GET, whatever the transport."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from perdure.invoker.endpoint import Response, ResponseTooLarge, fetch
from perdure.invoker.target import InvalidTarget
from perdure.invoker.transport import Http1Answer, Request, Transport, TransportError
from perdure.model.registry import Discovered
from perdure.protocol.manifest import ManifestError, accept_header, parse_manifest

MANIFEST_LIMIT: Final = 16 * 1024 * 1024
"""The longest manifest, in bytes."""
EXCHANGE_SECONDS: Final = 10.0
RETRY_DELAYS: Final = (0.1, 0.4)
"""Seconds before the second and the third try; then discovery has failed."""
_RETRYABLE: Final = frozenset({408, 429, 500, 502, 503, 504})
_SHOWN: Final = 400
"""How much of an unexpected answer is repeated to the operator, in bytes."""

Sign = Callable[[str], list[tuple[str, str]]]
"""Path to the headers that prove who asks."""


class Connect(Protocol):
    def __call__(self, uri: str, *, http11: bool) -> Transport: ...


class DiscoveryError(Exception):
    """Discovery failed. status: of the admin API. code: stable code or None. `str()` says what to do."""

    def __init__(self, message: str, code: str | None = "META0003", status: int = 500) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class _MayPass(DiscoveryError):
    """Trouble that may be gone in a moment."""


class Discovery:
    """Discovers endpoints. connect: makes a transport to an HTTP address; sign: None when no key is configured."""

    def __init__(self, connect: Connect, sign: Sign | None = None) -> None:
        self._connect = connect
        self._sign = sign

    async def discover(self, uri: str, *, http11: bool = False, headers: Mapping[str, str] | None = None) -> Discovered:
        """Asks the endpoint at an HTTP address. Raises: DiscoveryError."""
        try:
            transport = self._connect(uri, http11=http11)
        except InvalidTarget as error:
            raise DiscoveryError(str(error)) from None
        try:
            return await self.discover_over(transport, uri, http11=http11, headers=headers)
        finally:
            await transport.close()

    async def discover_over(
        self, transport: Transport, uri: str, *, http11: bool = False, headers: Mapping[str, str] | None = None
    ) -> Discovered:
        """Asks over an open transport, which stays open. uri: for messages. Raises: DiscoveryError."""
        version = "HTTP/1.1" if http11 else "HTTP/2.0"
        for delay in RETRY_DELAYS:
            try:
                return await self._ask(transport, uri, version, headers or {})
            except _MayPass:
                await asyncio.sleep(delay)
        return await self._ask(transport, uri, version, headers or {})

    async def _ask(self, transport: Transport, uri: str, version: str, headers: Mapping[str, str]) -> Discovered:
        response = await self._exchange(transport, uri, headers)
        if not 200 <= response.status < 300:
            raise _bad_status(uri, response)
        try:
            manifest = parse_manifest(response.headers.get("content-type"), response.body)
        except ManifestError as error:
            raise DiscoveryError(str(error), error.restate_code, error.http_status) from None
        return Discovered(
            bidirectional=manifest.bidirectional,
            http_version=version,
            min_version=manifest.min_protocol_version,
            max_version=manifest.max_protocol_version,
            sdk_version=response.headers.get("x-restate-server"),
            manifest=response.body,
        )

    async def _exchange(self, transport: Transport, uri: str, headers: Mapping[str, str]) -> Response:
        fields = [("accept", accept_header()), *((name.lower(), value) for name, value in headers.items())]
        if self._sign is not None:
            fields += self._sign("/discover")
        request = Request("GET", "/discover", fields)
        try:
            return await fetch(transport, request, limit=MANIFEST_LIMIT, timeout=EXCHANGE_SECONDS)
        except ResponseTooLarge as error:
            raise DiscoveryError(f"the manifest of '{uri}' cannot be read: {error}", "META0013") from None
        except Http1Answer:
            message = f"'{uri}' speaks HTTP/1.1 only. Register it with use_http_11, or serve it over HTTP/2."
            raise DiscoveryError(message, "META0014") from None
        except TransportError as error:
            raise _MayPass(f"error when calling '{uri}': {error}") from None


def _bad_status(uri: str, response: Response) -> DiscoveryError:
    message = f"'{uri}' answered the discovery request with status {response.status}."
    if response.status == 404:
        message += " Check the path of the address: the SDK may be mounted below another one."
    if response.body:
        message += f" Its answer begins: {response.body[:_SHOWN].decode(errors='replace')}"
    return _MayPass(message) if response.status in _RETRYABLE else DiscoveryError(message)
