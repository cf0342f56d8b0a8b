"""Requests to an ASGI app in this process, without a socket."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from perdure.client.connection import Headers, Response
from perdure.client.failures import NoConnection

Message = MutableMapping[str, Any]
App = Callable[..., Awaitable[None]]
"""Called with scope, `receive` and `send`."""


class InMemoryConnection:
    """Implements `connection.Connection`. find: gives the app, None when nobody serves any more."""

    def __init__(self, find: Callable[[], App | None]) -> None:
        self._find = find

    async def request(self, method: str, path: str, headers: Headers, body: bytes) -> Response:
        app = self._find()
        if app is None:
            raise NoConnection("the engine in this process is not running")
        exchange = _Exchange(body)
        await app(_scope(method, path, headers), exchange.receive, exchange.send)
        return Response(exchange.status, exchange.headers, b"".join(exchange.pieces))

    async def close(self) -> None:
        """Nothing is open."""


class _Exchange:
    """The two callables of ASGI for one request."""

    __slots__ = ("_body", "headers", "pieces", "status")

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []

    async def receive(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self.pieces.append(message.get("body", b""))


def _scope(method: str, path: str, headers: Headers) -> Message:
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path) if "%" in path else path,
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()],
        "client": None,
        "server": None,
    }
