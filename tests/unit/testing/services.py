"""Handlers for tests of the testing kit: some well behaved, some not."""

import asyncio
from collections import Counter
from datetime import timedelta

import perdure
from perdure import Context, ObjectContext

travel = perdure.Service("Travel")
diary = perdure.VirtualObject("Diary")

effects: Counter[str] = Counter()
"""What handlers did to the world."""


def do(name: str) -> str:
    effects[name] += 1
    return name


@travel.handler()
async def book(ctx: Context, name: str) -> list[str]:
    flight = await ctx.run_typed("flight", lambda: do("flight"))
    await ctx.sleep(timedelta(days=7))
    hotel = await ctx.service_call(reserve, name)
    await ctx.object_call(write, name, hotel)
    car = await ctx.run_typed("car", lambda: do("car"))
    return [flight, hotel, car, str(ctx.uuid())]


@travel.handler()
async def reserve(ctx: Context, name: str) -> str:
    return await ctx.run_typed("hotel", lambda: do("hotel"))


@travel.handler()
async def careless(ctx: Context) -> str:
    do("outside of a run")
    await ctx.sleep(timedelta(minutes=1))
    return await ctx.run_typed("inside", lambda: do("inside"))


@travel.handler()
async def forgetful(ctx: Context) -> int:
    """Its result depends on how often it was replayed."""
    do("replays")
    await ctx.sleep(timedelta(minutes=1))
    await ctx.sleep(timedelta(minutes=1))
    return effects["replays"]


@travel.handler()
async def approval(ctx: Context) -> str:
    awakeable, answer = ctx.awakeable()
    await ctx.run_typed("ask", lambda: effects.update({awakeable: 1}))
    return await answer


@travel.handler()
async def never(ctx: Context) -> str:
    _, answer = ctx.awakeable()
    return await answer


@travel.handler()
async def ordinary_timer(ctx: Context) -> str:
    async def wait() -> str:
        await asyncio.sleep(300)
        return "woken"

    return await ctx.run_typed("wait", wait)


@diary.handler()
async def write(ctx: ObjectContext, line: str) -> int:
    lines = await ctx.get("lines", type_hint=list[str]) or []
    lines.append(line)
    ctx.set("lines", lines)
    return len(lines)


app = perdure.app([travel, diary])
