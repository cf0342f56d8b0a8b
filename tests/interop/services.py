"""The services of the interop suite with the official Python SDK; `ts/services.mjs` has the same in TypeScript."""

import os
from datetime import timedelta
from typing import Any

import restate
from plain_services import echo, echo_value, limited, millis, run, steps
from records import record, recorder, released
from restate import (
    Context,
    ObjectContext,
    ObjectSharedContext,
    Service,
    TerminalError,
    VirtualObject,
    Workflow,
    WorkflowContext,
    WorkflowSharedContext,
)
from waiting_services import HOUR, compensated, settled, waiter

QUICK = timedelta(milliseconds=50)
"""Inactivity timeout of the services that suspend also where both directions stay open."""


def ledger(name: str, **options: Any) -> VirtualObject:
    """State under a key."""
    entity = VirtualObject(name, **options)

    @entity.handler()
    async def add(ctx: ObjectContext, amount: int) -> int:
        total = (await ctx.get("total", type_hint=int) or 0) + amount
        ctx.set("total", total)
        return total

    @entity.handler()
    async def append(ctx: ObjectContext, wanted: dict[str, Any]) -> None:
        items = await ctx.get("items", type_hint=list) or []
        await ctx.run_typed("enter", recorder(wanted["tag"], f"enter {wanted['item']}"))
        ctx.set("items", [*items, wanted["item"]])
        await ctx.run_typed("leave", recorder(wanted["tag"], f"leave {wanted['item']}"))

    @entity.handler()
    async def put(ctx: ObjectContext, values: dict[str, Any]) -> None:
        for key, value in values.items():
            ctx.set(key, value)

    @entity.handler()
    async def drop(ctx: ObjectContext, key: str) -> None:
        ctx.clear(key)

    @entity.handler()
    async def wipe(ctx: ObjectContext) -> None:
        ctx.clear_all()

    @entity.handler()
    async def tour(ctx: ObjectContext) -> list[Any]:
        """What the invocation sees of its own writes."""
        seen: list[Any] = [await ctx.get("a")]
        ctx.set("a", 1)
        seen.append(await ctx.get("a"))
        ctx.set("b", [1, 2])
        ctx.clear("a")
        seen.append(await ctx.get("a"))
        seen.append(await ctx.get("b"))
        ctx.clear_all()
        seen.append(await ctx.get("b"))
        ctx.set("c", "kept")
        return seen

    @entity.handler(kind="shared")
    async def read(ctx: ObjectSharedContext, key: str) -> Any:
        return await ctx.get(key)

    @entity.handler(kind="shared")
    async def keys(ctx: ObjectSharedContext) -> list[str]:
        return sorted(await ctx.state_keys())

    return entity


approval = Workflow("Approval")


@approval.main(name="run")
async def approval_run(ctx: WorkflowContext, tag: str) -> dict[str, Any]:
    await ctx.run_typed("notify", recorder(tag, "notified"))
    ctx.set("stage", "waiting")
    decision = await ctx.promise("decision", type_hint=str).value()
    ctx.set("stage", "decided")
    return {"key": ctx.key(), "decision": decision}


@approval.handler()
async def decide(ctx: WorkflowSharedContext, value: str) -> None:
    await ctx.promise("decision", type_hint=str).resolve(value)


@approval.handler()
async def refuse(ctx: WorkflowSharedContext, reason: str) -> None:
    await ctx.promise("decision", type_hint=str).reject(reason)


@approval.handler()
async def peek(ctx: WorkflowSharedContext) -> Any:
    return await ctx.promise("decision", type_hint=str).peek()


@approval.handler()
async def stage(ctx: WorkflowSharedContext) -> Any:
    return await ctx.get("stage")


@approval.handler()
async def linger(ctx: WorkflowSharedContext, tag: str) -> Any:
    """Waits for a promise that nobody keeps."""
    return await compensated(ctx, tag, lambda: ctx.promise("never", type_hint=str).value())


tree = Service("Tree")


