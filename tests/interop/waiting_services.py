"""Services with the official Python SDK that wait: for one thing, for several, until they are cancelled."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import restate
from plain_services import echo_value, fail, failure, millis
from records import record, recorder, released
from restate import Context, Service, TerminalError

HOUR = timedelta(hours=1)


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
        return await combined(wanted["way"], futures)

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


async def combined(way: str, futures: list[Any]) -> Any:
    match way:
        case "gather":
            await restate.gather(*futures)
            return [await settled(future) for future in futures]
        case "select":
            name, value = await restate.select(**{str(i): future for i, future in enumerate(futures)})
            return [int(name), value]
        case "as_completed":
            return [await settled(future) async for future in restate.as_completed(*futures)]
    raise TerminalError(f"the Python SDK has no way {way}")


async def settled(future: Any) -> Any:
    try:
        return await future
    except TerminalError as error:
        return f"failed: {error.message}"
