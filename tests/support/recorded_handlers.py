"""Handlers that do what those did whose exchanges with the official SDK are in `protocol-vectors.json`."""

import asyncio
from datetime import timedelta
from typing import Any

import perdure as restate
from perdure import (
    Context,
    ObjectContext,
    ObjectSharedContext,
    RunOptions,
    Service,
    TerminalError,
    VirtualObject,
    Workflow,
    WorkflowContext,
    WorkflowSharedContext,
)

plain = Service("P")
keyed = VirtualObject("O")
flow = Workflow("W")

failures_left: dict[str, int] = {}
"""How often the handlers that fail on purpose still do, by their names."""


def _fails(name: str) -> bool:
    failures_left[name] = failures_left.get(name, 0) - 1
    return failures_left[name] >= 0


@plain.handler()
async def echo(ctx: Context, value: str) -> str:
    return value


@plain.handler()
async def runs(ctx: Context, value: str) -> str:
    async def prefixed(prefix: str, text: str) -> str:
        return prefix + text

    first: str = await ctx.run_typed("first", prefixed, RunOptions(), "A", value)
    return await ctx.run_typed("second", prefixed, RunOptions(), "B", first)


@plain.handler()
async def sleeper(ctx: Context, milliseconds: int) -> str:
    await ctx.sleep(timedelta(milliseconds=milliseconds), name="nap")
    return "slept"


@plain.handler()
async def caller(ctx: Context, value: str) -> str:
    return await ctx.service_call(echo, value)


@plain.handler()
async def callobj(ctx: Context, value: str) -> str:
    return await ctx.object_call(add, "ck", 3, idempotency_key=f"idem-{value}", headers={"h1": "v1"})


@keyed.handler()
async def add(ctx: ObjectContext, amount: int) -> str:
    total = (await ctx.get("c", type_hint=int) or 0) + amount
    ctx.set("c", total)
    return str(total)


@plain.handler()
async def terminal(ctx: Context, value: str) -> None:
    raise TerminalError("bad thing", status_code=418, metadata={"k": "v"})


@plain.handler()
async def callterm(ctx: Context, value: str) -> str:
    try:
        await ctx.service_call(terminal, value)
    except TerminalError as error:
        return f"{error.status_code} {error.message}"
    return "went well"


async def _raise(text: str) -> str:
    raise Exception(text)


@plain.handler()
async def flakymax(ctx: Context, value: str) -> str:
    return await ctx.run_typed("flk", _raise, RunOptions(max_attempts=2), "always")


@plain.handler()
async def flaky(ctx: Context, value: str) -> str:
    async def action() -> str:
        count = 3 - failures_left["flaky"]
        failures_left["flaky"] -= 1
        return await _raise(f"boom {count}") if count < 3 else f"fine after {count}"

    options: RunOptions[str] = RunOptions(initial_retry_interval=timedelta(milliseconds=100), retry_interval_factor=2.0)
    return await ctx.run_typed("flk", action, options)


@plain.handler()
async def handlerfail(ctx: Context, value: str) -> str:
    if _fails("handlerfail"):
        raise Exception("handler boom")
    return "ok"


@plain.handler()
async def retryafter(ctx: Context, value: str) -> str:
    if _fails("retryafter"):
        raise restate.RetryableError("try later", retry_after=timedelta(milliseconds=700))
    return "ok"


@keyed.handler()
async def ops(ctx: ObjectContext, value: str) -> dict[str, Any]:
    seen: dict[str, Any] = {"k1": await ctx.state_keys(), "a": await ctx.get("a")}
    ctx.set("a", "v")
    ctx.set("b", "bb")
    seen["a2"] = await ctx.get("a")
    ctx.clear("b")
    seen["b"] = await ctx.get("b")
    seen["k2"] = await ctx.state_keys()
    ctx.clear_all()
    seen["k3"] = await ctx.state_keys()
    ctx.set("a", "final")
    return seen


@keyed.handler()
async def lazyops(ctx: ObjectContext, value: str) -> dict[str, Any]:
    seen: dict[str, Any] = {"k1": await ctx.state_keys(), "a": await ctx.get("a"), "m": await ctx.get("missing")}
    ctx.set("z", "zz")
    seen["z"] = await ctx.get("z")
    ctx.clear("z")
    return seen | {"z2": await ctx.get("z"), "k": await ctx.state_keys()}


