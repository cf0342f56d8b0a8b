"""What an attempt says in several pieces, without waiting in between, is one record."""

from collections.abc import Iterator

import pytest

from perdure.engine import machine
from perdure.errors import StoreUnavailable
from perdure.model.records import AttemptProgress, Ended, Entry, Record
from perdure.partition import loop
from perdure.partition.progress import ENTRIES_MAX, Item, joined
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.framing import ACK_FLAG
from perdure.protocol.messages import MessageType
from support.attempt_harness import Harness, frame

RUN = Entry(MessageType.RUN_COMMAND, 0, b"", wire.RunCommandMessage())
SLEEP = Entry(MessageType.SLEEP_COMMAND, 0, b"", wire.SleepCommandMessage())
ACKED_RUN = Entry(MessageType.RUN_COMMAND, ACK_FLAG, b"", wire.RunCommandMessage())


@pytest.fixture
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("joined")) as harness:
        yield harness


def said(*entries: Entry, number: int = 1, attempt: int = 1, ended: bool = False) -> Item:
    record = AttemptProgress(
        number=number,
        attempt=attempt,
        deployment_id="dp_1",
        protocol_version=7,
        server=None,
        entries=list(entries),
        end=Ended() if ended else None,
        randomness=bytes(16),
    )
    return record, None


def test_what_can_wait_goes_with_what_comes_next() -> None:
    whole = joined(said(RUN), said(SLEEP, ended=True))
    assert whole is not None
    assert whole[0] == said(RUN, SLEEP, ended=True)[0]


@pytest.mark.parametrize(
    "first",
    [
        said(SLEEP),
        said(ACKED_RUN),
        said(RUN, ended=True),
        said(RUN, number=2),
        said(RUN, attempt=2),
        said(*[RUN] * ENTRIES_MAX),
        (Record(), None),
    ],
)
def test_nothing_else_is_joined(first: Item) -> None:
    assert joined(first, said(RUN)) is None
    assert joined(said(RUN), (Record(), None)) is None


def test_both_are_told() -> None:
    told: list[tuple[str, StoreUnavailable | None]] = []
    first, second = said(RUN)[0], said(RUN)[0]
    whole = joined((first, lambda error: told.append(("first", error))), (second, None))
    assert whole is not None
    whole = joined(whole, (second, lambda error: told.append(("second", error))))
    assert whole is not None
    assert whole[1] is not None
    error = StoreUnavailable("the disk is full")
    whole[1](error)
    assert told == [("first", error), ("second", error)]


def test_a_step_that_comes_in_pieces_is_applied_at_once(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[list[int]] = []

    def noting(record: Record, *arguments: object) -> object:
        if isinstance(record, AttemptProgress):
            applied.append([entry.type for entry in record.entries])
        return machine.apply(record, *arguments)  # type: ignore[arg-type]

    async def scene() -> None:
        invocation_id, stream = await harness.send()
        stream.head()
        stream.say(frame(MessageType.RUN_COMMAND, wire.RunCommandMessage(result_completion_id=1)))
        stream.say(
            frame(
                MessageType.PROPOSE_RUN_COMPLETION, wire.ProposeRunCompletionMessage(result_completion_id=1, value=b"")
            )
        )
        _, entries = await harness.look(invocation_id)
        assert [entry.type for entry in entries[1:]] == [MessageType.RUN_COMMAND, MessageType.RUN_COMPLETION]
        await harness.prove_alive((invocation_id, stream))

    monkeypatch.setattr(loop, "apply", noting)
    harness.run(scene())
    assert [MessageType.RUN_COMMAND, MessageType.PROPOSE_RUN_COMPLETION] in applied
