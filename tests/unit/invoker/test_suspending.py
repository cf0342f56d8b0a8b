"""A handler that suspends again and again is started again only for something it does not know yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.invoker.exchange import UNREAD_MAX
from perdure.model.invocation import Status, Success
from perdure.model.records import Cancel, CompleteSignal
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.messages import CANCEL_SIGNAL, MessageType
from support.attempt_harness import Harness, frame


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[Harness]:
    with Harness(tmp_path) as harness:
        harness.transport.bidirectional = False
        yield harness


def sleep(completion_id: int) -> bytes:
    message = wire.SleepCommandMessage(wake_up_time=2**60, result_completion_id=completion_id)
    return frame(MessageType.SLEEP_COMMAND, message)


def suspend(completion_id: int, name: str) -> bytes:
    message = wire.SuspensionMessage(
        waiting_completions=[completion_id], waiting_signals=[CANCEL_SIGNAL], waiting_named_signals=[name]
    )
    return frame(MessageType.SUSPENSION, message)


async def status(harness: Harness, invocation_id: str) -> tuple[Status, int]:
    invocation, _ = await harness.look(invocation_id)
    assert invocation is not None
    return invocation.status, invocation.attempt


@pytest.mark.parametrize("kind", ["cancel", "named"])
def test_a_signal_wakes_once(harness: Harness, kind: str) -> None:
    async def signal() -> None:
        if kind == "cancel":
            await harness.ask(lambda token: Cancel(reply_to=token, id=invocation_id))
        else:
            await harness.ask(
                lambda token: CompleteSignal(
                    reply_to=token, id=invocation_id, signal_id=None, signal_name="go", outcome=None
                )
            )

    async def scenario() -> None:
        nonlocal invocation_id
        invocation_id, stream = await harness.send(version=6)
        stream.head()
        stream.say(sleep(1) + suspend(1, "go"))
        assert await status(harness, invocation_id) == (Status.SUSPENDED, 1)

        await signal()
        assert await status(harness, invocation_id) == (Status.INVOKED, 2)
        stream = await harness.transport.of(invocation_id).get()
        stream.head()
        # It has dealt with the signal, and waits for something else or for another signal.
        stream.say(sleep(2) + suspend(2, "go"))
        assert await status(harness, invocation_id) == (Status.SUSPENDED, 2)

        await signal()
        assert await status(harness, invocation_id) == (Status.INVOKED, 3)
        stream = await harness.transport.of(invocation_id).get()
        stream.head()
        # This one comes while the handler runs, which cannot hear of it before the next attempt.
        await signal()
        stream.say(suspend(2, "go"))
        assert await status(harness, invocation_id) == (Status.INVOKED, 4)

    invocation_id = ""
    harness.run(scenario())


def test_a_handler_that_reads_nothing_is_asked_to_suspend(harness: Harness) -> None:
    """What it is told does not pile up in memory: the next attempt gets it out of the store."""

    async def scenario() -> None:
        harness.transport.bidirectional = True
        invocation_id, stream = await harness.send()
        stream.head()

        async def signal(size: int = 1000) -> None:
            await harness.ask(
                lambda token: CompleteSignal(
                    reply_to=token, id=invocation_id, signal_id=17, signal_name=None, outcome=Success(bytes(size))
                )
            )

        await signal(UNREAD_MAX)
        await signal(UNREAD_MAX)
        assert not stream.half_closed
        stream.reads = False
        await signal()
        assert stream.half_closed
        told = len(stream.sent)
        await signal()
        assert len(stream.sent) == told

    harness.run(scenario())
