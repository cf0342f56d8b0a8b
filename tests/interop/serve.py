"""Serves `services.py` with hypercorn, in HTTP/1.1 and HTTP/2, on an inherited socket: `python serve.py FD`."""

import asyncio
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config

from services import app


async def main(descriptor: str) -> None:
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    # The server keeps connections open and puts as many streams on them as it likes.
    config.h2_max_concurrent_streams = 1_000_000
    config.keep_alive_max_requests = 1_000_000
    config.keep_alive_timeout = 3600
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)  # type: ignore[arg-type]


asyncio.run(main(sys.argv[1]))
