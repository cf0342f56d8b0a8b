"""What docs/howto/managing-invocations.md says of handlers."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

import perdure
from perdure import TerminalError
from perdure.testing import Harness, SimulatedEngine
from support.documents import HOWTO, programs
from support.embedded import embedded
from support.processes import free_addresses


@pytest.mark.parametrize(("inactivity", "told_after"), [(None, 300), (timedelta(hours=1), 120)])
def test_a_long_run_block_holds_a_cancellation_back(inactivity: timedelta | None, told_after: int) -> None:
    writer = perdure.Service("Writer", inactivity_timeout=inactivity)

    @writer.handler()
    async def write(ctx: perdure.Context) -> None:
        await ctx.run_typed("model", asyncio.sleep, delay=300)

    async def cancelled(engine: SimulatedEngine) -> float:
        clock = asyncio.get_running_loop()
        began = clock.time()
        task = await engine.client.send(write)
        await asyncio.sleep(120)
        await task.cancel()
        with pytest.raises(TerminalError, match="cancelled"):
            await task.attach()
        return clock.time() - began

    with Harness(perdure.app([writer])) as harness:
        assert round(harness.run(cancelled(harness.engine))) == told_after


def test_a_handler_restarts_another_invocation(tmp_path: Path) -> None:
    drawn = []
    writer = perdure.Service("Writer")

    @writer.handler()
    async def write(ctx: perdure.Context) -> str:
        first = await ctx.run_typed("first", lambda: drawn.append("first") or "kept")
        return await ctx.run_typed("second", lambda: drawn.append("second") or f"{first}, {len(drawn)}")

    (address,) = free_addresses(1)
    with programs(HOWTO / "managing-invocations.md", tmp_path, {"localhost:9070": address}) as page:
        app = perdure.app([writer, page.again.again])
        with embedded(tmp_path / "data", app, admin=address) as server:
            first = server.send("Writer/write")
            assert server.attach(first) == "kept, 2"
            assert server.call("Again/regenerate", first) == "kept, 3"
    assert drawn == ["first", "second", "second"]
