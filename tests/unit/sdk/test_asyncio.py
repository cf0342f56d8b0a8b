"""asyncio's own ways to do several things at once, around durable waits: they replay, or say that they cannot."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

import perdure as restate
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.messages import MessageType, is_command, signal_notification
from support.sdk_peer import (
    Entry,
    Peer,
    attempt,
    frame,
    handler,
    input_command,
    opening,
    run_completion,
    signal,
    sleep_command,
    sleep_completion,
)

SECOND = timedelta(seconds=1)
Function = Callable[[restate.Context, str], Awaitable[Any]]


async def branch(ctx: restate.Context, name: str) -> str:
    """Three steps, each of which writes a command."""

    async def action() -> str:
        return name

    first = await ctx.run_typed(f"{name}1", action)
    await ctx.sleep(SECOND)
    return first + await ctx.run_typed(f"{name}2", action)


async def with_gather(ctx: restate.Context, text: str) -> list[str]:
    return await asyncio.gather(branch(ctx, "a"), branch(ctx, "b"), branch(ctx, "c"))


async def with_nested_gather(ctx: restate.Context, text: str) -> Any:
    return await asyncio.gather(
        asyncio.gather(branch(ctx, "a"), asyncio.gather(branch(ctx, "b"))), asyncio.shield(branch(ctx, "c"))
    )


async def with_task_group(ctx: restate.Context, text: str) -> list[str]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(branch(ctx, name)) for name in "abc"]
    return [task.result() for task in tasks]


async def with_a_task_of_its_own(ctx: restate.Context, text: str) -> list[str]:
    other = asyncio.create_task(branch(ctx, "a"))
    own = await branch(ctx, "b")
    return [own, await other]


async def with_a_task_that_begins_slowly(ctx: restate.Context, text: str) -> list[str]:
    async def slow() -> str:
        await asyncio.sleep(0)
        return await asyncio.create_task(branch(ctx, "a"))

    other = asyncio.create_task(slow())
    own = await branch(ctx, "b")
    return [own, await other]


async def with_first_completed(ctx: restate.Context, text: str) -> list[str]:
    tasks = [asyncio.create_task(branch(ctx, name)) for name in "abc"]
    order = []
    for one in asyncio.as_completed(tasks):
        order.append(await one)
        await ctx.sleep(SECOND)
    return order


async def with_a_queue(ctx: restate.Context, text: str) -> list[str]:
    queue: asyncio.Queue[str] = asyncio.Queue()

    async def worker(name: str) -> None:
        await queue.put(await branch(ctx, name))

    async with asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(worker(name))
        return [await queue.get() for _ in "abc"]


CONCURRENT = [
    with_gather,
    with_nested_gather,
    with_task_group,
    with_a_task_of_its_own,
    with_a_task_that_begins_slowly,
    with_first_completed,
    with_a_queue,
]


def abandoned(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A task that a handler began and did not live to await ends with the attempt, which asyncio would log."""
    assert restate.is_internal_exception(context["exception"]), context


class Server:
    """Answers attempts and keeps the journal. It completes one thing at a time: runs first, then what `pick` says."""

    def __init__(self, pick: Callable[[list[int]], int]) -> None:
        self.journal: list[Entry] = [input_command()]
        self._pick = pick
        self._sleeping: list[int] = []
        self._completed: set[int] = set()

    async def attempt(self, function: Function, notifications: int) -> bool:
        """Runs an attempt that gets so many notifications and then loses its connection. Returns: whether it ended."""
        asyncio.get_running_loop().set_exception_handler(abandoned)
        peer = Peer(handler(function))
        proposals: list[pb.ProposeRunCompletionMessage] = []
        await peer.converse(opening(self.journal))
        taken = self._store(peer, 0, proposals)
        for _ in range(notifications):
            if peer.task.done() or not (entry := self._next(proposals)):
                break
            self.journal.append(entry)
            await peer.converse(frame(entry))
            taken = self._store(peer, taken, proposals)
        ended = peer.task.done()
        if ended:
            assert isinstance(peer.final, pb.EndMessage), peer.final
        peer.attempt.disconnected()
        await peer.ended()
        return ended

    def _next(self, proposals: list[pb.ProposeRunCompletionMessage]) -> Entry | None:
        for one in proposals:
            if one.result_completion_id not in self._completed:
                self._completed.add(one.result_completion_id)
                return run_completion(one.result_completion_id, one.value)
        if self._sleeping:
            return sleep_completion(self._sleeping.pop(self._pick(self._sleeping)))
        return None

    def _store(self, peer: Peer, taken: int, proposals: list[pb.ProposeRunCompletionMessage]) -> int:
        for one in peer.frames[taken:]:
            if is_command(one.type):
                self.journal.append((one.type, one.payload))
            if one.type == MessageType.SLEEP_COMMAND:
                self._sleeping.append(pb.SleepCommandMessage.FromString(one.payload).result_completion_id)
            if one.type == MessageType.PROPOSE_RUN_COMPLETION:
                proposals.append(pb.ProposeRunCompletionMessage.FromString(one.payload))
        return len(peer.frames)


