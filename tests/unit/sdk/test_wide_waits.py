"""Waiting for very many things: what each of them costs does not depend on how many there are; and who gets what."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

import perdure as restate
from perdure.protocol.messages import MessageType, completion, make_failure, signal_notification
from support.sdk_peer import (
    Entry,
    Peer,
    ack,
    attempt,
    frame,
    handler,
    input_command,
    opening,
    signal,
    sleep_command,
    sleep_completion,
    talk,
)

SECOND = timedelta(seconds=1)
CANCEL = signal(signal_notification(1, void=True))


def naps(ctx: Any, count: int) -> list[Any]:
    return [ctx.sleep(SECOND) for _ in range(count)]


def attached(ctx: Any, count: int) -> list[Any]:
    return [ctx.attach_invocation(f"inv_1{number}") for number in range(count)]


def refused(completion_id: int) -> Entry:
    type_id = MessageType.ATTACH_INVOCATION_COMPLETION
    return type_id, completion(type_id, completion_id, failure=make_failure(404, "nobody"))


# ---- What it costs ----


async def gather(ctx: Any, count: int) -> None:
    await restate.gather(*naps(ctx, count))


async def select_the_last(ctx: Any, count: int) -> None:
    # The others end first, and nobody waits for them.
    naps(ctx, count - 1)
    await restate.select(**{f"nap{at}": nap for at, nap in enumerate(naps(ctx, count))})


async def as_completed(ctx: Any, count: int) -> None:
    assert len([nap async for nap in restate.as_completed(*naps(ctx, count))]) == count


async def all_succeeded(ctx: Any, count: int) -> None:
    await restate.all_succeeded(*naps(ctx, count))


async def first_succeeded(ctx: Any, count: int) -> None:
    with pytest.raises(restate.TerminalError):
        await restate.first_succeeded(*attached(ctx, count))


async def tasks(ctx: Any, count: int) -> None:
    async def one() -> None:
        await ctx.sleep(SECOND)

    await asyncio.gather(*[one() for _ in range(count)])


async def runs(ctx: Any, count: int) -> None:
    async def action() -> None: ...

    await restate.gather(*[ctx.run_typed("step", action) for _ in range(count)])


async def work(way: Callable[[Any, int], Awaitable[None]], count: int, completed: Callable[[int], Entry]) -> int:
    """How many functions are called until a handler has its results, which come one at a time, the last one first."""

    async def run(ctx: restate.Context, text: str) -> None:
        await way(ctx, count)

    calls = 0

    def called(*_: object) -> None:
        nonlocal calls
        calls += 1

    peer = Peer(handler(run))
    peer.attempt.feed(opening([input_command()]))
    await peer.rest()
    for completion_id in range(2 * count if way is select_the_last else count, 0, -1):
        sys.setprofile(called)
        peer.attempt.feed(frame(completed(completion_id)))
        # Until the loop has gone round often enough for a handler with tasks.
        for _ in range(20):
            await asyncio.sleep(0)
        sys.setprofile(None)
    await asyncio.wait_for(peer.task, 5)
    return calls


@pytest.mark.parametrize(
    ("way", "completed"),
    [
        (gather, sleep_completion),
        (select_the_last, sleep_completion),
        (as_completed, sleep_completion),
        (all_succeeded, sleep_completion),
        (first_succeeded, refused),
        (tasks, sleep_completion),
        (runs, ack),
    ],
)
def test_work_grows_with_the_number_of_futures_and_no_faster(way: Any, completed: Callable[[int], Entry]) -> None:
    few, many = (asyncio.run(work(way, count, completed)) for count in (150, 600))
    assert many < 5 * few


def test_a_cancel_with_many_callees_waits_for_their_ids_and_no_longer() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        try:
            await restate.gather(*[ctx.generic_call("A", "h", b"") for _ in range(3)])
        except restate.TerminalError as error:
            return str(error.status_code)
        return "not cancelled"

    def callee(completion_id: int) -> Entry:
        type_id = MessageType.CALL_INVOCATION_ID_COMPLETION
        return type_id, completion(type_id, completion_id, invocation_id=f"inv_1{completion_id}")

    said = talk(run, CANCEL, callee(5), callee(1), callee(3))
    assert said[1:4] == [[], [], []]
    assert [one.split()[2] for one in said[4][:3]] == ['"inv_11"', '"inv_13"', '"inv_15"']
    assert said[4][3] == 'Output value { content: "\\"409\\"" }'


# ---- Who gets what ----


def sent(name: str, value: bytes) -> Entry:
    return signal(signal_notification(name, value=value))


def test_a_wait_for_all_takes_a_signal_when_it_comes_whether_live_or_replayed() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        try:
            await restate.gather(ctx.sleep(SECOND), ctx.signal("go"))
        except restate.TerminalError:
            return await ctx.signal("go", type_hint=str)
        return "not cancelled"

    turns = [sent("go", b'"first"'), CANCEL, sent("go", b'"second"')]
    output = 'Output value { content: "\\"second\\"" }'
    assert talk(run, *turns)[-1] == [output, "End"]
    assert attempt(run, sleep_command(1), *turns) == [output, "End"]


def test_what_comes_while_the_body_of_a_loop_waits_is_not_lost_in_a_cancellation() -> None:
    async def run(ctx: restate.Context, text: str) -> list[int]:
        futures = naps(ctx, 3)
        seen = []
        async for nap in restate.as_completed(*futures):
            seen.append(futures.index(nap))
            if len(seen) == 1:
                called = ctx.generic_call("A", "h", b"")
                with pytest.raises(restate.TerminalError):
                    await called
        return seen

    type_id = MessageType.CALL_INVOCATION_ID_COMPLETION
    identified = type_id, completion(type_id, 4, invocation_id="inv_1a")
    # The second nap ends between the cancel and the id that it needs to surface.
    said = talk(run, sleep_completion(3), CANCEL, sleep_completion(2), identified, sleep_completion(1))
    assert said[-1] == ['Output value { content: "[2, 1, 0]" }', "End"]


def test_a_future_that_is_given_twice_completes_twice() -> None:
    async def run(ctx: restate.Context, text: str) -> list[int]:
        first, second = naps(ctx, 2)
        await restate.gather(first, first)
        return [[first, second].index(nap) async for nap in restate.as_completed(first, second, first)]

    said = talk(run, sleep_completion(1), sleep_completion(2))
    assert said[-1] == ['Output value { content: "[0, 0, 1]" }', "End"]


def test_a_loop_that_was_left_takes_no_signal() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        left = restate.as_completed(ctx.sleep(SECOND), ctx.signal("go"))
        await anext(left)
        return await ctx.signal("go", type_hint=str)

    assert talk(run, sleep_completion(1), sent("go", b'"went"'))[-1] == [
        'Output value { content: "\\"went\\"" }',
        "End",
    ]


def test_a_loop_takes_a_signal_that_came_while_its_body_waited() -> None:
    async def run(ctx: restate.Context, text: str) -> list[str]:
        futures = {ctx.sleep(SECOND): "nap", ctx.signal("go"): "signal", ctx.sleep(SECOND): "other nap"}
        seen = []
        async for future in restate.as_completed(*futures):
            seen.append(futures[future])
            if len(seen) == 1:
                await ctx.sleep(SECOND)
        return seen

    turns = [sleep_completion(1), sent("go", b"1"), sleep_completion(3), sleep_completion(2)]
    assert talk(run, *turns)[-1][0] == 'Output value { content: "[\\"nap\\", \\"signal\\", \\"other nap\\"]" }'


def test_two_tasks_that_share_a_future_of_a_signal_share_the_signal() -> None:
    async def run(ctx: restate.Context, text: str) -> list[str]:
        shared, next_one = ctx.signal("go", type_hint=str), ctx.signal("go", type_hint=str)

        async def awaited(future: Any) -> str:
            return str(await future)

        return await asyncio.gather(awaited(shared), awaited(next_one), awaited(shared))

    turns = [sent("go", b'"1"'), sent("go", b'"2"')]
    output = 'Output value { content: "[\\"1\\", \\"2\\", \\"1\\"]" }'
    assert talk(run, *turns)[-1] == [output, "End"]
    assert attempt(run, *turns) == [output, "End"]
