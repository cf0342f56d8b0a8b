"""Requests to an ASGI app in this process, without a socket."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from perdure.client.connection import Headers, Response
from perdure.client.failures import NoConnection
from perdure.http.exchange import AnswerDirectly, request_scope

Message = MutableMapping[str, Any]
App = Callable[..., Awaitable[None]]
"""Called with scope, `receive` and `send`."""


class InMemoryConnection:
    """Implements `connection.Connection`."""

    def __init__(self, find: Callable[[], App | None], answer_directly: AnswerDirectly | None = None) -> None:
        """find: gives the app, None when nobody serves any more. answer_directly: what it offers for requests."""
        self._find = find
        self._answer_directly = answer_directly

    async def request(self, method: str, path: str, headers: Headers, body: bytes) -> Response:
        request = _Request(method, path, headers)
        if self._answer_directly is not None:
            pending = self._answer_directly(request, body)
            if pending is not None:
                request.response = asyncio.get_running_loop().create_future()
                try:
                    return await request.response
                except asyncio.CancelledError:
                    pending.cancel()
                    raise
        app = self._find()
        if app is None:
            raise NoConnection("the engine in this process is not running")
        exchange = _Exchange(body)
        await app(request_scope(request, "1.1"), exchange.receive, exchange.send)
        return _response(exchange.status, exchange.headers, b"".join(exchange.pieces))

    async def close(self) -> None:
        """Nothing is open."""


class _Request:
    """Implements `http.exchange.Answerable`."""

    __slots__ = ("headers", "method", "query", "raw_path", "response")

    def __init__(self, method: str, path: str, headers: Headers) -> None:
        self.method = method
        self.raw_path, _, self.query = path.encode("ascii").partition(b"?")
        self.headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        self.response: asyncio.Future[Response]

    def respond(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        # Who was cancelled just now will say so later.
        if not self.response.done():
            self.response.set_result(_response(status, headers, body))


class _Exchange:
    """The two callables of ASGI for one request."""

    __slots__ = ("_body", "headers", "pieces", "status")

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []

    async def receive(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = message["headers"]
        else:
            self.pieces.append(message.get("body", b""))


def _response(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> Response:
    return Response(status, {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}, body)
