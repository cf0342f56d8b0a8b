"""An app that serves itself: both protocols on one port, both directions open, and an end that was asked for."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

import perdure as restate
from perdure.http.server import CannotListen
from perdure.protocol import versions
from support.client import wait_for
from support.processes import Program, free_addresses

SOURCES = Path(__file__).resolve().parents[2] / "src"
PROGRAM = """
import asyncio, sys
import perdure

service = perdure.Service("S")

@service.handler()
async def greet(ctx: perdure.Context, name: str) -> str:
    return f"hello {name}"

asyncio.run(perdure.app([service]).serve(int(sys.argv[1])))
print("ended well", flush=True)
"""


@pytest.fixture
def served(tmp_path: Path) -> tuple[Program, str]:
    (address,) = free_addresses(1)
    command = [sys.executable, "-c", PROGRAM, address.rpartition(":")[2]]
    program = Program(command, tmp_path / "log", {"PYTHONPATH": str(SOURCES)})
    yield program, f"http://{address}"
    program.kill()


def discovered(uri: str, http2: bool) -> dict[str, object] | None:
    try:
        with httpx.Client(http1=not http2, http2=http2) as client:
            answer = client.get(f"{uri}/discover", headers={"accept": versions.MANIFEST_ACCEPT})
    except httpx.TransportError:
        return None
    assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    found: dict[str, object] = answer.json()
    return found


def test_both_protocols_on_one_port_until_it_is_asked_to_end(served: tuple[Program, str]) -> None:
    program, uri = served
    wait_for(lambda: discovered(uri, http2=True), "the app to listen", 30)
    over_http2, over_http1 = discovered(uri, http2=True), discovered(uri, http2=False)
    assert over_http2 is not None
    assert over_http1 is not None
    assert over_http2["protocolMode"] == "BIDI_STREAM"
    assert over_http1["protocolMode"] == "REQUEST_RESPONSE"
    os.kill(program.pid, signal.SIGTERM)
    wait_for(lambda: "ended well" in program.log_end(), "the app to end", 30)


def test_a_port_that_is_taken() -> None:
    app = restate.app([restate.Service("S")])
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CannotListen, match="listens there already"):
        asyncio.run(app.serve(taken.getsockname()[1]))


def test_a_server_ends_with_its_task() -> None:
    async def run() -> None:
        serving = asyncio.ensure_future(restate.app([restate.Service("S")]).serve(0))
        await asyncio.sleep(0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(10):
                await serving

    asyncio.run(run())
