"""The services of the interop suite with the official Python SDK; `ts/services.mjs` has the same with the TypeScript one.

What a handler does outside of its journal goes to a file for each tag in the folder `PERDURE_INTEROP_DIR`, one
line each, so that a test can count what was really executed.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
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
    Workflow,
    WorkflowContext,
    WorkflowSharedContext,
)

HOUR = timedelta(hours=1)
QUICK = timedelta(milliseconds=50)
"""Inactivity timeout of the services that suspend also where both directions stay open."""
FAST = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=10), exponentiation_factor=1.0, max_interval=timedelta(milliseconds=10)
)


def record(tag: str, line: str) -> int:
    """Writes one line. Returns how often this line is there now."""
    path = Path(os.environ["PERDURE_INTEROP_DIR"]) / tag
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    return path.read_text(encoding="utf-8").splitlines().count(line)


def recorder(tag: str, line: str) -> Callable[[], None]:
    """An action for `run` that writes one line."""

    def write() -> None:
        record(tag, line)

    return write


async def released(tag: str) -> None:
    """Waits, outside of the journal, until the test has released the tag; at most 20 s."""
    gate = Path(os.environ["PERDURE_INTEROP_DIR"]) / f"{tag}.released"
    for _ in range(2000):
        if gate.exists():
            return
        await asyncio.sleep(0.01)


def millis(value: float) -> timedelta:
    return timedelta(milliseconds=value)


def failure(error: TerminalError) -> dict[str, Any]:
    return {"code": error.status_code, "message": error.message}


echo = Service("Echo")


@echo.handler(name="echo")
async def echo_value(ctx: Context, value: Any) -> Any:
    return value


@echo.handler()
async def about(ctx: Context) -> dict[str, Any]:
    request = ctx.request()
    return {"id": request.id, "headers": dict(request.headers)}


@echo.handler()
async def fail(ctx: Context, wanted: dict[str, Any]) -> None:
    raise TerminalError(wanted["message"], status_code=wanted["code"], metadata=wanted.get("metadata"))


@echo.handler()
async def journaled(ctx: Context, size: int) -> int:
    """The length of a run's result of `size` characters, as every later attempt reads it from the journal."""
    text = await ctx.run_typed("text", lambda: "x" * size)
    await ctx.sleep(millis(1))
    return len(text)


steps = Service("Steps", invocation_retry_policy=FAST)


@steps.handler()
async def run(ctx: Context, wanted: dict[str, Any]) -> list[str]:
    def step(number: int) -> str:
        record(wanted["tag"], f"step {number}")
        return f"result {number}"

    return [await ctx.run_typed(f"step {i}", step, RunOptions(), i) for i in range(wanted["count"])]


@steps.handler()
async def interrupted(ctx: Context, wanted: dict[str, Any]) -> list[str]:
    """Two steps around a failure of the handler itself."""
    tag = wanted["tag"]

    def step(name: str) -> str:
        record(tag, name)
        return name

    first = await ctx.run_typed("first", step, RunOptions(), "first")
    if record(tag, "attempt") <= wanted["failures"]:
        raise RuntimeError("the handler fails on purpose")
    return [first, await ctx.run_typed("second", step, RunOptions(), "second")]


@steps.handler()
async def flaky(ctx: Context, wanted: dict[str, Any]) -> Any:
    """A run that fails `failures` times and may be tried `attempts` times."""

    def action() -> str:
        if record(wanted["tag"], "tried") <= wanted["failures"]:
            raise RuntimeError("the run fails on purpose")
        return "went well"

    options: RunOptions[str] = RunOptions(
        max_attempts=wanted.get("attempts"), initial_retry_interval=millis(5), retry_interval_factor=1.0
    )
    try:
        return await ctx.run_typed("flaky", action, options)
    except TerminalError as error:
        return failure(error)


@steps.handler()
async def refused(ctx: Context, tag: str) -> Any:
    """A run with a terminal error, which is not tried again."""

    def action() -> None:
        record(tag, "tried")
        raise TerminalError("no such thing", status_code=404)

    try:
        return await ctx.run_typed("refused", action)
    except TerminalError as error:
        return failure(error)


@steps.handler()
async def dice(ctx: Context, tag: str) -> str:
    """Draws random values, fails, and draws them again in the next attempt."""
    drawn = f"{ctx.uuid()} {ctx.random().random()} {await ctx.time()}"
    record(tag, drawn)
    if record(tag, "attempt") == 1:
        raise RuntimeError("the first attempt fails on purpose")
    return drawn


def limited(name: str, on_max_attempts: Any) -> Service:
    """A service that may fail only once."""
    policy = InvocationRetryPolicy(
        initial_interval=millis(5), exponentiation_factor=1.0, max_attempts=2, on_max_attempts=on_max_attempts
    )
    service = Service(name, invocation_retry_policy=policy)

    @service.handler()
    async def work(ctx: Context, wanted: dict[str, Any]) -> int:
        attempt = record(wanted["tag"], "attempt")
        if attempt <= wanted["failures"]:
            raise RuntimeError("broken on purpose")
        return attempt

    return service


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