@tree.handler()
async def grow(ctx: Context, wanted: dict[str, Any]) -> str:
    """A chain of calls as deep as `depth`; the deepest one waits for ever; `slow`: it takes its time to clean up."""
    tag, depth = wanted["tag"], wanted["depth"]
    undo: list[str] = []

    async def settle() -> None:
        record(tag, "settling")
        await released(tag)

    try:
        for step in ("reserve", "pay"):
            undo.append(step)
            await ctx.run_typed(step, recorder(tag, f"{step} {depth}"))
        if depth:
            return await ctx.service_call(grow, {**wanted, "depth": depth - 1})
        await ctx.sleep(HOUR)
    except TerminalError:
        if wanted.get("slow") and not depth:
            await ctx.run_typed("settle", settle)
        for step in reversed(undo):
            await ctx.run_typed(f"undo {step}", recorder(tag, f"undo {step} {depth}"))
        raise
    return "grown"


sender = Service("Sender")


@sender.handler()
async def work(ctx: Context, wanted: dict[str, Any]) -> None:
    """Waits until the test resolves the awakeable that it recorded."""
    identifier, value = ctx.awakeable(type_hint=str)
    await ctx.run_typed("publish", recorder(wanted["tag"], f"{wanted['name']} {identifier}"))
    record(wanted["tag"], f"{wanted['name']} {await value}")


@sender.handler()
async def start(ctx: Context, tag: str) -> None:
    """Sends two one-way calls, one of them delayed, and waits for ever."""
    ctx.service_send(work, {"tag": tag, "name": "now"})
    ctx.service_send(work, {"tag": tag, "name": "later"}, send_delay=millis(300))
    await ctx.run_typed("sent", recorder(tag, "sent"))
    await ctx.sleep(HOUR)


hidden = Service("Hidden", ingress_private=True)


@hidden.handler()
async def greet(ctx: Context, name: str) -> str:
    return f"hello {name}"


fragile = Service("Fragile")


@fragile.handler()
async def crash(ctx: Context, tag: str) -> int:
    """Takes its process down in the first attempt, after a step."""
    await ctx.run_typed("before", recorder(tag, "before"))
    if record(tag, "attempt") == 1:
        os._exit(3)
    return 1


remote = Service("Remote")


@remote.handler()
async def ask(ctx: Context, name: str) -> str:
    return await ctx.service_call(greet, name)


@remote.handler()
async def twice(ctx: Context, wanted: dict[str, Any]) -> list[Any]:
    """Calls with the same idempotency key, one after the other; gives both ids and both results."""
    seen: list[Any] = []
    for _ in range(2):
        called = ctx.service_call(run, {"tag": wanted["tag"], "count": 1}, idempotency_key=wanted["key"])
        seen += [await called.invocation_id(), await called]
    return seen


@remote.handler()
async def fan(ctx: Context, count: int) -> int:
    calls = [ctx.service_call(echo_value, i) for i in range(count)]
    await restate.gather(*calls)
    return sum([await call for call in calls])


@remote.handler()
async def count(ctx: Context, wanted: dict[str, Any]) -> list[int]:
    """Adds to an object, once with a call for each amount."""
    return [
        int(await ctx.generic_call("Ledger", "add", str(amount).encode(), key=wanted["key"]))
        for amount in wanted["amounts"]
    ]


@remote.handler()
async def attach(ctx: Context, invocation: str) -> Any:
    return await settled(ctx.attach_invocation(invocation, type_hint=Any))


@remote.handler()
async def cancel(ctx: Context, invocation: str) -> None:
    ctx.cancel_invocation(invocation)


@remote.handler()
async def resolve(ctx: Context, wanted: dict[str, Any]) -> None:
    ctx.resolve_awakeable(wanted["id"], wanted["value"])


@remote.handler()
async def reject(ctx: Context, wanted: dict[str, Any]) -> None:
    ctx.reject_awakeable(wanted["id"], wanted["reason"])


@remote.handler()
async def notify(ctx: Context, wanted: dict[str, Any]) -> None:
    """Sends a named signal."""
    if "reason" in wanted:
        ctx.reject_signal(wanted["invocation"], wanted["name"], wanted["reason"])
    else:
        ctx.resolve_signal(wanted["invocation"], wanted["name"], wanted["value"])


app = restate.app(
    [
        echo,
        steps,
        limited("KilledWhenBroken", "kill"),
        limited("PausedWhenBroken", "pause"),
        ledger("Ledger"),
        ledger("LazyLedger", enable_lazy_state=True),
        approval,
        waiter("Waiter"),
        waiter("QuickWaiter", inactivity_timeout=QUICK),
        tree,
        sender,
        fragile,
        hidden,
        remote,
    ],
    identity_keys=os.environ.get("PERDURE_INTEROP_IDENTITY_KEYS", "").split() or None,
)
