"""What could not be replayed, or means nothing: the text says so, and what to do instead."""

import asyncio
import gc
import logging
import threading
import weakref
from datetime import timedelta
from typing import Any

import pytest

import perdure as restate
from perdure.protocol import messages_pb2 as pb
from perdure.sdk import attempt as attempt_module
from perdure.sdk.attempt import Attempt
from perdure.sdk.exceptions import ContextClosed
from support.sdk_peer import (
    Peer,
    ack,
    attempt,
    frame,
    handler,
    input_command,
    opening,
    run_command,
    run_completion,
    talk,
)

SECOND = timedelta(seconds=1)


def test_a_context_is_of_no_use_after_its_handler() -> None:
    kept: list[restate.ObjectContext] = []

    async def run(ctx: restate.ObjectContext, text: str) -> None:
        kept.append(ctx)

    async def play() -> None:
        peer = Peer(handler(run, "exclusive"))
        await peer.converse(opening([input_command()]))
        with pytest.raises(ContextClosed, match="after its handler has ended"):
            kept[0].set("a", 1)
        with pytest.raises(ContextClosed):
            await kept[0].sleep(SECOND)

    asyncio.run(play())


def test_a_context_belongs_to_its_thread() -> None:
    async def run(ctx: restate.ObjectContext, text: str) -> None:
        await asyncio.get_running_loop().run_in_executor(None, ctx.set, "a", 1)

    async def play() -> str:
        peer = Peer(handler(run, "exclusive"))
        await peer.converse(opening([input_command()]))
        await peer.ended()
        assert isinstance(peer.final, pb.ErrorMessage)
        return peer.final.message

    assert "[E0312]" in asyncio.run(play())


@pytest.mark.parametrize("in_thread", [True, False])
def test_an_action_of_a_run_does_not_use_the_context(in_thread: bool) -> None:
    async def run(ctx: restate.ObjectContext, text: str) -> None:
        async def action() -> None:
            # Also from tasks of its own.
            await asyncio.create_task(use())

        async def use() -> None:
            ctx.set("a", 1)

        if in_thread:
            await ctx.run_typed("use", lambda: ctx.set("a", 1))
        else:
            await ctx.run_typed("use", action)

    async def play() -> pb.ErrorMessage:
        peer = Peer(handler(run, "exclusive"))
        await peer.converse(opening([input_command()]))
        await peer.ended()
        assert isinstance(peer.final, pb.ErrorMessage)
        return peer.final

    error = asyncio.run(play())
    assert "[E0313]" in error.message
    assert "before or after the run" in error.message
    assert error.related_command_name == "use"


def test_a_forgotten_await_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        ctx.run_typed("charge", threading.get_ident)
        ctx.generic_call("Mail", "send", b"")
        ctx.sleep(SECOND)

    with caplog.at_level(logging.WARNING, "perdure.sdk"):
        attempt(run)
    assert [record.getMessage() for record in caplog.records] == [
        "handler P/h never awaited run 'charge', so its action was not executed [E0318]",
        "handler P/h never awaited the call of Mail/send [E0318]",
        "handler P/h never awaited the sleep [E0318]",
    ]


def test_what_was_awaited_or_lost_a_race_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        async def action() -> None: ...

        await restate.select(a=ctx.run_typed("charge", action), b=ctx.sleep(SECOND))

    with caplog.at_level(logging.WARNING, "perdure.sdk"):
        talk(run, ack(1))
    assert not caplog.records


def test_a_run_that_an_earlier_attempt_executed_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        return await ctx.run_typed("charge", lambda: "charged")

    with caplog.at_level(logging.WARNING, "perdure.sdk"):
        attempt(run, run_command(1, "charge"), run_completion(1, b'"charged"'))
    assert not caplog.records


def test_a_value_that_has_no_bytes() -> None:
    async def run(ctx: restate.ObjectContext, text: str) -> None:
        ctx.set("a", object())

    (sent,) = attempt(run, kind="exclusive")
    assert sent.startswith("Error code: 500")
    assert "[E0352]" in sent


def test_a_result_of_a_run_that_has_no_bytes() -> None:
    async def run(ctx: restate.Context, text: str) -> Any:
        async def action() -> object:
            return object()

        return await ctx.run_typed("odd", action)

    sent = attempt(run)
    assert "[E0352]" in sent[1]
    assert 'related_command_name: "odd"' in sent[1]


def test_a_shared_handler_cannot_write_state() -> None:
    async def run(ctx: Any, text: str) -> None:
        ctx.set("a", 1)

    (sent,) = attempt(run, kind="shared")
    assert "[E0316] ObjectSharedContext has no `set`, only ObjectContext or WorkflowContext has" in sent


def test_a_name_that_no_context_has() -> None:
    async def run(ctx: Any, text: str) -> None:
        ctx.sleeep(SECOND)

    (sent,) = attempt(run)
    assert "AttributeError" in sent


def test_a_handler_that_cannot_be_suspended_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt_module, "_FOREIGN_WAIT_S", 0.0)

    async def run(ctx: restate.Context, text: str) -> None:
        await asyncio.Event().wait()

    async def play() -> None:
        peer = Peer(handler(run))
        await peer.converse(opening([input_command()]))
        await peer.converse(end=True)
        peer.attempt.disconnected()
        await peer.ended()

    with caplog.at_level(logging.WARNING, "perdure.sdk"):
        asyncio.run(play())
    (message,) = [record.getMessage() for record in caplog.records]
    assert "[E0319]" in message


def test_an_attempt_that_is_over_is_held_by_nothing() -> None:
    """Also where the last frames are answered from within `send`, as by an engine in the same process."""

    async def run(ctx: restate.Context, text: str) -> str:
        return text

    async def play() -> weakref.ref[Attempt]:
        one = Attempt(handler(run), 7, lambda data: one.end_of_input())
        one.feed(opening([input_command()]))
        await asyncio.create_task(one.run())
        return weakref.ref(one)

    async def look() -> None:
        reference = await play()
        # The loop is still in the callback of the task that ended last.
        await asyncio.sleep(0)
        gc.collect()
        assert reference() is None

    asyncio.run(look())


def test_an_action_that_cancels_itself_is_a_failing_one() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        async def action() -> None:
            raise asyncio.CancelledError

        await ctx.run_typed("odd", action)

    sent = attempt(run)
    assert sent[1].startswith("Error code: 500")
    assert "CancelledError" in sent[1]


def test_a_handler_that_raises_a_cancelled_error_of_its_own_has_failed() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        other = asyncio.ensure_future(asyncio.Event().wait())
        other.cancel()
        await other

    (sent,) = attempt(run)
    assert sent.startswith("Error code: 500")
    assert "CancelledError" in sent


def test_a_handler_whose_server_is_gone_is_cancelled() -> None:
    ended: list[str] = []

    async def run(ctx: restate.Context, text: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned")

    async def play() -> list[str]:
        peer = Peer(handler(run))
        await peer.converse(opening([input_command()]))
        peer.attempt.disconnected()
        said = await peer.ended()
        return said + await peer.converse(frame(ack(1)))

    assert asyncio.run(play()) == []
    assert ended == ["cleaned"]