@pytest.mark.parametrize("function", CONCURRENT)
@pytest.mark.parametrize("order", ["first", "last"])
@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_tasks_replay_however_often_the_attempt_is_cut(function: Function, order: str, step: int) -> None:
    async def play() -> None:
        server = Server(lambda waiting: 0 if order == "first" else len(waiting) - 1)
        for _ in range(100):
            if await server.attempt(function, step):
                return
        raise AssertionError("it never ends")

    asyncio.run(play())


def test_a_failing_task_takes_its_group_along_in_every_attempt() -> None:
    async def fails(ctx: restate.Context) -> None:
        await ctx.sleep(SECOND)
        raise restate.TerminalError("first", 418)

    async def run(ctx: restate.Context, text: str) -> str:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails(ctx))
                group.create_task(branch(ctx, "b"))
        except* restate.TerminalError:
            pass
        await ctx.sleep(SECOND)
        return "undone"

    async def play() -> None:
        server = Server(lambda waiting: 0)
        while not await server.attempt(run, 1):
            assert len(server.journal) < 50

    asyncio.run(play())


@pytest.mark.parametrize("way", ["timeout", "wait_for"])
@pytest.mark.parametrize("then", ["return", "go on", "raise"])
def test_a_timeout_of_asyncio_around_a_durable_wait_is_refused(way: str, then: str) -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        try:
            if way == "timeout":
                async with asyncio.timeout(0.01):
                    await ctx.sleep(SECOND)
            else:
                await asyncio.wait_for(ctx.sleep(SECOND), 0.01)
        except TimeoutError:
            if then == "return":
                return "timed out"
            if then == "raise":
                raise
            ctx.generic_send("Log", "slow", b"")
        return "went on"

    async def play() -> list[str]:
        peer = Peer(handler(run))
        await peer.converse(opening([input_command()]))
        await peer.ended()
        assert isinstance(peer.final, pb.ErrorMessage)
        return [peer.final.message]

    (message,) = asyncio.run(play())
    assert "[E0314]" in message
    assert "select(result=…, timeout=ctx.sleep(…))" in message


def test_a_host_that_cancels_the_task_gives_the_attempt_up(caplog: pytest.LogCaptureFixture) -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        await ctx.sleep(SECOND)

    async def play() -> list[str]:
        peer = Peer(handler(run))
        await peer.converse(opening([input_command()]))
        peer.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await peer.task
        return await peer.converse()

    assert asyncio.run(play()) == []
    assert not caplog.records


def test_a_timeout_that_is_not_reached_does_no_harm() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        async with asyncio.timeout(60):
            await ctx.sleep(SECOND)
        return "slept"

    assert attempt(run, sleep_command(1), sleep_completion(1))[0] == 'Output value { content: "\\"slept\\"" }'


def test_a_suspension_reaches_every_task() -> None:
    ended: list[str] = []

    async def waits(ctx: restate.Context, name: str) -> None:
        try:
            await ctx.sleep(SECOND)
        finally:
            ended.append(name)

    async def run(ctx: restate.Context, text: str) -> None:
        async with asyncio.TaskGroup() as group:
            for name in "ab":
                group.create_task(waits(ctx, name))

    assert attempt(run)[-1] == (
        "Suspension awaiting_on { waiting_completions: 1 waiting_completions: 2 waiting_signals: 1 "
        "combinator_type: FIRST_COMPLETED }"
    )
    assert ended == ["a", "b"]


def test_a_cancel_reaches_every_task() -> None:
    async def waits(ctx: restate.Context) -> int:
        try:
            await ctx.sleep(SECOND)
        except restate.TerminalError as error:
            return error.status_code
        return 0

    async def run(ctx: restate.Context, text: str) -> list[int]:
        return await asyncio.gather(waits(ctx), waits(ctx))

    async def play() -> list[str]:
        peer = Peer(handler(run))
        await peer.converse(opening([input_command()]))

        return await peer.converse(frame(signal(signal_notification(1, void=True))))

    assert asyncio.run(play())[0] == 'Output value { content: "[409, 409]" }'
