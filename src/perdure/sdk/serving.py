"""Serves an app with this package's own server: HTTP/1.1 and HTTP/2, both directions open at once."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

from perdure.clock import SystemClock
from perdure.http.connection import ServerLimits
from perdure.http.server import HttpServer

_STREAMS: Final = 1024
"""Attempts at once on one connection; a server opens as many connections as it needs."""
_IDLE_SECONDS: Final = 600.0
_DRAIN_SECONDS: Final = 10.0


async def serve(app: Callable[..., Awaitable[Any]], port: int = 9080, host: str = "127.0.0.1") -> None:
    """Serves an app until the task is cancelled, or SIGINT or SIGTERM asks the process to end.

        asyncio.run(perdure.serve(app, port=9080))

    HTTP/1.1 and HTTP/2 with prior knowledge, without TLS; one line on standard error tells where. At the end running
    attempts get ten seconds to come to theirs, and go on elsewhere if they do not.

    app: any ASGI app.
    port: the port to listen on; 0 lets the system choose, and the line on standard error says which.
    host: whose address.
    Raises: CannotListen (E0204).
    """
    limits = ServerLimits(streams=_STREAMS, idle_seconds=_IDLE_SECONDS)
    server = await HttpServer.start(app, host, port, SystemClock(), limits=limits)
    print(f"serving on http://{server.address}", file=sys.stderr, flush=True)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    watched = []
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopping.set)
        except (NotImplementedError, RuntimeError, ValueError):
            continue  # not in the main thread, or a system without them: whoever runs the loop ends it
        watched.append(number)
    try:
        await stopping.wait()
    finally:
        for number in watched:
            loop.remove_signal_handler(number)
        await server.stop(_DRAIN_SECONDS)
