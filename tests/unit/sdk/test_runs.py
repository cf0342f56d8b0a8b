"""Runs: what is recorded of them, and when they are tried again."""

import asyncio
from datetime import timedelta

import pytest

import perdure as restate
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.messages import MessageType
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


def test_a_run_is_executed_and_its_result_proposed() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        async def action(a: str, b: str) -> str:
            return a + b

        return await ctx.run_typed("join", action, restate.RunOptions(), text, b="y")

    assert talk(run, ack(1)) == [
        ['Run result_completion_id: 1 name: "join"', 'ProposeRunCompletion result_completion_id: 1 value: "\\"xy\\""'],
        ['Output value { content: "\\"xy\\"" }', "End"],
    ]


@pytest.mark.parametrize("version", [5, 6])
def test_before_version_7_the_result_of_a_run_comes_back(version: int) -> None:
    async def run(ctx: restate.Context, text: str) -> int:
        async def action() -> int:
            return 1

        return await ctx.run_typed("one", action)

    said = talk(run, run_completion(1, b"2"), version=version)
    assert said[1] == ['Output value { content: "2" }', "End"]


def test_an_older_form_of_a_run() -> None:
    async def run(ctx: restate.Context, text: str) -> int:
        async def action(number: int) -> int:
            return number

        return await ctx.run("one", action, args=(1,), type_hint=int)

    assert talk(run, ack(1))[1] == ['Output value { content: "1" }', "End"]


def test_a_run_that_is_not_async_runs_in_a_thread_and_keeps_context_variables() -> None:
    async def run(ctx: restate.Context, text: str) -> bool:
        import contextvars
        import threading

        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
        variable.set("set")
        here = threading.get_ident()
        return await ctx.run_typed("where", lambda: threading.get_ident() != here and variable.get() == "set")

    async def play() -> None:
        peer = Peer(handler(run))
        await peer.converse(opening([input_command()]))
        proposal = await peer.sent(MessageType.PROPOSE_RUN_COMPLETION)
        assert isinstance(proposal, pb.ProposeRunCompletionMessage)
        assert proposal.value == b"true"
        await peer.converse(frame(ack(1)))
        assert isinstance(peer.final, pb.EndMessage)

    asyncio.run(play())


def test_a_recorded_run_is_not_executed_again() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        async def action() -> str:
            raise AssertionError("not again")

        return await ctx.run_typed("once", action)

    assert attempt(run, run_command(1, "once"), run_completion(1, b'"kept"')) == [
        'Output value { content: "\\"kept\\"" }',
        "End",
    ]


def test_a_run_that_nobody_awaits_is_not_executed() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        ctx.run_typed("idle", lambda: pytest.fail("nobody wants it"))

    assert attempt(run) == ['Run result_completion_id: 1 name: "idle"', "Output value { }", "End"]


def test_a_terminal_error_is_the_result_of_a_run() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        async def action() -> None:
            raise restate.TerminalError("no tea", 418)

        try:
            await ctx.run_typed("tea", action)
        except restate.TerminalError as error:
            return f"{error.status_code} {error.message}"
        return "tea"

    said = talk(run, ack(1))
    assert said[0][1] == 'ProposeRunCompletion result_completion_id: 1 failure { code: 418 message: "no tea" }'
    assert said[1][0] == 'Output value { content: "\\"418 no tea\\"" }'


async def _fail() -> None:
    raise ValueError("broken")


@pytest.mark.parametrize(
    ("options", "start", "expected"),
    [
        pytest.param(restate.RunOptions(), {}, None, id="without a policy the server's decides"),
        pytest.param(restate.RunOptions(max_attempts=9), {}, 50, id="the first delay of the default policy"),
        pytest.param(
            restate.RunOptions(initial_retry_interval=timedelta(milliseconds=100), retry_interval_factor=3.0),
            {"retry_count_since_last_stored_entry": 2},
            900,
            id="the third one, with a factor of three",
        ),
        pytest.param(
            restate.RunOptions(max_retry_interval=timedelta(seconds=1)),
            {"retry_count_since_last_stored_entry": 2000},
            1000,
            id="never above the longest",
        ),
    ],
)
def test_when_a_failing_run_is_tried_again(
    options: restate.RunOptions[None], start: dict[str, int], expected: int | None
) -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        await ctx.run_typed("broken", _fail, options)

    async def play() -> None:
        peer = Peer(handler(run))
        # The command is known: this is not the first time.
        await peer.converse(opening([input_command(), run_command(1, "broken")], **start))
        error = peer.final
        assert isinstance(error, pb.ErrorMessage)
        assert (error.message, error.related_command_index) == ("ValueError('broken')", 1)
        assert (error.related_command_name, error.related_command_type) == ("broken", MessageType.RUN_COMMAND)
        assert (error.next_retry_delay if error.HasField("next_retry_delay") else None) == expected

    asyncio.run(play())


@pytest.mark.parametrize(
    ("options", "start"),
    [
        (restate.RunOptions(max_attempts=3), {"retry_count_since_last_stored_entry": 2}),
        (
            restate.RunOptions(max_duration=timedelta(seconds=5)),
            {"retry_count_since_last_stored_entry": 1, "duration_since_last_stored_entry": 6000},
        ),
        (
            restate.RunOptions(max_retry_duration=timedelta(seconds=5)),
            {"retry_count_since_last_stored_entry": 1, "duration_since_last_stored_entry": 6000},
        ),
    ],
)
def test_a_run_that_is_given_up_fails_for_good(options: restate.RunOptions[None], start: dict[str, int]) -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        await ctx.run_typed("broken", _fail, options)

    assert attempt(run, run_command(1, "broken"), **start)[0] == (
        "ProposeRunCompletion result_completion_id: 1 failure { code: 500 message: \"ValueError(\\'broken\\')\" }"
    )
