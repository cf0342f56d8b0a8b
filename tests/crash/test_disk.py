"""A disk that is full or failing under a whole server: who asks then is told so, and nothing acknowledged is lost."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest
import restate
from restate import Context, ObjectContext, ObjectSharedContext, Service, VirtualObject
from structlog.testing import capture_logs

from perdure.node.node import Node
from perdure.node.settings import load_settings
from perdure.storage.sqlite.store import SqliteStore
from support.faulty_vfs import FaultyDisk

from .ledger import check_invariants

pytestmark = pytest.mark.crash

FAULTY = 0.01
"""Share of the calls that fail: that much more of the commits do, as each makes dozens of calls."""

FAULTS = {"full": apsw.FullError, "failing": apsw.IOError}


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    disk = FaultyDisk("faulty-node")
    yield disk
    gc.collect()
    disk.close()


class Bench:
    """A server in this process on that disk, its services, and a client."""

    def __init__(self, node: Node, client: httpx.AsyncClient) -> None:
        self.node = node
        self.client = client

    async def post(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        headers = {"idempotency-key": key} if key else {}
        return await self.client.post(f"{self.node.ingress_url}{path}", json=body, headers=headers)

    async def insist(self, path: str, body: Any, key: str) -> Any:
        """As callers do: again with the same key, until it is done."""
        async with asyncio.timeout(30):
            while (answer := await self.post(path, body, key)).status_code == 503:
                await asyncio.sleep(0.01)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()


def services(gate: asyncio.Event, executed: list[str]) -> Any:
    counter, slow = VirtualObject("Counter"), Service("Slow")

    @counter.handler()
    async def add(ctx: ObjectContext, amount: int) -> int:
        value = (await ctx.get("count", type_hint=int) or 0) + amount
        ctx.set("count", value)
        return value

    @counter.handler(kind="shared")
    async def count(ctx: ObjectSharedContext) -> int:
        return await ctx.get("count", type_hint=int) or 0

    @slow.handler()
    async def work(ctx: Context, name: str) -> str:
        async def step() -> str:
            executed.append(name)
            await gate.wait()
            return name

        first = await ctx.run_typed("step", step)
        await ctx.sleep(timedelta(milliseconds=30))
        return f"{first} done"

    return restate.app([counter, slow])


@asynccontextmanager
async def serving(folder: Path, disk: FaultyDisk, app: Any) -> AsyncIterator[Bench]:
    overrides = {
        "ingress": "127.0.0.1:0",
        "admin": "127.0.0.1:0",
        "data": folder / "data",
        "retry.initial_interval": "10ms",
        "retry.max_interval": "100ms",
        "shutdown_timeout": "200ms",
    }
    node = Node(load_settings(None, overrides), open_store=partial(SqliteStore, vfs=disk.name))
    try:
        await node.start()
        await node.add_app("app", app)
        async with httpx.AsyncClient(timeout=20) as client:
            yield Bench(node, client)
    finally:
        await node.stop()


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(40):
            await scene()

    with capture_logs() as logged:
        asyncio.run(bounded())
    defects = [entry for entry in logged if entry["log_level"] in ("error", "critical") and "exc_info" in entry]
    assert not defects, defects


@pytest.mark.parametrize(("fault", "where"), [("full", "write"), ("failing", "sync")])
def test_while_the_disk_is_ill(tmp_path: Path, disk: FaultyDisk, fault: str, where: str) -> None:
    executed: list[str] = []

    async def scene() -> None:
        gate = asyncio.Event()
        async with serving(tmp_path, disk, services(gate, executed)) as bench:
            assert (await bench.post("/Counter/a/add", 5, "k0")).json() == 5
            running = asyncio.create_task(bench.insist("/Slow/work", "w", "w"))
            async with asyncio.timeout(10):
                while not executed:
                    await asyncio.sleep(0.005)

            disk.reset(lambda kind, _number: FAULTS[fault] if kind == where else None)
            for number in range(5):
                refused = await bench.post("/Counter/a/add", 1, f"lost{number}")
                assert refused.status_code == 503
                assert "E0301" in refused.text
            registered = await bench.client.post(
                f"{bench.node.admin_url}/deployments", json={"uri": "http://127.0.0.1:9/"}
            )
            assert registered.status_code >= 400
            # What the handler says now cannot be stored: it must say it again later.
            gate.set()
            await asyncio.sleep(0.1)
            assert not running.done() or running.result() is None
            assert (await bench.client.get(f"{bench.node.admin_url}/health")).status_code == 200

            disk.reset()
            assert await running == "w done"
            assert (await bench.post("/Counter/a/add", 5, "k0")).json() == 5, "what was acknowledged is there"
            assert await bench.insist("/Counter/a/add", 1, "lost0") == 6, "what was refused never happened"

    run(scene)
    check_invariants(tmp_path / "data")


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 40))])
def test_a_disk_that_fails_now_and_then(tmp_path: Path, disk: FaultyDisk, seed: int) -> None:
    chance = random.Random(seed)

    async def scene() -> None:
        gate = asyncio.Event()
        gate.set()
        async with serving(tmp_path, disk, services(gate, [])) as bench:
            failed = 0

            def fails(_kind: str, _number: int) -> type[apsw.Error] | None:
                nonlocal failed
                ill = chance.random() < FAULTY
                failed += ill
                return chance.choice(list(FAULTS.values())) if ill else None

            disk.reset(fails)

            async def caller(name: int) -> list[int]:
                values = [await bench.insist(f"/Counter/{name % 2}/add", 1, f"{name}-{n}") for n in range(8)]
                assert await bench.insist("/Slow/work", str(name), f"slow{name}") == f"{name} done"
                return values

            answers = await asyncio.gather(*(caller(name) for name in range(6)))
            disk.reset()
            assert failed, "the disk never failed: the test tests nothing"
            for key in (0, 1):
                values = sorted(value for name in range(key, 6, 2) for value in answers[name])
                assert values == list(range(1, 25)), f"seed {seed}"
                found = await bench.client.get(f"{bench.node.ingress_url}/Counter/{key}/count")
                assert found.json() == 24

    run(scene)
    check_invariants(tmp_path / "data")


def test_nothing_else_is_open_afterwards(tmp_path: Path, disk: FaultyDisk) -> None:
    """The disk is still full when the server stops: it stops, and the next one starts."""

    async def scene() -> None:
        async with serving(tmp_path, disk, services(asyncio.Event(), [])) as bench:
            assert (await bench.post("/Counter/a/add", 5, "k0")).json() == 5
            await bench.post("/Slow/work/send", "w")
            disk.reset(lambda _kind, _number: apsw.FullError)
        disk.reset()
        gate = asyncio.Event()
        gate.set()
        async with serving(tmp_path, disk, services(gate, [])) as bench:
            assert (await bench.post("/Counter/a/add", 5, "k0")).json() == 5

    run(scene)
    check_invariants(tmp_path / "data")
