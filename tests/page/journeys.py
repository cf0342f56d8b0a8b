"""Handlers whose journals have something of everything that a timeline shows."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import restate
from restate.serde import BytesSerde

trip = restate.Service("Trip")
tools = restate.Service("Tools")
notes = restate.VirtualObject("Notes")
order = restate.Workflow("Order")

RTL = "\u05e9\u05dc\u05d5\u05dd \U0001f680 <img src=x onerror=alert(1)>"
"""A name that reads from right to left, with an emoji, that would be a tag if it were taken for one."""

tried: dict[str, int] = {}
effects: list[str] = []


@tools.handler()
async def search(ctx: restate.Context, query: str) -> dict[str, Any]:
    """One step and an answer."""
    return await ctx.run_typed("look up", lambda: {"hits": [query, query.upper()]})


@tools.handler()
async def refuse(ctx: restate.Context, reason: str) -> None:
    """Ends with a failure."""
    raise restate.TerminalError(reason, status_code=422)


@trip.handler()
async def everything(ctx: restate.Context, request: dict[str, Any]) -> Any:
    """A step that fails twice, calls, a send, a sleep, and then a failure, or an awakeable that comes."""
    name = request["name"]

    def flaky() -> dict[str, Any]:
        tried[name] = tried.get(name, 0) + 1
        if tried[name] < 3:
            raise ValueError(f"529 overloaded, try {tried[name]}")
        return {"idea": name, "list": [1, 2, 3]}

    await ctx.run_typed("think", flaky, restate.RunOptions(initial_retry_interval=timedelta(milliseconds=10)))
    await ctx.service_call(search, "tea")
    await ctx.sleep(timedelta(milliseconds=20), name="nap")
    ctx.service_send(search, "later", send_delay=timedelta(days=1))

    def effect() -> str:
        effects.append(name)
        return f"did {name} {len(effects)}"

    await ctx.run_typed("effect", effect)
    if request.get("fails"):
        await ctx.service_call(refuse, "no such place")
    answer, promise = ctx.awakeable(type_hint=str)
    ctx.resolve_awakeable(answer, "yes")
    await promise
    return {"done": name}


@trip.handler()
async def wait(ctx: restate.Context) -> str:
    """Waits for an answer from outside, with a timer beside it."""

    def ask() -> str:
        effects.append("asked")
        return "asked"

    await ctx.run_typed("ask", ask)
    _, promise = ctx.awakeable(type_hint=str)
    done = await restate.select(answer=promise, late=ctx.sleep(timedelta(days=2), name="deadline"))
    return str(done[0])


@trip.handler()
async def parent(ctx: restate.Context) -> str:
    """Waits for a call that waits."""
    return await ctx.service_call(wait, None)


@trip.handler()
async def interrupt(ctx: restate.Context) -> None:
    """Cancels what it called, and begins another one."""
    first = ctx.service_call(wait, None)
    ctx.cancel_invocation(await first.invocation_id())
    with suppress(restate.TerminalError):
        await first
    ctx.service_send(wait, None)


@trip.handler()
async def slow(ctx: restate.Context) -> str:
    """Runs a step until the test says that it is enough."""

    async def step() -> str:
        while "slow" not in effects:
            await asyncio.sleep(0.01)
        return "through"

    return await ctx.run_typed("long", step)


@trip.handler()
async def stumble(ctx: restate.Context, reason: str) -> None:
    """Fails in the same step every time, and is retried after a minute."""

    def fail() -> None:
        raise ValueError(reason)

    await ctx.run_typed("fetch", fail, restate.RunOptions(initial_retry_interval=timedelta(minutes=1)))


@trip.handler()
async def many(ctx: restate.Context, count: int) -> int:
    """A long journal."""
    for place in range(count):
        await ctx.run_typed(f"step {place}", lambda place=place: place)
    return count


@trip.handler(output_serde=BytesSerde())
async def hostile(ctx: restate.Context, size: int) -> bytes:
    """Values and names that would like to be something else."""
    await ctx.run_typed(RTL, lambda: {"html": "<script>alert(1)</script>", "rtl": RTL})
    await ctx.run_typed("deep", lambda: _nested(300))
    await ctx.run_typed("big", lambda: "x" * size)
    await ctx.run_typed("binary", lambda: bytes(range(256)), restate.RunOptions(serde=BytesSerde()))
    return b"\xff\xfe\x00"


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@notes.handler()
async def keep(ctx: restate.ObjectContext, value: Any) -> Any:
    """Reads and writes state."""
    before = await ctx.get("note")
    ctx.set("note", value)
    return before


@notes.handler()
async def hold(ctx: restate.ObjectContext) -> None:
    """Keeps the key locked for a week."""
    await ctx.sleep(timedelta(days=7))


@order.main()
async def place(ctx: restate.WorkflowContext, item: str) -> str:
    """Waits for its promise to be kept."""
    promise = ctx.promise("paid", type_hint=str)
    await promise.resolve(f"{item} paid")
    return await promise.value()


@order.handler()
async def receipt(ctx: restate.WorkflowSharedContext) -> str:
    """Waits for a promise that nobody keeps."""
    return str(await ctx.promise("signed", type_hint=str).value())


app = restate.app([trip, tools, notes, order])
