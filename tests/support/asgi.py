"""Asks an ASGI app one thing, without a server."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_WAIT_S = 10.0


@dataclass
class Answer:
    """What an app answered. headers: lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False

    def take(self, message: Any) -> None:
        """What the app sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message.get("headers", [])}
        else:
            assert not self.complete, "the app sent more than its response"
            self.body += message.get("body", b"")
            self.complete = not message.get("more_body", False)


def http_scope(path: str, headers: Mapping[str, str], http_version: str = "2", method: str = "POST") -> Any:
    """The scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": http_version,
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


class Exchange:
    """A request whose both directions stay open. answer: what has come so far."""

    def __init__(self, app: Any, path: str, headers: Mapping[str, str]) -> None:
        """Starts the app in a task of the running loop."""
        self.answer = Answer()
        self._requests: asyncio.Queue[Any] = asyncio.Queue()
        self._news = asyncio.Condition()
        self.task = asyncio.ensure_future(app(http_scope(path, headers), self._requests.get, self._take))

    def send(self, body: bytes, *, more: bool = True) -> None:
        """A piece of the request."""
        self._requests.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def go_away(self) -> None:
        """The client is gone."""
        self._requests.put_nowait({"type": "http.disconnect"})

    async def wait_for(self, condition: Callable[[Answer], bool]) -> Answer:
        """Waits until the answer is as wanted. Raises: TimeoutError."""
        async with asyncio.timeout(_WAIT_S), self._news:
            await self._news.wait_for(lambda: condition(self.answer))
        return self.answer

    async def _take(self, message: Any) -> None:
        self.answer.take(message)
        async with self._news:
            self._news.notify_all()


async def ask(
    app: Any, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"", *, http_version: str = "2"
) -> Answer:
    """The answer to one request that is sent as a whole. Raises: TimeoutError."""
    answer = Answer()
    requests = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if requests:
            return requests.pop()
        return await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        answer.take(message)

    scope = http_scope(path, headers or {}, http_version, "POST" if body else "GET")
    await asyncio.wait_for(app(scope, receive, send), _WAIT_S)
    return answer
