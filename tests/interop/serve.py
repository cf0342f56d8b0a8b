"""Serves the app of a file with hypercorn, over HTTP/1.1 and HTTP/2, on an inherited socket: `serve.py FILE FD`."""

import asyncio
import importlib
import sys
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config


async def main(file: Path, descriptor: str) -> None:
    sys.path.insert(0, str(file.parent))
    app = importlib.import_module(file.stem).app
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    # The server keeps connections open and puts as many streams on them as it likes.
    config.h2_max_concurrent_streams = 1_000_000
    config.keep_alive_max_requests = 1_000_000
    config.keep_alive_timeout = 3600
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