async def compensated(ctx: Any, tag: str, wait: Callable[[], Awaitable[Any]]) -> Any:
    """Waits for something; when that fails, undoes in a step, and passes the failure on."""
    record(tag, "started")
    try:
        return await wait()
    except TerminalError as error:
        await ctx.run_typed("undo", recorder(tag, f"undone after {error.status_code}"))
        raise


def waiter(name: str, **options: Any) -> Service:
    """Everything that a handler can wait for."""
    service = Service(name, **options)

    @service.handler()
    async def sleep(ctx: Context, duration_ms: int) -> str:
        await ctx.sleep(millis(duration_ms))
        return "slept"

    @service.handler()
    async def awakeable(ctx: Context, tag: str) -> Any:
        identifier, value = ctx.awakeable(type_hint=Any)
        await ctx.run_typed("publish", recorder(tag, identifier))
        try:
            return {"value": await value}
        except TerminalError as error:
            return failure(error)

    @service.handler()
    async def signal(ctx: Context, name: str) -> Any:
        try:
            return {"value": await ctx.signal(name, type_hint=Any)}
        except TerminalError as error:
            return failure(error)

    @service.handler()
    async def hold(ctx: Context, tag: str) -> Any:
        return await compensated(ctx, tag, lambda: ctx.sleep(HOUR))

    @service.handler()
    async def wait(ctx: Context, wanted: dict[str, Any]) -> Any:
        """Waits for what `wanted["point"]` names until it is cancelled."""
        tag = wanted["tag"]

        async def closure() -> str:
            record(tag, "running")
            await released(tag)
            return "ran"

        def forever() -> Any:
            return ctx.sleep(HOUR)

        def call() -> Any:
            return ctx.service_call(hold, f"{tag}.callee")

        points: dict[str, Callable[[], Awaitable[Any]]] = {
            "sleep": forever,
            "awakeable": lambda: ctx.awakeable()[1],
            "call": call,
            "signal": lambda: ctx.signal("never"),
            "attach": lambda: ctx.attach_invocation(wanted["target"]),
            "run": lambda: ctx.run_typed("closure", closure),
            "gather": lambda: restate.gather(forever(), ctx.awakeable()[1], call()),
            "select": lambda: restate.select(a=forever(), b=ctx.awakeable()[1]),
        }
        return await compensated(ctx, tag, points[wanted["point"]])

    @service.handler()
    async def combine(ctx: Context, wanted: dict[str, Any]) -> Any:
        """Combines several waits in one of the ways of the SDK."""
        futures = [part(ctx, wanted["tag"], wished) for wished in wanted["parts"]]
        match wanted["way"]:
            case "gather":
                await restate.gather(*futures)
                return [await settled(future) for future in futures]
            case "select":
                name, value = await restate.select(**{str(i): future for i, future in enumerate(futures)})
                return [int(name), value]
            case "as_completed":
                return [await settled(future) async for future in restate.as_completed(*futures)]
        raise TerminalError(f"the Python SDK has no {wanted['way']}")

    return service


def part(ctx: Context, tag: str, wished: dict[str, Any]) -> Any:
    """One of the things to combine: a sleep, an awakeable, a run, or a call that succeeds or fails."""
    match wished:
        case {"sleep": duration_ms}:
            return ctx.sleep(millis(duration_ms))
        case {"awakeable": _}:
            identifier, future = ctx.awakeable(type_hint=Any)
            record(tag, identifier)
            return future
        case {"run": value}:
            return ctx.run_typed("part", lambda: value)
        case {"call": value}:
            return ctx.service_call(echo_value, value)
        case {"fail": message}:
            return ctx.service_call(fail, {"message": message, "code": 400})
    raise TerminalError(f"unknown part {wished}")


async def settled(future: Any) -> Any:
    try:
        return await future
    except TerminalError as error:
        return f"failed: {error.message}"


tree = Service("Tree")


@tree.handler()
async def grow(ctx: Context, wanted: dict[str, Any]) -> str:
    """A chain of calls as deep as `depth`; the deepest one waits for ever."""
    tag, depth = wanted["tag"], wanted["depth"]
    undo: list[str] = []
    try:
        for step in ("reserve", "pay"):
            undo.append(step)
            await ctx.run_typed(step, recorder(tag, f"{step} {depth}"))
        if depth:
            return await ctx.service_call(grow, {"tag": tag, "depth": depth - 1})
        await ctx.sleep(HOUR)
    except TerminalError:
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
        hidden,
        remote,
    ],
    identity_keys=os.environ.get("PERDURE_INTEROP_IDENTITY_KEYS", "").split() or None,
)
