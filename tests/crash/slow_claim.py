"""The insurance claim of the examples, slowed down to one frame at a time, with its steps counted."""

import asyncio
import functools
import os
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "examples" / "insurance_claim" / "claim.py"
TRACES = Path(os.environ["CRASH_TRACES"])
PAUSE_S = 0.03
"""Between two frames: time enough to see how long the journal is, and to kill the server."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def _counted(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    def counted(**arguments: Any) -> Any:
        with open(TRACES / name, "ab", buffering=0) as file:
            file.write(b"x")
        return run(**arguments)

    return counted


def _load() -> Any:
    sys.path.insert(0, str(EXAMPLE.parent))
    import claim

    for name in ("parse_documents", "convert_to_usd", "reimburse"):
        setattr(claim, name, _counted(name, getattr(claim, name)))
    return claim.app


_app = _load()


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] != "http" or not scope["path"].endswith("/InsuranceClaim/run"):
        await _app(scope, receive, send)
        return
    pending = bytearray()

    async def send_slowly(message: dict[str, Any]) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        pending.extend(message.get("body", b""))
        while len(pending) >= 8 and len(pending) >= (size := 8 + struct.unpack_from(">I", pending, 4)[0]):
            frame = bytes(pending[:size])
            del pending[:size]
            await asyncio.sleep(PAUSE_S)
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        if not message.get("more_body", False):
            await send({"type": "http.response.body", "body": bytes(pending)})

    await _app(scope, receive, send_slowly)
