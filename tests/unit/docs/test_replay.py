"""What docs/concepts/replay.md says of steps, chance and crashes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import perdure
from perdure import RunOptions, TerminalError
from perdure.testing import Harness, SimulatedEngine

service = perdure.Service("Concept")
tried: list[str] = []


@service.handler()
async def once(ctx: perdure.Context, fails: bool) -> str:
    return await ctx.run_typed("step", step, RunOptions(max_attempts=1), fails)


async def step(fails: bool) -> str:
    tried.append("step")
    await asyncio.sleep(10)
    if fails:
        raise OSError("no answer")
    return "done"


@service.handler()
async def drawn(ctx: perdure.Context) -> dict[str, Any]:
    """What is drawn in all attempts, and whether the first wait was replayed."""
    tried.append(f"{ctx.random().random()} {ctx.uuid()}")
    began = await ctx.time()
    await ctx.run_typed("first", lambda: None)
    replaying = ctx.is_replaying
    await ctx.run_typed("second", asyncio.sleep, delay=10)
    return {"began": began, "replaying": replaying, "over": ctx.is_replaying}


app = perdure.app([service])


@pytest.fixture(autouse=True)
def _nothing_was_tried() -> None:
    tried.clear()


def played(handler: Any, *arguments: Any, after: Callable[[SimulatedEngine], Any]) -> Any:
    """What the handler gives, when `after` happens in the middle of its ten seconds."""

    async def play(engine: SimulatedEngine) -> Any:
        sent = await engine.client.send(handler, *arguments)
        await asyncio.sleep(5)
        await after(engine)
        return await sent.attach()

    with Harness(app) as harness:
        return harness.run(play(harness.engine))


async def crash(engine: SimulatedEngine) -> None:
    await engine.crash()
    await engine.start()


async def nothing(_: SimulatedEngine) -> None:
    return


def test_a_step_that_was_not_recorded_runs_again_after_a_crash() -> None:
    assert played(once, False, after=crash) == "done"
    assert tried == ["step", "step"]


def test_a_single_attempt_is_not_repeated_after_an_error() -> None:
    with pytest.raises(TerminalError, match="no answer"):
        played(once, True, after=nothing)
    assert tried == ["step"]


def test_chance_and_time_are_the_same_in_every_attempt() -> None:
    calm = played(drawn, after=nothing)
    assert len(tried) == 1
    crashed = played(drawn, after=crash)
    assert len(tried) == 3
    assert tried[1] == tried[2]
    assert (calm["replaying"], crashed["replaying"], crashed["over"]) == (False, True, False)
