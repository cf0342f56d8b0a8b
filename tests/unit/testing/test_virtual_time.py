"""Time passes when there is nothing else to do, and then at once."""

import asyncio
import threading
from datetime import timedelta

import pytest
import restate

from perdure.testing import Harness, SimulatedEngine, Stuck, VirtualTimeLoop, simulated
from perdure.testing.running import run_apart

from .services import app, book, never, ordinary_timer, write


@simulated(app)
async def test_a_week_of_durable_sleep_is_over_at_once(engine: SimulatedEngine) -> None:
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert (await engine.client.call(book, "Ada"))[0] == "flight"
    assert loop.time() - before == pytest.approx(timedelta(days=7).total_seconds(), abs=1)


foreign = restate.Service("Foreign")


@foreign.handler()
async def nap(ctx: restate.Context) -> None:
    await ctx.sleep(timedelta(days=7))


@simulated(restate.app([foreign]))
async def test_an_sdk_with_a_clock_of_its_own_sleeps_as_long(engine: SimulatedEngine) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(2):
        before = loop.time()
        await engine.client.call(nap)
        assert loop.time() - before == pytest.approx(timedelta(days=7).total_seconds(), abs=1)


@simulated(app)
async def test_delayed_sends_come_when_they_are_due(engine: SimulatedEngine) -> None:
    late = await engine.client.send(write, "late", key="k", delay=timedelta(days=300))
    early = await engine.client.send(write, "early", key="k", delay=timedelta(days=200))
    assert [await early.attach(), await late.attach()] == [1, 2]


@simulated(app)
async def test_ordinary_timers_are_virtual_too(engine: SimulatedEngine) -> None:
    assert await engine.client.call(ordinary_timer) == "woken"


@simulated(app)
async def test_the_time_that_the_server_shows_is_virtual(engine: SimulatedEngine) -> None:
    sent = await engine.client.send(write, "x", key="k", delay=timedelta(days=1))
    await sent.attach()
    row = await sent.describe()
    assert row is not None
    assert row["created_at"][:10] < row["completed_at"][:10]


def test_time_stands_still_while_a_thread_works() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        done = threading.Event()
        working = asyncio.ensure_future(asyncio.to_thread(done.wait, 10))
        timer = loop.call_later(1, lambda: None)
        # Real time: the thread is at work, and whoever wakes it is no part of the simulation.
        threading.Timer(0.02, done.set).start()
        assert await working
        assert loop.time() == 0
        timer.cancel()

    run_apart(main)


def test_who_waits_for_nothing_is_told() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck, match="nothing can happen any more"):
        run_apart(main)


def test_an_invocation_that_never_ends_is_told() -> None:
    with Harness(app) as harness, pytest.raises(Stuck, match="is not over after 30 days"):
        harness.run(harness.client.call(never), within=timedelta(days=30))


def test_a_timeout_of_the_test_itself_is_its_own() -> None:
    async def scenario(harness: Harness) -> None:
        async with asyncio.timeout(60):
            await harness.client.call(never)

    with Harness(app) as harness, pytest.raises(TimeoutError):
        harness.run(scenario(harness))


def test_far_in_the_future_timers_still_come() -> None:
    async def main() -> float:
        await asyncio.sleep(timedelta(days=36500).total_seconds())
        await asyncio.sleep(1e-7)
        return asyncio.get_running_loop().time()

    assert run_apart(main) == pytest.approx(timedelta(days=36500).total_seconds())


def test_without_a_virtual_loop_it_says_what_to_do() -> None:
    with pytest.raises(AssertionError, match="Harness"):
        asyncio.run(SimulatedEngine(app).start())


def test_a_loop_can_be_used_by_itself() -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(asyncio.sleep(1e6))
