"""How a handler ends, and what it knows."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import perdure as restate
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import Frame, FrameDecoder
from perdure.protocol.messages import MessageType
from perdure.sdk.attempt import Attempt
from support.sdk_peer import (
    NOW,
    Peer,
    ack,
    attempt,
    frame,
    handler,
    input_command,
    opening,
    say,
    talk,
    void,
)

# ---- Results ----


def test_a_handler_gives_its_result() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        return text + "!"

    assert attempt(run) == ['Output value { content: "\\"x!\\"" }', "End"]


def test_a_terminal_error_is_the_result() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        raise restate.TerminalError("no tea", status_code=418, metadata={"pot": "cold"})

    assert attempt(run) == [
        'Output failure { code: 418 message: "no tea" metadata { key: "pot" value: "cold" } }',
        "End",
    ]


def test_a_group_of_terminal_errors_is_one_too() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        raise ExceptionGroup("several", [restate.TerminalError("first", 404), restate.TerminalError("second")])

    assert attempt(run)[0] == 'Output failure { code: 404 message: "first" }'


def test_any_other_error_fails_the_attempt() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        raise ValueError("broken")

    async def play() -> pb.ErrorMessage:
        peer = Peer(handler(run))
        await peer.converse(opening([input_command()]))
        assert isinstance(peer.final, pb.ErrorMessage)
        return peer.final

    error = asyncio.run(play())
    assert (error.code, error.message) == (500, "ValueError('broken')")
    # The user's code comes first: frames of the SDK would say nothing.
    assert "test_handlers.py" in error.stacktrace.splitlines()[1]
    assert error.stacktrace.rstrip().endswith("ValueError: broken")


def test_a_retryable_error_names_its_delay() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        raise restate.RetryableError("later", retry_after=timedelta(seconds=2))

    (sent,) = attempt(run)
    assert 'message: "later"' in sent
    assert "next_retry_delay: 2000" in sent


# ---- The request ----


def test_a_handler_knows_its_request() -> None:
    async def run(ctx: restate.Context, text: str) -> list[Any]:
        request = ctx.request()
        assert request.body == b'"x"'
        assert not request.attempt_finished_event.is_set()
        return [request.id, request.headers, request.attempt_headers, request.scope, request.limit_key]

    async def play() -> list[str]:
        peer = Peer(handler(run), headers={"host": "here"})
        return await peer.converse(opening([input_command(b'"x"', a="b")], scope="tenant"), end=True)

    sent = asyncio.run(play())
    assert 'content: "[\\"inv_1test\\", {\\"a\\": \\"b\\"}, {\\"host\\": \\"here\\"}, \\"tenant\\", null]"' in sent[0]


def test_the_end_of_an_attempt_can_be_waited_for() -> None:
    seen: list[restate.Request] = []

    async def run(ctx: restate.Context, text: str) -> None:
        seen.append(ctx.request())

    async def play() -> None:
        peer = Peer(handler(run))
        await peer.converse(opening([input_command()]))
        await seen[0].attempt_finished_event.wait()

    asyncio.run(play())
    assert seen[0].attempt_finished_event.is_set()


# ---- Time and chance ----


def test_a_sleep_wakes_at_its_time() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        await ctx.sleep(timedelta(seconds=2), name="nap")
        return "awake"

    said = talk(run, void(MessageType.SLEEP_COMPLETION, 1))
    assert said[0][0] == f'Sleep wake_up_time: {NOW + 2000} result_completion_id: 1 name: "nap"'
    assert said[1] == ['Output value { content: "\\"awake\\"" }', "End"]


def test_the_time_is_recorded() -> None:
    async def run(ctx: restate.Context, text: str) -> float:
        return await ctx.time()

    assert talk(run, ack(1))[0] == [
        'Run result_completion_id: 1 name: "timestamp"',
        f'ProposeRunCompletion result_completion_id: 1 value: "{NOW / 1000}"',
    ]


def test_random_values_come_from_the_seed() -> None:
    async def run(ctx: restate.Context, text: str) -> list[Any]:
        assert isinstance(ctx.uuid(), uuid.UUID)
        return [str(ctx.uuid()), ctx.random().random()]

    assert attempt(run, random_seed=1) == attempt(run, random_seed=1)
    assert attempt(run, random_seed=1) != attempt(run, random_seed=2)


def test_a_host_may_answer_while_it_is_sent_something() -> None:
    async def run(ctx: restate.Context, text: str) -> int:
        async def action(number: int) -> int:
            return number

        return sum([await ctx.run_typed(f"{i}", action, restate.RunOptions(), i) for i in range(5)])

    async def play() -> list[str]:
        sent: list[Frame] = []

        def send(data: bytes) -> None:
            for one in FrameDecoder(1 << 20).feed(data):
                sent.append(one)
                if one.type == MessageType.PROPOSE_RUN_COMPLETION:
                    proposal = pb.ProposeRunCompletionMessage.FromString(one.payload)
                    hosted.feed(frame(ack(proposal.result_completion_id)))

        hosted = Attempt(handler(run), 7, send)
        hosted.feed(opening([input_command()]))
        await hosted.run()
        return [say(one) for one in sent][-2:]

    assert asyncio.run(play()) == ['Output value { content: "10" }', "End"]
