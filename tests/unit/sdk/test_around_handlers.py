"""What belongs to a handler without being passed to it: its context, values around it, its logs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

import perdure as restate
from perdure.extensions import contextvar, current_context
from perdure.sdk.definitions import handler_of
from support.sdk_peer import Peer, input_command, opening, run_command, run_completion


@contextvar
@asynccontextmanager
async def connection(name: str = "main") -> AsyncIterator[str]:
    """A connection for as long as the attempt lasts."""
    yield f"connected to {name}"


def attempt(handler: Any, *entries: Any) -> None:
    """Runs a handler on a journal."""

    async def play() -> None:
        peer = Peer(handler_of(handler))
        await peer.converse(opening([input_command(), *entries]), end=True)

    asyncio.run(play())


def test_what_a_context_manager_yields_is_there_while_the_handler_runs() -> None:
    seen: list[Any] = []
    service = restate.Service("S", invocation_context_managers=[connection])

    @service.handler()
    async def handler(ctx: restate.Context, name: str) -> None:
        seen.append(connection.value)
        async with connection("other"):
            seen.append(connection.value)
        seen.append(connection.value)

    attempt(handler)
    assert seen == ["connected to main", "connected to other", "connected to main"]
    assert connection.__doc__ == "A connection for as long as the attempt lasts."
    with pytest.raises(LookupError):
        _ = connection.value


def test_the_context_of_the_handler_that_runs() -> None:
    seen: list[Any] = []

    @restate.Service("S").handler()
    async def handler(ctx: restate.Context, name: str) -> None:
        seen.append(current_context() is ctx)
        await asyncio.create_task(nested(ctx))

    async def nested(ctx: Any) -> None:
        seen.append(current_context() is ctx)

    attempt(handler)
    assert seen == [True, True]
    assert current_context() is None


@pytest.fixture
def lines() -> Any:
    """What a program that logs in the usual way would print."""
    printed: list[str] = []

    class Printer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            printed.append(self.format(record))

    handler = Printer()
    handler.setFormatter(logging.Formatter("%(invocation_id)s %(handler)s: %(message)s"))
    logger = restate.getLogger("tests.shop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield printed
    logger.removeHandler(handler)


def logging_handler(log: Callable[[], logging.Logger]) -> Any:
    @restate.Service("S").handler()
    async def handler(ctx: restate.Context, name: str) -> None:
        log().info("before")
        await ctx.run_typed("step", lambda: None)
        log().info("after")

    return handler


def test_a_log_is_silent_while_the_handler_is_replayed(lines: list[str]) -> None:
    handler = logging_handler(lambda: restate.getLogger("tests.shop"))
    attempt(handler)
    assert lines == ["inv_1test S/handler: before"]
    lines.clear()
    attempt(handler, run_command(1, "step"), run_completion(1, b""))
    assert lines == ["inv_1test S/handler: after"]


def test_a_log_outside_of_handlers(lines: list[str]) -> None:
    restate.getLogger("tests.shop").info("started")
    assert lines == [" : started"]
    assert len(restate.getLogger("tests.shop").filters) == 1
