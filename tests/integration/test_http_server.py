"""The HTTP server over real sockets: both protocols on one port, bodies, disconnects, limits, stopping."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvloop

from perdure.clock import SystemClock
from perdure.http.connection import ServerLimits
from perdure.http.server import CannotListen, HttpServer

BOUND = 10.0
"""Seconds that any single wait may take."""


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Awaitable[None]], None]:
    def run_it(main: Any) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(main, 30))

    return run_it


class App:
    """Echoes; `seen` holds what it was asked, and `events` what became of requests that wait."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.waiting = asyncio.Event()
        self.release = asyncio.Event()
        self.ended = asyncio.Event()
        self.how = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        match scope["path"]:
            case "/early":
                await answer(send, 413, b"too large")
            case "/wait":
                await self.wait(send)
            case "/hear":
                await self.hear(receive)
            case "/stream":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                for _ in range(50):
                    await send({"type": "http.response.body", "body": b"x" * 40_000, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            case "/broken":
                raise RuntimeError("defect")
            case "/half":
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                raise RuntimeError("defect")
            case "/status/204":
                await answer(send, 204, b"")
            case "/status/999":
                await answer(send, 999, b"odd")
            case _:
                await answer(send, 200, await read(receive))

    async def wait(self, send: Any) -> None:
        self.waiting.set()
        try:
            await self.release.wait()
            await answer(send, 200, b"released")
            self.how = "answered"
        except asyncio.CancelledError:
            self.how = "cancelled"
            raise
        finally:
            self.ended.set()

    async def hear(self, receive: Any) -> None:
        await read(receive)
        self.waiting.set()
        self.how = (await receive())["type"]
        self.ended.set()


async def read(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))] if status != 204 else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(app: App, **options: Any) -> AsyncIterator[HttpServer]:
    server = await HttpServer.start(app, "127.0.0.1", 0, SystemClock(), **options)
    try:
        yield server
    finally:
        await server.stop(drain_seconds=0.0)


@asynccontextmanager
async def client(server: HttpServer, http2: bool) -> AsyncIterator[httpx.AsyncClient]:
    base = f"http://{server.address}"
    async with httpx.AsyncClient(http1=not http2, http2=http2, base_url=base, timeout=BOUND, trust_env=False) as found:
        yield found


