"""Services for operators to interfere with, in the official SDK. Each line in a trace is user code that ran."""

import os
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import restate
from restate import (
    Context,
    InvocationRetryPolicy,
    ObjectContext,
    ObjectSharedContext,
    RunOptions,
    Service,
    TerminalError,
    VirtualObject,
)

TRACES = Path(os.environ["CRASH_TRACES"])
MENDED = TRACES / "mended"
"""While it is missing, work that is flaky fails."""

EAGER = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=10), exponentiation_factor=1.5, max_interval=timedelta(milliseconds=200)
)
GIVES_UP = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=5),
    exponentiation_factor=1.0,
    max_attempts=3,
    on_max_attempts="pause",
)
SHORT = timedelta(milliseconds=30)

till = VirtualObject("Till", invocation_retry_policy=EAGER, inactivity_timeout=SHORT)
work = Service("Work", invocation_retry_policy=EAGER, inactivity_timeout=SHORT)
flaky = Service("Flaky", invocation_retry_policy=GIVES_UP, inactivity_timeout=SHORT)


def trace(name: str, text: str) -> str:
    """One whole line, whatever happens to this process."""
    with open(TRACES / name, "ab", buffering=0) as file:
        file.write(f"{text}\n".encode())
    return text


async def step(ctx: Any, file: str, text: str) -> str:
    """Each execution gives another value: only one of them may ever be seen."""
    return str(await ctx.run_typed(text, lambda: trace(file, f"{text} {uuid.uuid4()}")))


@till.handler()
async def add(ctx: ObjectContext, tag: str) -> str:
    """Two steps, and its name at the end of the list of the key."""
    first = await step(ctx, f"key-{ctx.key()}", f"{tag} first")
    await ctx.sleep(timedelta(milliseconds=20))
    await step(ctx, f"key-{ctx.key()}", f"{tag} second")
    ctx.set("names", [*(await ctx.get("names", type_hint=list) or []), tag])
    return first


@till.handler(kind="shared")
async def names(ctx: ObjectSharedContext) -> list[str]:
    return await ctx.get("names", type_hint=list) or []


@work.handler()
async def nap(ctx: Context, tag: str) -> str:
    first = await step(ctx, tag, f"{tag} nap")
    await ctx.sleep(timedelta(milliseconds=60))
    await step(ctx, tag, f"{tag} wake")
    return first


@work.handler()
async def ask(ctx: Context, tag: str) -> str:
    """Waits for somebody, and undoes when it is cancelled."""
    identifier, answer = ctx.awakeable(type_hint=str)
    first = await step(ctx, tag, f"{tag} ask")
    try:
        await ctx.run_typed("publish", lambda: trace("awakeables", f"{tag} {identifier}"))
        await answer
    except TerminalError:
        await step(ctx, tag, f"{tag} undo")
        raise
    return first


@work.handler()
async def tree(ctx: Context, tag: str) -> str:
    """Has others do the work."""
    first = await step(ctx, tag, f"{tag} tree")
    try:
        await ctx.service_call(ask, arg=f"{tag}.asked")
        await ctx.object_call(add, key="k0", arg=f"{tag}.added")
    except TerminalError:
        await step(ctx, tag, f"{tag} prune")
        raise
    return first


@flaky.handler()
async def attempt(ctx: Context, tag: str) -> str:
    def action() -> str:
        trace(tag, f"{tag} tried {uuid.uuid4()}")
        if not MENDED.exists():
            raise RuntimeError("it is not mended yet")
        return "done"

    first = await step(ctx, tag, f"{tag} attempt")
    await ctx.run_typed("action", action, RunOptions())
    return first


app = restate.app([till, work, flaky])
