"""Plain services with the official Python SDK: values, steps, failures and retries."""

from datetime import timedelta
from typing import Any

from records import record
from restate import Context, InvocationRetryPolicy, RunOptions, Service, TerminalError

FAST = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=10), exponentiation_factor=1.0, max_interval=timedelta(milliseconds=10)
)


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
