"""Services under load, written with the official SDK. What they do outside of the journal is written to a file."""

import os
import uuid
from datetime import timedelta
from pathlib import Path

import restate
from restate import (
    Context,
    ObjectContext,
    ObjectSharedContext,
    Service,
    VirtualObject,
    Workflow,
    WorkflowContext,
    WorkflowSharedContext,
)

TRACES = Path(os.environ["CRASH_TRACES"])

counter = VirtualObject("Counter")
steps = Service("Steps")
family = Service("Family")
child = Service("Child")
flow = Workflow("Flow")
approval = Service("Approval")


def trace(name: str, text: str) -> str:
    """One whole line, whatever happens to this process."""
    with open(TRACES / name, "ab", buffering=0) as file:
        file.write(f"{text}\n".encode())
    return text


@counter.handler()
async def add(ctx: ObjectContext, amount: int) -> int:
    value = (await ctx.get("count", type_hint=int) or 0) + amount
    ctx.set("count", value)
    return value


@counter.handler(kind="shared")
async def count(ctx: ObjectSharedContext) -> int:
    return await ctx.get("count", type_hint=int) or 0


@steps.handler()
async def three(ctx: Context, name: str) -> list[str]:
    """Each execution of a step makes another value: only one of them may ever be seen."""
    return [
        await ctx.run_typed(f"step {number}", lambda number=number: trace("steps", f"{name} {number} {uuid.uuid4()}"))
        for number in range(3)
    ]


@child.handler()
async def double(ctx: Context, number: int) -> int:
    await ctx.sleep(timedelta(milliseconds=5))
    return 2 * number


@family.handler()
async def parent(ctx: Context, name: str) -> int:
    """Two calls, one send, one delayed send."""
    ctx.object_send(add, key=f"sent-{name}", arg=1)
    ctx.object_send(add, key=f"sent-{name}", arg=10, send_delay=timedelta(milliseconds=50))
    first = ctx.service_call(double, arg=1)
    second = ctx.service_call(double, arg=2)
    return await first + await second


@flow.main()
async def run(ctx: WorkflowContext, name: str) -> str:
    word = await ctx.promise("word", type_hint=str).value()
    return f"{name} {word}"


@flow.handler()
async def tell(ctx: WorkflowSharedContext, word: str) -> None:
    await ctx.promise("word", type_hint=str).resolve(word)


@approval.handler()
async def ask(ctx: Context, name: str) -> str:
    awakeable_id, answer = ctx.awakeable(type_hint=str)
    await ctx.run_typed("publish", lambda: trace("awakeables", f"{name} {awakeable_id}"))
    return f"{name} {await answer}"


app = restate.app([counter, steps, child, family, flow, approval])
