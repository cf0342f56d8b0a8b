"""Asks an ASGI app one thing, without a server."""

import asyncio
from collections.abc import Mapping
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
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message.get("headers", [])}
        else:
            answer.body += message.get("body", b"")
            answer.complete = not message.get("more_body", False)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": http_version,
        "method": "POST" if body else "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
    }
    await asyncio.wait_for(app(scope, receive, send), _WAIT_S)
    return answer
