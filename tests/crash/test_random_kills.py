"""`kill -9` of the server and of the endpoint at random moments under load."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .ledger import Ledger, check_invariants
from .load import Load, register
from .processes import Endpoint, Server

pytestmark = pytest.mark.crash

SERVICES = Path(__file__).with_name("services.py")
CALLERS = 6

KillCode = Callable[[random.Random], None]
"""Kills a process with the handlers' code, and sees to it that another one takes its place."""


def crash_and_check(folder: Path, seed: int, *, kills: int, seconds: float) -> None:
    """seconds: no more kills after that."""
    print(f"seed {seed}: set CRASH_SEED to it to see the same kills again")
    traces = folder / "traces"
    traces.mkdir()
    with Endpoint(folder, SERVICES, {"CRASH_TRACES": str(traces)}) as endpoint, Server(folder) as server:
        endpoint.start()
        server.start()
        asyncio.run(register(server, endpoint))

        def kill_endpoint(_chance: random.Random) -> None:
            endpoint.kill()
            endpoint.start()

        asyncio.run(_crash(server, kill_endpoint, traces, seed, kills, time.monotonic() + seconds))
        server.stop()
        assert "Traceback" not in server.errors(), server.errors()
        check_invariants(server.data)


def crash_workers_and_check(folder: Path, seed: int, *, kills: int, seconds: float) -> None:
    """The same with `perdure dev` and two workers. seconds: as above."""
    print(f"seed {seed}: set CRASH_SEED to it to see the same kills again")
    traces = folder / "traces"
    traces.mkdir()
    command = ["dev", str(SERVICES), "--workers=2"]
    with Server(folder, *command, environment={"CRASH_TRACES": str(traces)}) as server:
        server.start()

        def kill_a_worker(chance: random.Random) -> None:
            workers = server.children()
            if workers:
                os.kill(chance.choice(workers), signal.SIGKILL)

        asyncio.run(_crash(server, kill_a_worker, traces, seed, kills, time.monotonic() + seconds))
        server.stop()
        check_invariants(server.data)


async def _crash(server: Server, kill_code: KillCode, traces: Path, seed: int, kills: int, end: float) -> None:
    chance = random.Random(seed)
    ledger = Ledger(server.data)
    async with Load(server, traces, seed) as load:
        callers = [asyncio.create_task(load.caller()) for _ in range(CALLERS)]
        killing = asyncio.create_task(_kill(server, kill_code, ledger, chance, kills, end))
        # A caller that fails ends the test at once; none of them ends by itself before `stopping`.
        await asyncio.wait((killing, *callers), return_when=asyncio.FIRST_COMPLETED)
        load.stopping = True
        await asyncio.gather(killing, *callers)
        print(f"{len(load.asked)} requests were answered over {killing.result()} kills")
        await load.verify()
        assert len(load.asked) > kills, "the callers hardly got anything done"


async def _kill(
    server: Server, kill_code: KillCode, ledger: Ledger, chance: random.Random, kills: int, end: float
) -> int:
    """Returns: how many there were."""
    done = 0
    while done < kills and time.monotonic() < end:
        await asyncio.sleep(chance.uniform(0.02, 0.5))
        if chance.random() < 0.25:
            await asyncio.to_thread(kill_code, chance)
        else:
            server.kill()
            ledger.look()
            await asyncio.to_thread(server.start)
        done += 1
    await asyncio.sleep(0.2)
    return done


def seed_of_the_day(default: int) -> int:
    return int(os.environ.get("CRASH_SEED", default))


def test_a_few_kills(tmp_path: Path) -> None:
    crash_and_check(tmp_path, seed_of_the_day(1), kills=8, seconds=15)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_hundred_kills(tmp_path: Path) -> None:
    crash_and_check(tmp_path, seed_of_the_day(random.randrange(10**6)), kills=100, seconds=600)


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_kills_of_a_server_with_workers(tmp_path: Path) -> None:
    crash_workers_and_check(tmp_path, seed_of_the_day(random.randrange(10**6)), kills=25, seconds=120)
