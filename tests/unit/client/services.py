"""Handlers that a client calls, written with an SDK that the client does not know."""

from datetime import timedelta

import restate
from restate import Context, ObjectContext, ObjectSharedContext, TerminalError, WorkflowContext, WorkflowSharedContext

greeter = restate.Service("Greeter")
counter = restate.VirtualObject("Counter")
signup = restate.Workflow("Signup")


@greeter.handler()
async def greet(ctx: Context, name: str) -> str:
    return f"Hello, {name}"


@greeter.handler()
async def ping(ctx: Context) -> str:
    return "pong"


@greeter.handler()
async def headers(ctx: Context) -> dict[str, str]:
    return dict(ctx.request().headers)


@greeter.handler()
async def refuse(ctx: Context, reason: str) -> str:
    raise TerminalError(reason, status_code=418)


@greeter.handler()
async def nap(ctx: Context, seconds: float) -> str:
    await ctx.sleep(timedelta(seconds=seconds))
    return "rested"


@greeter.handler()
async def flaky(ctx: Context, name: str) -> str:
    raise RuntimeError("not yet")


@greeter.handler()
async def ask(ctx: Context, key: str) -> str:
    awakeable, answer = ctx.awakeable()
    ctx.object_send(put, key, awakeable)
    return await answer


@counter.handler()
async def add(ctx: ObjectContext, amount: int) -> int:
    total = (await ctx.get("total", type_hint=int) or 0) + amount
    ctx.set("total", total)
    return total


@counter.handler()
async def put(ctx: ObjectContext, value: str) -> None:
    ctx.set("value", value)


@counter.handler(kind="shared")
async def value(ctx: ObjectSharedContext) -> str | None:
    return await ctx.get("value", type_hint=str)


@signup.main()
async def run(ctx: WorkflowContext, name: str) -> str:
    link = await ctx.promise("link", type_hint=str).value()
    return f"{name} {link}"


@signup.handler()
async def click(ctx: WorkflowSharedContext, link: str) -> None:
    await ctx.promise("link", type_hint=str).resolve(link)


app = restate.app([greeter, counter, signup])
