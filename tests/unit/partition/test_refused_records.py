"""What an attempt says is stored without gaps, whatever the store refuses in between."""

import time
from collections.abc import Callable, Iterator

import pytest

from perdure.errors import StoreUnavailable
from perdure.model.invocation import Invocation
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.messages import MessageType
from support.attempt_harness import FakeStream, Harness, frame


@pytest.fixture
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("refused")) as harness:
        yield harness


def state(name: bytes) -> bytes:
    return frame(MessageType.SET_STATE_COMMAND, wire.SetStateCommandMessage(key=name))


def fail_next_commit(harness: Harness, meanwhile: Callable[[], None]) -> None:
    """The next commit is slow and fails; `meanwhile` is called while it is under way."""
    commit = harness.store.commit

    def fail() -> None:
        harness.store.commit = commit  # type: ignore[method-assign]
        harness.loop.call_soon_threadsafe(meanwhile)
        time.sleep(0.05)  # the other thread has that long to say more
        harness.store.rollback()
        raise StoreUnavailable("the disk is full")

    harness.store.commit = fail  # type: ignore[method-assign]


async def slow_down(harness: Harness) -> None:
    """Commits take so long that they are made on another thread, while the loop goes on."""
    commit = harness.store.commit

    def slow() -> None:
        time.sleep(0.02)
        commit()

    harness.store.commit = slow  # type: ignore[method-assign]
    for _ in range(3):
        await harness.settle()
    harness.store.commit = commit  # type: ignore[method-assign]


async def until_it_stores_again(harness: Harness) -> None:
    try:
        await harness.settle()
    except StoreUnavailable:
        await harness.settle()


async def retried(harness: Harness, invocation_id: str) -> tuple[Invocation, FakeStream]:
    await until_it_stores_again(harness)
    invocation, entries = await harness.look(invocation_id)
    assert invocation is not None
    assert [entry.type for entry in entries] == [MessageType.INPUT_COMMAND], "there is a gap"
    assert invocation.last_failure is not None
    await harness.resume(invocation_id)
    return invocation, await harness.transport.of(invocation_id).get()


def test_what_follows_a_refused_record_is_refused(harness: Harness) -> None:
    async def scene() -> None:
        await slow_down(harness)
        invocation_id, stream = await harness.send("exclusive")
        stream.head()
        fail_next_commit(harness, lambda: stream.say(state(b"second")))
        stream.say(state(b"first"))
        _, stream = await retried(harness, invocation_id)
        stream.head()
        stream.say(state(b"first") + state(b"second"))
        _, entries = await harness.look(invocation_id)
        assert len(entries) == 3
        await harness.prove_alive((invocation_id, stream))

    harness.run(scene())


def test_an_end_that_follows_a_refused_record_is_refused(harness: Harness) -> None:
    async def scene() -> None:
        await slow_down(harness)
        invocation_id, stream = await harness.send("exclusive")
        stream.head()
        suspension = wire.SuspensionMessage(awaiting_on=wire.Future(waiting_completions=[1]))
        fail_next_commit(harness, lambda: stream.say(frame(MessageType.SUSPENSION, suspension)))
        stream.say(frame(MessageType.RUN_COMMAND, wire.RunCommandMessage(result_completion_id=1)))
        _, stream = await retried(harness, invocation_id)
        await harness.prove_alive((invocation_id, stream))

    harness.run(scene())


def test_a_record_that_cannot_be_applied_takes_only_its_own_attempt_along(harness: Harness) -> None:
    """A defect in the engine, for one record of a batch."""

    async def scene() -> None:
        invocation_id, stream = await harness.send("exclusive")
        bystander_id, bystander = await harness.send("exclusive")
        set_state = harness.store.tx.set_state

        def defective(service: str, key: str, name: bytes, value: bytes) -> None:
            if name == b"first":
                raise ZeroDivisionError
            set_state(service, key, name, value)

        harness.store.tx.set_state = defective  # type: ignore[method-assign]
        for each in (stream, bystander):
            each.head()
        stream.say(state(b"first"))
        bystander.say(state(b"good"))
        stream.say(state(b"second"))
        await harness.settle()
        harness.store.tx.set_state = set_state  # type: ignore[method-assign]
        _, entries = await harness.look(bystander_id)
        assert len(entries) == 2
        _, stream = await retried(harness, invocation_id)
        await harness.prove_alive((invocation_id, stream))

    harness.run(scene())