@keyed.handler(kind="shared")
async def peek(ctx: ObjectSharedContext, value: str) -> str:
    return str(await ctx.get("c"))


@plain.handler()
async def waiter(ctx: Context, value: str) -> str:
    identifier, future = ctx.awakeable(type_hint=str)

    async def publish() -> int:
        return len(identifier)

    await ctx.run_typed("pub", publish)
    return await future


@plain.handler()
async def blocker(ctx: Context, value: str) -> str:
    return await ctx.awakeable(type_hint=str)[1]


@plain.handler()
async def parent(ctx: Context, value: str) -> str:
    async def clean() -> str:
        return "cleaned"

    try:
        return await ctx.service_call(blocker, value)
    except TerminalError:
        await ctx.run_typed("cleanup", clean)
        raise


@plain.handler()
async def sendsig(ctx: Context, target: str) -> str:
    ctx.resolve_signal(target, "mysig", "sigval")
    return "ok"


@plain.handler()
async def sig(ctx: Context, value: str) -> str:
    return await ctx.signal("mysig", type_hint=str)


@plain.handler()
async def attach(ctx: Context, target: str) -> str:
    return await ctx.attach_invocation(target, type_hint=str)


@plain.handler()
async def canceller(ctx: Context, target: str) -> str:
    ctx.cancel_invocation(target)
    return "ok"


@flow.main()
async def run(ctx: WorkflowContext, value: str) -> str:
    promise = ctx.promise("p", type_hint=str)
    return f"{await promise.peek()} {await promise}"


@flow.handler()
async def resolve(ctx: WorkflowSharedContext, value: str) -> str:
    promise = ctx.promise("p", type_hint=str)
    await promise.resolve(value)
    try:
        await promise.resolve("again")
    except TerminalError as error:
        return f"{error.status_code} {error.message}"
    return "went well"


@plain.handler()
async def ids(ctx: Context, value: str) -> dict[str, Any]:
    request = ctx.request()
    return {
        "id": request.id,
        "awk": ctx.awakeable()[0],
        "uuid": str(ctx.uuid()),
        "r1": ctx.random().random(),
        "r2": ctx.random().random(),
        "i": ctx.random().randint(0, 10**9),
        "headers": request.headers,
        "att": request.attempt_headers,
    }


@plain.handler()
async def gath(ctx: Context, value: str) -> str:
    await restate.gather(ctx.sleep(timedelta(seconds=2)), ctx.sleep(timedelta(seconds=3)))
    return "g"


@plain.handler()
async def combi(ctx: Context, value: str) -> str:
    name, _ = await restate.select(
        a=ctx.sleep(timedelta(seconds=3)), b=ctx.sleep(timedelta(seconds=6)), c=ctx.awakeable()[1]
    )
    return name


@plain.handler()
async def sender(ctx: Context, value: str) -> str:
    now = ctx.service_send(echo, value)
    later = ctx.service_send(echo, value, send_delay=timedelta(seconds=60))
    return f"{await now.invocation_id()},{await later.invocation_id()}"


@plain.handler()
async def void(ctx: Context) -> None:
    return None


@plain.handler()
async def cresolve(ctx: Context, identifier: str) -> str:
    ctx.resolve_awakeable(identifier, "by-svc")
    return "ok"


@plain.handler()
async def creject(ctx: Context, identifier: str) -> str:
    ctx.reject_awakeable(identifier, "nope", 499)
    return "ok"


long_run_may_end = asyncio.Event()


@plain.handler()
async def longrun(ctx: Context, value: str) -> str:
    async def action() -> str:
        await long_run_may_end.wait()
        return "done"

    return await ctx.run_typed("long", action)


@plain.handler()
async def callmissing(ctx: Context, value: str) -> bytes:
    return await ctx.generic_call("Nope", "nope", b"x")


@plain.handler()
async def nondet(ctx: Context, value: str) -> str:
    if _fails("nondet"):

        async def one() -> int:
            return 1

        await ctx.run_typed("one", one)
        raise Exception("retry me")
    await ctx.sleep(timedelta(seconds=1))
    return "ok"


SERVICES = {"P": plain, "O": keyed, "W": flow}
