"""Requests over HTTP/1.1: one at a time on a connection, and idle connections kept for the next."""

import asyncio
import ssl
from typing import Final
from urllib.parse import urlsplit

import h11

from perdure.client.connection import Headers, Response
from perdure.client.failures import NoConnection

CONNECT_TIMEOUT_S: Final = 10.0
IDLE_MAX: Final = 64
BODY_MAX: Final = 256 * 1024 * 1024
"""Bytes of a response; a server's own limits are far below."""

_PIECE: Final = 64 * 1024


class HttpConnection:
    """Implements `connection.Connection`. url: `http://HOST:PORT` or `https://…`, with or without a path."""

    def __init__(self, url: str) -> None:
        """Raises: NoConnection, when the URL is none."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise NoConnection(f"`{url}` is not a URL; write it like http://localhost:8080")
        self._url = url.rstrip("/")
        self._host: str = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._authority = parts.netloc.rpartition("@")[2]
        self._idle: list[_Wire] = []
        self._closed = False

    async def request(self, method: str, path: str, headers: Headers, body: bytes) -> Response:
        wire = self._take_idle() or await self._connect()
        reusable = False
        try:
            await wire.send(method, self._prefix + path, self._head(headers, method, body), body)
            response, reusable = await wire.receive()
            return response
        except (OSError, EOFError, h11.RemoteProtocolError) as error:
            raise NoConnection(f"the connection to {self._url} broke: {str(error) or 'it was closed'}") from error
        finally:
            if reusable and not self._closed and len(self._idle) < IDLE_MAX:
                self._idle.append(wire)
            else:
                wire.close()

    async def close(self) -> None:
        self._closed = True
        idle, self._idle = self._idle, []
        for wire in idle:
            wire.close()
        for wire in idle:
            await wire.wait_closed()

    @property
    def idle(self) -> int:
        """Connections that wait for the next request and, as far as is known, are open."""
        return sum(wire.usable for wire in self._idle)

    def _take_idle(self) -> "_Wire | None":
        while self._idle:
            # The one used last is the one least likely to be closed by the server just now.
            wire = self._idle.pop()
            if wire.usable:
                return wire
            wire.close()
        return None

    async def _connect(self) -> "_Wire":
        if self._closed:
            raise NoConnection(f"the client of {self._url} is closed")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        except TimeoutError:
            raise NoConnection(f"no connection to {self._url} within {CONNECT_TIMEOUT_S:g} s") from None
        except OSError as error:
            raise NoConnection(f"no server answers at {self._url}: {error.strerror or error}") from error
        return _Wire(reader, writer)

    def _head(self, headers: Headers, method: str, body: bytes) -> list[tuple[str, str]]:
        head = [("host", self._authority), *headers.items()]
        if body or method not in ("GET", "DELETE"):
            head.append(("content-length", str(len(body))))
        return head


class _Wire:
    """One socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)

    @property
    def usable(self) -> bool:
        """Whether the server has not closed it, as far as is known."""
        return not self._reader.at_eof() and not self._writer.is_closing()

    async def send(self, method: str, target: str, head: list[tuple[str, str]], body: bytes) -> None:
        http = self._http
        data = http.send(h11.Request(method=method, target=target, headers=head)) or b""
        if body:
            data += http.send(h11.Data(data=body)) or b""
        data += http.send(h11.EndOfMessage()) or b""
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> tuple[Response, bool]:
        """The response, and whether the connection takes another request."""
        status, headers = 0, {}
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(_PIECE))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_MAX:
                    raise EOFError(f"the response is larger than {BODY_MAX} bytes")
            elif isinstance(event, h11.EndOfMessage):
                reusable = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
                if reusable:
                    self._http.start_next_cycle()
                return Response(status, headers, bytes(body)), reusable
            elif isinstance(event, h11.ConnectionClosed):
                raise EOFError("the server closed it before it answered")

    def close(self) -> None:
        self._writer.close()

    async def wait_closed(self) -> None:
        try:
            await self._writer.wait_closed()
        except OSError:
            # It broke first; closed it is.
            pass
