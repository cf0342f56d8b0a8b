"""The callers' API behind the real HTTP server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from perdure.clock import SystemClock
from perdure.http.server import HttpServer
from perdure.protocol.messages_pb2 import InputCommandMessage

BOUND = 10.0
RAW = {"content-type": "application/octet-stream"}

both = pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])


@asynccontextmanager
async def serving(caller: Any) -> AsyncIterator[HttpServer]:
    app = caller.app
    server = await HttpServer.start(
        app, "127.0.0.1", 0, SystemClock(), cancel_when_gone=True, answer_directly=app.answer_directly
    )
    try:
        yield server
    finally:
        await server.stop(drain_seconds=0.0)


def client(server: HttpServer, http2: bool) -> httpx.AsyncClient:
    base = f"http://{server.address}"
    return httpx.AsyncClient(http1=not http2, http2=http2, base_url=base, timeout=BOUND, trust_env=False)


async def in_pieces(body: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


@both
def test_calls_with_odd_keys(caller: Any, http2: bool) -> None:
    async def main() -> None:
        async with serving(caller) as server, client(server, http2) as http:
            for path, key in (
                ("/Counter/%2525/add", "%25"),
                ("/Counter/a%2Fb/add/", "a/b"),
                ("/Counter/a+b/add", "a+b"),
            ):
                caller.gateway.records.clear()
                got = await http.post(path, json=1)
                assert (got.status_code, got.json()) == (200, "ok")
                assert got.headers["x-restate-id"] == caller.gateway.invoke.id
                assert caller.gateway.invoke.target.key == key
                message = InputCommandMessage.FromString(caller.gateway.invoke.input)
                assert (message.headers[0].key, message.headers[0].value) == ("x-restate-ingress-path", path)
                assert "host" not in {header.key for header in message.headers}

    asyncio.run(main())


@both
def test_head_gets_a_head_only(caller: Any, http2: bool) -> None:
    async def main() -> None:
        async with serving(caller) as server, client(server, http2) as http:
            got = await http.head("/Probe/noinput")
            assert (got.status_code, got.content) == (405, b"")

    asyncio.run(main())


@both
def test_bodies_above_the_limit(new_caller: Any, http2: bool) -> None:
    async def main() -> None:
        caller = new_caller(request_size_limit=100_000)
        async with serving(caller) as server, client(server, http2) as http:
            got = await http.post("/Probe/raw", content=b"x" * 2_000_000, headers=RAW)
            assert (got.status_code, got.text) == (413, "length limit exceeded")
            assert got.headers["content-type"] == "text/plain; charset=utf-8"
            assert "access-control-allow-credentials" not in got.headers
            got = await http.post("/Probe/raw", content=in_pieces(b"x" * 130_000), headers=RAW)
            assert (got.status_code, got.json()["message"]) == (413, "cannot read body: LengthLimitError")
            assert caller.gateway.records == []
            got = await http.post("/Probe/raw", content=in_pieces(b"x" * 100_000), headers=RAW)
            assert got.status_code == 200
            assert len(InputCommandMessage.FromString(caller.gateway.invoke.input).value.content) == 100_000

    asyncio.run(main())


@both
@pytest.mark.parametrize("path", ["/Probe/slow", "/restate/attach/inv_13AWhwuVklhN2UkNp1jhUFrJFKrK1FYdeP"])
def test_a_caller_that_goes_away_frees_its_task_and_nothing_else(caller: Any, http2: bool, path: str) -> None:
    async def main() -> None:
        gateway = caller.gateway
        gateway.hold = asyncio.Event()
        async with serving(caller) as server:
            async with client(server, http2) as http:
                request = asyncio.create_task(http.get(path))
                await asyncio.wait_for(gateway.waiting.wait(), BOUND)
                request.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await request
            await asyncio.wait_for(gateway.cancelled.wait(), BOUND)
        assert len(gateway.records) + len(gateway.asked) == 1

    asyncio.run(main())


@pytest.mark.parametrize(("size", "status"), [(b"50000000", b"413"), (b"5", b"404")])
def test_a_client_that_asks_before_it_sends_hears_a_refusal_at_once(caller: Any, size: bytes, status: bytes) -> None:
    async def main() -> None:
        async with serving(caller) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            head = b"POST /Nope/x HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: "
            writer.write(head + size + b"\r\n\r\n")
            got = await asyncio.wait_for(reader.read(), BOUND)
            assert got.startswith(b"HTTP/1.1 " + status)
            writer.close()

    asyncio.run(main())
