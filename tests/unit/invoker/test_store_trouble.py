"""The store fails, or a record meets a defect, while attempts run: nothing is lost, doubled or left out."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from perdure.engine.tx import Tx
from perdure.errors import RecordRefused, StoreUnavailable
from perdure.invoker import invoker as invoker_module
from perdure.model.actions import Accepted
from perdure.model.invocation import Status
from perdure.model.records import Invoke, Pause, Sweep
from perdure.partition.loop import Partition
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.framing import encode_frame
from perdure.protocol.messages import MessageType, encode_input
from support.attempt_harness import TARGETS, FrozenClock, Harness, frame, output

END = encode_frame(MessageType.END, b"")


@pytest.fixture
def harness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    monkeypatch.setattr(invoker_module, "RETRY_LOST_S", 0.01)
    with Harness(tmp_path) as harness:
        yield harness


def set_state(key: bytes) -> bytes:
    return frame(MessageType.SET_STATE_COMMAND, wire.SetStateCommandMessage(key=key, value=wire.Value(content=b"1")))


def fail_once(target: Any, method: str, error: Exception, before: Callable[[], None] = lambda: None) -> None:
    """The next call of a method of `target` raises. before: called first."""
    real = getattr(target, method)

    def fail(*_arguments: Any) -> None:
        setattr(target, method, real)
        before()
        raise error

    setattr(target, method, fail)


async def expect_untouched(harness: Harness, invocation_id: str) -> None:
    """The invocation has failed one attempt, and nothing that was said in it is stored."""
    invocation, journal = await harness.look(invocation_id)
    assert invocation is not None
    assert invocation.status is Status.INVOKED
    assert invocation.next_retry_at is not None
    assert invocation.retry_count_since_entry == 0
    assert [entry.type for entry in journal] == [MessageType.INPUT_COMMAND]
    await harness.resume(invocation_id)
    await harness.prove_alive((invocation_id, await harness.transport.of(invocation_id).get()))


def test_what_follows_refused_words_is_refused_too(harness: Harness) -> None:
    """The disk fails while it stores the first half of what an attempt says; the second half waits already."""

    async def scenario() -> None:
        invocation_id, stream = await harness.send("exclusive")
        stream.head()

        failed = asyncio.Event()

        def meanwhile() -> None:
            stream.say(set_state(b"second") + output(b"done") + END)
            failed.set()

        fail_once(harness.store, "commit", StoreUnavailable("the disk is full"), before=meanwhile)
        stream.say(set_state(b"first"))
        await failed.wait()
        invocation, _ = await harness.look(invocation_id)
        assert invocation is not None
        assert invocation.policy_retries == 0
        await expect_untouched(harness, invocation_id)

    harness.run(scenario())


def test_what_follows_words_that_meet_a_defect_is_refused_too(harness: Harness) -> None:
    async def scenario() -> None:
        invocation_id, stream = await harness.send("exclusive")
        _, bystander = other = await harness.send("exclusive")
        stream.head()
        bystander.head()
        real = harness.store.tx.set_state

        def set_state_of(service: str, key: str, name: bytes, value: bytes) -> None:
            if name == b"poison":
                raise ValueError("a defect")
            real(service, key, name, value)

        harness.store.tx.set_state = set_state_of  # type: ignore[method-assign]
        bystander.say(set_state(b"fine"))
        stream.say(set_state(b"poison"))
        stream.say(set_state(b"second") + output(b"done") + END)
        await harness.settle()
        await expect_untouched(harness, invocation_id)
        await harness.prove_alive(other)

    harness.run(scenario())


def test_one_record_with_a_defect_does_not_change_the_order_of_the_others(harness: Harness) -> None:
    """While records are tried one by one, more arrive: they stay behind."""

    async def scenario() -> None:
        invocation_id, stream = await harness.send("exclusive")
        stream.head()
        applied: list[int] = []

        def note(number: int) -> Callable[[StoreUnavailable | None], None]:
            def on_applied(error: StoreUnavailable | None) -> None:
                applied.append(number)
                if number == 1:
                    harness.partition.put(Sweep(), note(4))

            return on_applied

        fail_twice(harness.store.tx, "expired_journals")
        for number in (1, 2, 3):
            harness.partition.put(Sweep(), note(number))
        await harness.settle()
        assert applied == [1, 2, 3, 4]
        await harness.prove_alive((invocation_id, stream))

    harness.run(scenario())


def fail_twice(target: Any, method: str) -> None:
    fail_once(target, method, ValueError("a defect"))
    fail_once(target, method, ValueError("a defect"))


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (apsw.FullError("full"), StoreUnavailable),
        (apsw.IOError("broken"), StoreUnavailable),
        (KeyError(1), RecordRefused),
    ],
    ids=["full", "broken", "defect"],
)
def test_a_record_that_cannot_be_applied_is_refused(
    harness: Harness, error: Exception, refusal: type[StoreUnavailable]
) -> None:
    async def scenario() -> None:
        fail_once(harness.store.tx, "insert_invocation", error)
        with pytest.raises(StoreUnavailable) as refused:
            await harness.send()
        assert type(refused.value) is refusal
        await harness.prove_alive()

    harness.run(scenario())


def test_an_attempt_that_cannot_be_read_waits_for_the_disk(harness: Harness) -> None:
    async def scenario() -> None:
        fail_once(harness.store.tx, "entries", apsw.IOError("cannot read"))
        invocation_id, stream = await harness.send()
        invocation, _ = await harness.look(invocation_id)
        assert invocation is not None
        assert invocation.attempt == 1
        assert invocation.last_failure is None
        await harness.prove_alive((invocation_id, stream))

    harness.run(scenario())


def test_a_reader_is_told_when_the_disk_fails(harness: Harness) -> None:
    async def scenario() -> None:
        invocation_id, _ = await harness.send()
        fail_once(harness.store.tx, "invocation_by_id", apsw.IOError("cannot read"))
        with pytest.raises(StoreUnavailable):
            await harness.partition.output(invocation_id)

    harness.run(scenario())


def test_who_raises_when_told_of_a_refusal_harms_nobody(harness: Harness) -> None:
    async def scenario() -> None:
        def applied(_error: StoreUnavailable | None) -> None:
            raise ValueError("a defect of the caller")

        failed = asyncio.Event()
        fail_once(harness.store, "commit", StoreUnavailable("the disk is full"), before=failed.set)
        harness.partition.put(Sweep(), applied)
        await failed.wait()
        await harness.prove_alive()

    harness.run(scenario())


def test_requests_wait_until_the_recovery_is_over(harness: Harness) -> None:
    """A request that comes while the server starts is not taken for one that was running before."""

    async def scenario() -> None:
        unfinished, first = await harness.send()
        await harness.partition.stop()
        partition = Partition(harness.store, FrozenClock())
        harness.partition = harness.invoker._partition = partition
        target = TARGETS["plain"]

        def build(token: int) -> Invoke:
            return Invoke(reply_to=token, id="inv_new", target=target, input=encode_input([], b"{}"), wait=False)

        accepted = asyncio.ensure_future(partition.ask(build))
        await asyncio.sleep(0)
        await partition.start(harness.invoker)
        assert isinstance(await accepted, Accepted)

        def attempts(tx: Tx) -> list[int]:
            found = [tx.invocation_by_id(invocation_id) for invocation_id in (unfinished, "inv_new")]
            return [invocation.attempt for invocation in found if invocation is not None]

        assert await partition.read(attempts) == [2, 1]
        assert first.over

    harness.run(scenario())


def test_nobody_waits_for_a_partition_that_has_stopped(harness: Harness) -> None:
    async def scenario() -> None:
        await harness.partition.stop()
        with pytest.raises(StoreUnavailable, match="stopping"):
            await harness.partition.output("inv_any")
        with pytest.raises(StoreUnavailable, match="stopping"):
            await harness.partition.attach("inv_any")
        record = Invoke(
            reply_to=harness.partition.new_token(),
            id="inv_new",
            target=TARGETS["plain"],
            input=encode_input([], b"{}"),
            wait=True,
        )
        waiter: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        with pytest.raises(StoreUnavailable, match="stopping"):
            harness.partition.submit(record, waiter)
        assert not waiter.done()

    harness.run(scenario())


def test_a_pause_reaches_an_attempt_that_waits_for_room(harness: Harness) -> None:
    async def scenario() -> None:
        running = await harness.send()
        harness.invoker.settings = msgspec.structs.replace(harness.invoker.settings, concurrency_limit=1)
        waiting = asyncio.ensure_future(harness.send())
        await harness.settle()
        waiting_id = next(iter(harness.transport.opened.keys() - {running[0]}))
        await harness.ask(lambda token: Pause(reply_to=token, id=waiting_id))
        await harness.prove_alive(running)
        _, stream = await waiting
        assert stream.half_closed

    harness.run(scenario())
