"""An ASGI app behind HTTP/2, for all measured Python services."""

import asyncio
import logging
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config


def run(app: Any, port: int) -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = None
    config.graceful_timeout = 0.5
    # Beyond hypercorn's defaults of 100 streams and 1000 requests per connection: a limit there, or a
    # connection that closes in the middle of a window, would be measured instead of the engine.
    config.h2_max_concurrent_streams = 2**31 - 1
    config.keep_alive_max_requests = 2**31 - 1
    logging.basicConfig(level=logging.CRITICAL)
    asyncio.run(serve(app, config))
