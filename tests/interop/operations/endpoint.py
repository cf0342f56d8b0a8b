"""Many deployments behind one socket: `python endpoint.py FD` serves `/VARIANT-NAME/…` in that variant.

Each test has services of its own name, and each variant is other code behind another address, as after a deploy.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from handlers import build
from hypercorn.asyncio import serve
from hypercorn.config import Config

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_apps: dict[str, Any] = {}


async def app(scope: Any, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    deployment, _, path = scope["path"].lstrip("/").partition("/")
    if deployment not in _apps:
        _apps[deployment] = build(*deployment.split("-", 1))
    below = {**scope, "path": f"/{path}", "raw_path": f"/{path}".encode()}
    await _apps[deployment](below, receive, send)


async def main(descriptor: str) -> None:
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.h2_max_concurrent_streams = 1_000_000
    config.keep_alive_max_requests = 1_000_000
    config.keep_alive_timeout = 3600
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)  # type: ignore[arg-type]


asyncio.run(main(sys.argv[1]))
