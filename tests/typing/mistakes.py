"""Mistakes that a type checker must find; each line with one has its code."""

from handlers import Trip, add, book, run

import perdure as restate


async def wrong(ctx: restate.Context, shared: restate.ObjectSharedContext) -> None:
    await ctx.service_call(book, arg="Rome")  # E: arg-type
    await ctx.object_call(add, arg=3)  # E: call-arg
    await ctx.workflow_call(run, key=1, arg="x")  # E: arg-type
    number: str = await ctx.object_call(add, key="k", arg=3)  # E: arg-type
    shared.set("total", number)  # E: attr-defined
    ctx.service_send(book, arg=Trip("Rome"), send_delay=5)  # E: arg-type
    restate.Service("S", inactivity_timeout=5)  # E: arg-type
    restate.VirtualObject("O").handler(kind="workflow")  # E: arg-type
    restate.app([book])  # E: list-item
