"""Handlers to look at and control from the command line."""

from datetime import timedelta

import restate

counter = restate.VirtualObject("Counter")
probe = restate.Service("Probe")


@counter.handler()
async def add(ctx: restate.ObjectContext, number: int) -> int:
    count = (await ctx.get("count", type_hint=int) or 0) + number
    ctx.set("count", count)
    return count


@counter.handler()
async def hold(ctx: restate.ObjectContext) -> None:
    await ctx.sleep(timedelta(hours=1))


@probe.handler()
async def steps(ctx: restate.Context) -> int:
    async def plan() -> str:
        return "planned"

    await ctx.run_typed("plan", plan)
    return await ctx.object_call(add, key="steps", arg=1)


@probe.handler()
async def wait(ctx: restate.Context) -> None:
    await ctx.object_call(hold, key="held", arg=None)


@probe.handler()
async def fail(ctx: restate.Context) -> None:
    raise ValueError("broken")


app = restate.app([counter, probe])
