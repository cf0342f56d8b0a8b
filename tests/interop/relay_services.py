"""Services that work together with their like under the other Python SDK, by name: one text for both.

Under the official SDK they are called `Relay_restate` and so on, moved over to ours `Relay_perdure`.
"""

import json
from datetime import timedelta
from typing import Any

import restate
from records import record, recorder
from restate import (
    Context,
    ObjectContext,
    Service,
    TerminalError,
    VirtualObject,
    Workflow,
    WorkflowContext,
    WorkflowSharedContext,
)

MINE = restate.__name__
OTHER = {"restate": "perdure", "perdure": "restate"}[MINE]
HOUR = timedelta(hours=1)


async def ask(ctx: Any, service: str, handler: str, value: Any, key: str | None = None) -> Any:
    """Calls a handler of the other SDK."""
    answer = await ctx.generic_call(f"{service}_{OTHER}", handler, json.dumps(value).encode(), key=key)
    return json.loads(answer) if answer else None


relay = Service(f"Relay_{MINE}")


@relay.handler()
async def climb(ctx: Context, depth: int) -> list[str]:
    """Who was called on each level of a chain of calls, from the top."""
    return [MINE, *(await ask(ctx, "Relay", "climb", depth - 1) if depth else [])]


@relay.handler()
async def fall(ctx: Context, depth: int) -> str:
    """The failure of the deepest level, with what each level adds to it."""
    try:
        if depth:
            return str(await ask(ctx, "Relay", "fall", depth - 1))
        raise TerminalError("too deep", status_code=422)
    except TerminalError as error:
        raise TerminalError(f"{MINE}: {error.message}", status_code=error.status_code) from error


@relay.handler()
async def grow(ctx: Context, wanted: dict[str, Any]) -> str:
    """A chain of calls, each level with two steps to undo; the deepest waits for ever."""
    tag, depth = wanted["tag"], wanted["depth"]
    undo: list[str] = []
    try:
        for step in ("reserve", "pay"):
            undo.append(step)
            await ctx.run_typed(step, recorder(tag, f"{step} {depth}"))
        if depth:
            return str(await ask(ctx, "Relay", "grow", {**wanted, "depth": depth - 1}))
        await ctx.sleep(HOUR)
    except TerminalError as error:
        for step in reversed(undo):
            await ctx.run_typed(f"undo {step}", recorder(tag, f"undo {step} {depth} {MINE} {error.status_code}"))
        raise
    return "grown"


@relay.handler()
async def spread(ctx: Context, count: int) -> list[int]:
    """Many calls of the other side at once, which calls back for each."""
    calls = [ctx.generic_call(f"Relay_{OTHER}", "bounce", json.dumps(number).encode()) for number in range(count)]
    await restate.gather(*calls)
    return [json.loads(await call) for call in calls]


@relay.handler()
async def bounce(ctx: Context, number: int) -> Any:
    return await ask(ctx, "Relay", "double", number)


@relay.handler()
async def double(ctx: Context, number: int) -> int:
    return number * 2


@relay.handler()
async def hold(ctx: Context, tag: str) -> str:
    record(tag, "holding")
    try:
        await ctx.sleep(HOUR)
    except TerminalError as error:
        await ctx.run_typed("let go", recorder(tag, f"let go {error.status_code}"))
        raise
    return "slept"


@relay.handler()
async def give_up(ctx: Context, tag: str) -> Any:
    """Sends to the other side, has it cancelled once it is under way, and attaches to see how it ends."""
    sent = ctx.generic_send(f"Relay_{OTHER}", "hold", json.dumps(tag).encode())
    invocation = await sent.invocation_id()
    identifier, under_way = ctx.awakeable()
    await ctx.run_typed("publish", recorder(tag, identifier))
    await under_way
    ctx.cancel_invocation(invocation)
    try:
        return await ctx.attach_invocation(invocation, type_hint=str)
    except TerminalError as error:
        return f"{error.status_code} {error.message}"


# ---- Awakeables and signals ----


@relay.handler()
async def await_both(ctx: Context, wanted: dict[str, Any]) -> list[Any]:
    """Waits for an awakeable that the other side completes, and for signals that it sends."""
    identifier, value = ctx.awakeable(type_hint=Any)
    me = ctx.request().id
    await ask(ctx, "Relay", "complete", {"awakeable": identifier, "value": wanted["value"], "reason": None})
    seen: list[Any] = [await value]
    await ask(ctx, "Relay", "complete", {"invocation": me, "value": wanted["value"], "reason": None})
    seen.append(await ctx.signal("answer", type_hint=Any))
    refused_id, refused = ctx.awakeable(type_hint=Any)
    await ask(ctx, "Relay", "complete", {"awakeable": refused_id, "reason": wanted["reason"]})
    await ask(ctx, "Relay", "complete", {"invocation": me, "reason": wanted["reason"]})
    for future in (refused, ctx.signal("answer", type_hint=Any)):
        try:
            seen.append(await future)
        except TerminalError as error:
            seen.append(f"refused: {error.message}")
    return seen


@relay.handler()
async def complete(ctx: Context, wanted: dict[str, Any]) -> None:
    match wanted:
        case {"awakeable": identifier, "reason": None, "value": value}:
            ctx.resolve_awakeable(identifier, value)
        case {"awakeable": identifier, "reason": reason}:
            ctx.reject_awakeable(identifier, reason)
        case {"invocation": invocation, "reason": None, "value": value}:
            ctx.resolve_signal(invocation, "answer", value)
        case {"invocation": invocation, "reason": reason}:
            ctx.reject_signal(invocation, "answer", reason)


# ---- Promises and state ----

pact = Workflow(f"Pact_{MINE}")


@pact.main(name="run")
async def sign(ctx: WorkflowContext, ends: str) -> str:
    """Waits for a promise that the other side keeps, or breaks."""
    await ask(ctx, "Relay", "answer", {"key": ctx.key(), "ends": ends})
    try:
        return f"kept: {await ctx.promise('word', type_hint=str).value()}"
    except TerminalError as error:
        return f"broken: {error.message}"


@pact.handler()
async def keep(ctx: WorkflowSharedContext, word: str) -> None:
    await ctx.promise("word", type_hint=str).resolve(word)


@pact.handler(name="break_it")
async def break_word(ctx: WorkflowSharedContext, reason: str) -> None:
    await ctx.promise("word", type_hint=str).reject(reason)


@relay.handler()
async def answer(ctx: Context, wanted: dict[str, Any]) -> None:
    """Settles the promise of the other side's workflow."""
    handler = "keep" if wanted["ends"] == "kept" else "break_it"
    await ask(ctx, "Pact", handler, f"said by {MINE}", key=wanted["key"])


tally = VirtualObject(f"Tally_{MINE}")


@tally.handler()
async def add(ctx: ObjectContext, amount: int) -> int:
    total = (await ctx.get("total", type_hint=int) or 0) + amount
    ctx.set("total", total)
    return total


@relay.handler()
async def count(ctx: Context, key: str) -> list[Any]:
    """What three additions to an object of the other side give."""
    return [await ask(ctx, "Tally", "add", amount, key=key) for amount in (1, 2, 3)]


app = restate.app([relay, pact, tally])