async def raw(server: HttpServer, *pieces: bytes) -> bytes:
    """Everything the server says until it closes, after these pieces were sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await asyncio.wait_for(reader.read(), BOUND)
    finally:
        writer.close()


both = pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])


@both
def test_requests_and_bodies(run: Any, http2: bool) -> None:
    async def main() -> None:
        app = App()
        async with serving(app) as server, client(server, http2) as http:
            got = await http.post("/a%2Fb/%C3%BC%ff?q=%20&r", content=b"abc", headers={"X-Some": "1"})
            assert (got.status_code, got.content) == (200, b"abc")
            assert got.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
            assert got.headers["date"].endswith(" GMT")
            (scope,) = app.seen
            assert (scope["raw_path"], scope["query_string"]) == (b"/a%2Fb/%C3%BC%ff", b"q=%20&r")
            assert scope["path"].startswith("/a/b/ü")
            assert (b"x-some", b"1") in scope["headers"]
            assert dict(scope["headers"])[b"host"] == server.address.encode()
            assert (await http.get("/")).content == b""
            for size in (1, 65_536, 300_000, 9_000_000):
                got = await http.post("/", content=b"z" * size)
                assert got.content == b"z" * size

            async def pieces() -> AsyncIterator[bytes]:
                for _ in range(20):
                    yield b"piece" * 1000

            assert (await http.post("/", content=pieces())).content == b"piece" * 20_000
            assert len((await http.get("/stream")).content) == 2_000_000

    run(main())


@both
def test_head_and_odd_statuses(run: Any, http2: bool) -> None:
    async def main() -> None:
        async with serving(App()) as server, client(server, http2) as http:
            got = await http.head("/status/999")
            assert (got.status_code, got.content, got.headers["content-length"]) == (999, b"", "3")
            got = await http.get("/status/999")
            assert (got.status_code, got.content) == (999, b"odd")
            got = await http.get("/status/204")
            assert (got.status_code, got.content) == (204, b"")
            assert (await http.post("/", content=b"still there")).content == b"still there"

    run(main())


@both
def test_many_requests_at_once(run: Any, http2: bool) -> None:
    async def main() -> None:
        async with serving(App()) as server, client(server, http2) as http:
            bodies = [b"%d" % n * (n + 1) for n in range(150)]
            got = await asyncio.gather(*(http.post("/", content=body) for body in bodies))
            assert [r.content for r in got] == bodies

    run(main())


@both
def test_an_answer_before_the_body_is_read(run: Any, http2: bool) -> None:
    async def main() -> None:
        async with serving(App()) as server, client(server, http2) as http:
            got = await http.post("/early", content=b"x" * 3_000_000)
            assert (got.status_code, got.content) == (413, b"too large")
            assert (await http.post("/", content=b"next")).content == b"next"

    run(main())


def test_an_early_answer_arrives_while_the_client_still_sends(run: Any) -> None:
    async def main() -> None:
        async with serving(App(), limits=ServerLimits(linger_seconds=0.3)) as server:
            got = await raw(server, b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n", b"x" * 1000)
            assert got.startswith(b"HTTP/1.1 413 ")
            assert b"connection: close\r\n" in got
            assert got.endswith(b"\r\n\r\ntoo large")

    run(main())


@both
def test_an_early_answer_to_a_small_body_keeps_the_connection(run: Any, http2: bool) -> None:
    async def main() -> None:
        app = App()
        async with serving(app) as server, client(server, http2) as http:
            for _ in range(3):
                assert (await http.post("/early", content=b"x" * 1000)).status_code == 413
            assert len({scope["client"] for scope in app.seen}) == 1

    run(main())


@both
@pytest.mark.parametrize("path", ["/wait", "/hear"])
def test_a_client_that_goes_away(run: Any, http2: bool, path: str) -> None:
    async def main() -> None:
        app = App()
        async with serving(app, cancel_when_gone=path == "/wait") as server:
            async with client(server, http2) as http:
                request = asyncio.create_task(http.post(path, content=b"x"))
                await asyncio.wait_for(app.waiting.wait(), BOUND)
                request.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await request
            await asyncio.wait_for(app.ended.wait(), BOUND)
            assert app.how == ("cancelled" if path == "/wait" else "http.disconnect")

    run(main())


@both
def test_a_broken_app(run: Any, http2: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with serving(App()) as server, client(server, http2) as http:
            assert (await http.get("/broken")).status_code == 500
            with pytest.raises(httpx.RemoteProtocolError):
                await http.get("/half")
            assert (await http.post("/", content=b"goes on")).content == b"goes on"

    run(main())
    assert caplog.text.count("RuntimeError: defect") == 2


def test_expect_continue(run: Any) -> None:
    async def main() -> None:
        async with serving(App()) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            head = (
                b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n"
            )
            writer.write(head)
            assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), BOUND) == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"hello")
            rest = await asyncio.wait_for(reader.read(), BOUND)
            assert rest.startswith(b"HTTP/1.1 200 OK\r\n")
            assert rest.endswith(b"\r\n\r\nhello")
            writer.close()
            got = await raw(server, head.replace(b"POST /", b"POST /early"))
            assert got.startswith(b"HTTP/1.1 413 ")

    run(main())


def test_pipelined_requests_are_answered_in_order(run: Any) -> None:
    async def main() -> None:
        async with serving(App()) as server:
            one = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n%02d"
            last = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
            got = await raw(server, b"".join(one % n for n in range(40)) + last)
            assert got.count(b"HTTP/1.1 200 OK") == 41
            places = [got.index(b"\r\n\r\n%02d" % n) for n in range(40)]
            assert places == sorted(places)

    run(main())


@pytest.mark.parametrize(
    ("request_bytes", "start"),
    [
        (b"garbage\r\n\r\n", b"HTTP/1.1 400 "),
        (b"\x16\x03\x01\x02\x00\x01", b"HTTP/1.1 400 "),
        (
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 400 ",
        ),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1x\r\n\r\n", b"HTTP/1.1 400 "),
        (b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"x" * 70_000 + b"\r\n\r\n", b"HTTP/1.1 431 "),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", b"HTTP/1.1 431 "),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"HTTP/1.1 431 "),
        (b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK"),
        (b"GET http://x/echo?y HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", b"HTTP/1.1 200 OK"),
        (
            b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\nhttp2-settings: AAMA\r\n\r\n"
            b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
            b"HTTP/1.1 200 OK",
        ),
        (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + b"x" * 50, b"HTTP/1.1 400 "),
    ],
)
def test_what_is_not_a_proper_request(run: Any, request_bytes: bytes, start: bytes) -> None:
    async def main() -> None:
        async with serving(App(), limits=ServerLimits(linger_seconds=0.1)) as server:
            got = await raw(server, request_bytes)
            assert got.startswith(start)

    run(main())


def test_an_endless_head_is_cut_off(run: Any) -> None:
    async def main() -> None:
        app = App()
        async with serving(app, limits=ServerLimits(linger_seconds=0.1)) as server:
            got = await raw(server, b"GET / HTTP/1.1\r\nhost: x\r\na: ", *[b"x" * 10_000] * 20)
            assert got.startswith(b"HTTP/1.1 431 ")
            assert app.seen == []

    run(main())


@pytest.mark.parametrize("rest", [b"zz\r\n", b"5\r\nhello\r\n0\r\na: " + b"x" * 300_000])
def test_a_broken_body_ends_the_request(run: Any, rest: bytes) -> None:
    async def main() -> None:
        app = App()
        async with serving(app, cancel_when_gone=True) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"POST /wait HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
            await asyncio.wait_for(app.waiting.wait(), BOUND)
            writer.write(rest)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), BOUND) == b""
            await asyncio.wait_for(app.ended.wait(), BOUND)
            assert app.how == "cancelled"
            writer.close()

    run(main())


def test_trailers_are_swallowed(run: Any) -> None:
    async def main() -> None:
        app = App()
        async with serving(app) as server:
            head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
            got = await raw(server, head + b"2\r\nab\r\n0\r\nx-trailer: 1\r\n\r\n")
            assert got.endswith(b"\r\n\r\nab")
            assert b"x-trailer" not in dict(app.seen[0]["headers"])

    run(main())


def test_the_preface_may_come_in_pieces(run: Any) -> None:
    async def main() -> None:
        async with serving(App()) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            for piece in (b"P", b"RI * HTTP/2.0\r\n", b"\r\nSM\r\n\r\n", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            settings = await asyncio.wait_for(reader.readexactly(9), BOUND)
            assert settings[3] == 4
            writer.close()
            got = await raw(server, b"P", b"OST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert got.startswith(b"HTTP/1.1 200 OK")

    run(main())


def test_silent_connections_are_closed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perdure.http.server._SWEEP_SECONDS", 0.02)

    async def main() -> None:
        async with serving(App(), limits=ServerLimits(idle_seconds=0.05)) as server:
            assert await raw(server) == b""
            assert await raw(server, b"GET / HTTP/1.1\r\nho") == b""
            assert await raw(server, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab") == b""
            got = await raw(server, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert got.startswith(b"HTTP/1.1 200 OK")

    run(main())


def test_a_waiting_call_is_not_a_silent_connection(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perdure.http.server._SWEEP_SECONDS", 0.01)

    async def main() -> None:
        app = App()
        async with serving(app, limits=ServerLimits(idle_seconds=0.02)) as server, client(server, False) as http:
            request = asyncio.create_task(http.get("/wait"))
            await asyncio.wait_for(app.waiting.wait(), BOUND)
            await raw(server)  # by the time this one was swept away, the waiting one was looked at too
            app.release.set()
            assert (await request).content == b"released"

    run(main())


@both
def test_stopping_lets_a_request_end(run: Any, http2: bool) -> None:
    async def main() -> None:
        app = App()
        server = await HttpServer.start(app, "127.0.0.1", 0, SystemClock())
        async with client(server, http2) as http:
            request = asyncio.create_task(http.get("/wait"))
            await asyncio.wait_for(app.waiting.wait(), BOUND)
            stopping = asyncio.create_task(server.stop())
            await asyncio.sleep(0)
            app.release.set()
            assert (await request).content == b"released"
            await asyncio.wait_for(stopping, BOUND)
        with pytest.raises(OSError, match=r".+"):
            await asyncio.open_connection("127.0.0.1", server.port)
        await server.stop()

    run(main())


@both
def test_stopping_cuts_off_what_does_not_end(run: Any, http2: bool) -> None:
    async def main() -> None:
        app = App()
        server = await HttpServer.start(app, "127.0.0.1", 0, SystemClock())
        async with client(server, http2) as http:
            request = asyncio.create_task(http.get("/wait"))
            await asyncio.wait_for(app.waiting.wait(), BOUND)
            await server.stop(drain_seconds=0.0)
            assert app.how == "cancelled"
            with pytest.raises(httpx.TransportError):
                await request

    run(main())


def test_a_taken_port(run: Any) -> None:
    async def main() -> None:
        async with serving(App()) as server:
            assert server.port > 0
            with pytest.raises(CannotListen, match="already") as error:
                await HttpServer.start(App(), "127.0.0.1", server.port, SystemClock())
            assert error.value.code == "E0204"
            async with serving(App()) as admin, client(server, False) as one, client(admin, True) as other:
                assert (await one.get("/")).status_code == (await other.get("/")).status_code == 200

    run(main())


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine(run: Any, host: str) -> None:
    async def main() -> None:
        with pytest.raises(CannotListen, match="cannot listen"):
            await HttpServer.start(App(), host, 0, SystemClock())

    run(main())


def test_all_addresses_of_a_name_share_the_port(run: Any) -> None:
    async def main() -> None:
        server = await HttpServer.start(App(), "localhost", 0, SystemClock())
        try:
            with socket.create_connection(("localhost", server.port), timeout=BOUND):
                pass
        finally:
            await server.stop(drain_seconds=0.0)

    run(main())
