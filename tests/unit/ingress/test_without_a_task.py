"""Calls and sends that are complete and right are answered without a task, and no caller can tell."""

import asyncio
from typing import Any

import httpx
import pytest

from perdure.clock import SystemClock
from perdure.errors import StoreUnavailable
from perdure.http.server import HttpServer
from perdure.model.registry import Registry

BOUND = 10.0
JSON = b"content-type: application/json\r\n"

both = pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])


class ThroughAsgi:
    """The app, counting what it gets through ASGI."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.paths: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.paths.append(scope["path"])
        await self._app(scope, receive, send)


class Served:
    """The ingress behind its server."""

    def __init__(self, caller: Any, http2: bool) -> None:
        self.gateway = caller.gateway
        self.asgi = ThroughAsgi(caller.app)
        self._app = caller.app
        self._http2 = http2
        self.server: HttpServer
        self.client: httpx.AsyncClient

    async def __aenter__(self) -> "Served":
        self.server = await HttpServer.start(
            self.asgi, "127.0.0.1", 0, SystemClock(), cancel_when_gone=True, answer_directly=self._app.answer_directly
        )
        base = f"http://{self.server.address}"
        self.client = httpx.AsyncClient(
            http1=not self._http2, http2=self._http2, base_url=base, timeout=BOUND, trust_env=False
        )
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.client.aclose()
        await self.server.stop(drain_seconds=0.0)


@both
def test_only_what_is_right_needs_no_task(caller: Any, http2: bool) -> None:
    async def main() -> None:
        async with Served(caller, http2) as served:
            http = served.client
            for path in ("/Probe/greet", "/Counter/k/add?a=b", "/Counter/k/get", "/Flow/k/run"):
                got = await http.get(path)
                assert (got.status_code, got.json()) == (200, "ok")
            assert (await http.get("/Probe/greet/send?delay=1s")).status_code == 202
            assert served.asgi.paths == []
            assert len(served.gateway.records) == 5
            refused = {"/Nope/x": 404, "/Probe/secret": 400, "/Probe/greet?delay=1s": 400, "/Probe": 400}
            for path, status in refused.items():
                assert (await http.get(path)).status_code == status
            assert (await http.options("/Probe/greet")).status_code == 200
            assert (await http.get("/restate/health")).status_code == 200
            assert len(served.asgi.paths) == 6
            assert len(served.gateway.records) == 5

    asyncio.run(main())


@both
def test_a_path_that_was_called_before_means_what_the_registry_says_now(caller: Any, http2: bool) -> None:
    async def main() -> None:
        async with Served(caller, http2) as served:
            gateway = served.gateway
            assert (await served.client.get("/Probe/greet")).status_code == 200
            before = gateway.registry
            gateway.registry = Registry({}, {}, {})
            assert (await served.client.get("/Probe/greet")).status_code == 404
            gateway.registry = before
            assert (await served.client.get("/Probe/greet")).status_code == 200

    asyncio.run(main())


def test_no_more_paths_are_remembered_than_there_is_room_for(caller: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Served(caller, False) as served:
            for key in ("a", "b", "c", "a", "d", "a"):
                assert (await served.client.get(f"/Counter/{key}/get")).status_code == 200
            assert [record.target.key for record in served.gateway.records] == ["a", "b", "c", "a", "d", "a"]

    monkeypatch.setattr("perdure.ingress.app._CALLEES_MAX", 2)
    asyncio.run(main())


@both
@pytest.mark.parametrize(
    ("answer", "status"), [(StoreUnavailable("the disk is full"), 503), (ValueError("odd"), 500), ("nonsense", 500)]
)
def test_what_goes_wrong_later_is_answered(caller: Any, http2: bool, answer: Any, status: int) -> None:
    def fail(*_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def main() -> None:
        async with Served(caller, http2) as served:
            served.gateway.answer = fail
            for path in ("/Probe/greet", "/Probe/greet/send"):
                got = await served.client.get(path, headers={"origin": "http://app.test"})
                assert got.status_code == status
                assert got.headers["access-control-allow-origin"] == "http://app.test"
            served.gateway.answer = None
            assert (await served.client.get("/Probe/greet")).status_code == 200

    asyncio.run(main())


@both
def test_the_limit_of_requests_at_once(new_caller: Any, http2: bool) -> None:
    async def main() -> None:
        caller = new_caller(concurrent_requests_limit=1)
        gateway = caller.gateway
        gateway.hold = asyncio.Event()
        async with Served(caller, http2) as served:
            for _ in range(2):
                gateway.waiting.clear()
                gateway.cancelled.clear()
                # Who goes away makes room.
                async with Served(caller, http2) as left:
                    first = asyncio.create_task(left.client.get("/Probe/slow"))
                    await asyncio.wait_for(gateway.waiting.wait(), BOUND)
                    assert (await served.client.get("/Probe/greet")).status_code == 429
                    first.cancel()
                await asyncio.wait_for(gateway.cancelled.wait(), BOUND)
            gateway.hold.set()
            assert (await served.client.get("/Probe/greet")).status_code == 200

    asyncio.run(main())


def test_answers_come_in_the_order_of_pipelined_requests(caller: Any) -> None:
    async def main() -> None:
        async with Served(caller, False) as served:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
            keys = [f"k{at}" for at in range(400)]
            for at, key in enumerate(keys):
                path = f"/Nope/{key}/x" if at % 3 == 0 else f"/Counter/{key}/add"
                writer.write(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n".encode() + JSON + b"\r\n1")
            for at in range(len(keys)):
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), BOUND)
                assert head.startswith(b"HTTP/1.1 404" if at % 3 == 0 else b"HTTP/1.1 200")
                size = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length"))
                await asyncio.wait_for(reader.readexactly(int(size.partition(b":")[2])), BOUND)
            called = [record.target.key for record in served.gateway.records]
            assert called == [key for at, key in enumerate(keys) if at % 3]
            writer.close()

    asyncio.run(main())


@both
def test_stopping_waits_for_an_answer_and_cuts_off_in_the_end(caller: Any, http2: bool) -> None:
    async def main() -> None:
        gateway = caller.gateway
        async with Served(caller, http2) as served:
            gateway.hold = asyncio.Event()
            first = asyncio.create_task(served.client.get("/Probe/slow"))
            await asyncio.wait_for(gateway.waiting.wait(), BOUND)
            stopped = asyncio.create_task(served.server.stop(drain_seconds=BOUND))
            await asyncio.sleep(0)
            gateway.hold.set()
            assert (await first).status_code == 200
            await asyncio.wait_for(stopped, BOUND)
        gateway.waiting.clear()
        async with Served(caller, http2) as served:
            gateway.hold = asyncio.Event()
            second = asyncio.create_task(served.client.get("/Probe/slow"))
            await asyncio.wait_for(gateway.waiting.wait(), BOUND)
            await served.server.stop(drain_seconds=0.0)
            await asyncio.wait_for(gateway.cancelled.wait(), BOUND)
            with pytest.raises(httpx.TransportError):
                await second
            assert served.server.connections == 0

    asyncio.run(main())


@both
def test_a_body_in_pieces_waits_for_its_end(caller: Any, http2: bool) -> None:
    async def pieces() -> Any:
        for _ in range(3):
            yield b"1"
            await asyncio.sleep(0)

    async def main() -> None:
        async with Served(caller, http2) as served:
            got = await served.client.post(
                "/Probe/greet", content=pieces(), headers={"content-type": "application/json"}
            )
            assert got.status_code == 200
            assert served.gateway.invoke.input.endswith(b"111")

    asyncio.run(main())
