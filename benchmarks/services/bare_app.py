"""Handlers without an SDK: an ASGI app that answers the service protocol from bytes made beforehand.

What is then measured is the server alone. As an app for the in-memory transport and the worker link, or by itself
behind HTTP/2: `bare_app.py PORT`.

Every piece the server sends is taken for the answer to what was proposed last, which holds as long as one thing at a
time is asked for.
"""

import json
import struct
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

ACK = 0x8000


def frame(message_type: int, payload: bytes, flags: int = 0) -> bytes:
    return struct.pack(">HHI", message_type, flags, len(payload)) + payload


END = frame(0x0003, b"")
OUTPUT = frame(0x0401, bytes.fromhex("72030a0131")) + END
"""The output `1`, and the end."""
SET_VALUE = frame(0x0403, bytes.fromhex("0a0576616c75651a030a0131"))
"""The state `value` becomes `1`."""


def run_command(number: int) -> bytes:
    """A run block named `step`. number: its completion id, below 128."""
    return frame(0x0411, bytes([0x58, number]) + bytes.fromhex("620473746570"))


def proposal(number: int, flags: int) -> bytes:
    """The result `1` of a run block."""
    return frame(0x0005, bytes([0x08, number]) + bytes.fromhex("720131"), flags)


STEPS = [run_command(number) + proposal(number, ACK) for number in range(1, 101)]
COMMANDS = [run_command(number) for number in range(1, 101)]
PROPOSALS = [proposal(number, 0) for number in range(1, 101)]

MANIFEST = {
    "minProtocolVersion": 5,
    "maxProtocolVersion": 7,
    "protocolMode": "BIDI_STREAM",
    "services": [
        {"name": "Echo", "ty": "SERVICE", "handlers": [{"name": "echo"}]},
        {"name": "Steps", "ty": "SERVICE", "handlers": [{"name": "run3"}, {"name": "run10"}]},
        {"name": "SlowSteps", "ty": "SERVICE", "handlers": [{"name": "run3"}, {"name": "run10"}]},
        {"name": "Counter", "ty": "VIRTUAL_OBJECT", "handlers": [{"name": "add", "ty": "EXCLUSIVE"}]},
    ],
}

SCRIPTS: dict[str, list[bytes]] = {
    "/invoke/Echo/echo": [OUTPUT],
    # The command and its result together, the answer a bare ack.
    "/invoke/Steps/run3": [*STEPS[:3], OUTPUT],
    "/invoke/Steps/run10": [*STEPS[:10], OUTPUT],
    "/invoke/Counter/add": [SET_VALUE + OUTPUT],
}
SLOW = {
    # First the command, then its result, the answer a whole notification.
    "/invoke/SlowSteps/run3": 3,
    "/invoke/SlowSteps/run10": 10,
}


def pieces(path: str) -> Iterator[tuple[bytes, bool]]:
    """What to send before the last piece, and whether an answer comes."""
    if path in SLOW:
        for number in range(SLOW[path]):
            yield COMMANDS[number], False
            yield PROPOSALS[number], True
    else:
        for piece in SCRIPTS[path][:-1]:
            yield piece, True


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    path = scope["path"]
    if path == "/discover":
        head = [(b"content-type", dict(scope["headers"])[b"accept"].split(b",")[0].strip())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": json.dumps(MANIFEST).encode(), "more_body": False})
        return
    content_type = next(value for name, value in scope["headers"] if name == b"content-type")
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]})
    for piece, answered in pieces(path):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        if answered:
            await receive()
    last = OUTPUT if path in SLOW else SCRIPTS[path][-1]
    await send({"type": "http.response.body", "body": last, "more_body": True})
    # As the SDKs do: hypercorn does not survive a response that ends before its request.
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.body", "body": b"", "more_body": False})


if __name__ == "__main__":
    import http2_server

    http2_server.run(app, int(sys.argv[1]))
