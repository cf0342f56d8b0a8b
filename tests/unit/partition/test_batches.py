"""How much of what waits goes into one transaction."""

import asyncio
from collections.abc import Iterator

import pytest

from perdure import ids
from perdure.model.records import Invoke
from perdure.partition.commits import Commits
from perdure.partition.loop import QUICK_BATCH_MAX
from perdure.protocol.messages import encode_input
from support.attempt_harness import TARGETS, Harness

BURST = 3 * QUICK_BATCH_MAX


@pytest.fixture
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("batches")) as harness:
        yield harness


async def attempts_before_each_commit(harness: Harness) -> list[int]:
    """How many of a burst's attempts had begun when each transaction of it was committed."""
    begun: list[int] = []
    commit = harness.store.commit

    def noting() -> None:
        begun.append(len(harness.transport.opened))
        commit()

    harness.store.commit = noting  # type: ignore[method-assign]
    target = TARGETS["plain"]
    for number in range(BURST):
        unique = number.to_bytes(16, "big")
        record = Invoke(
            id=ids.fresh_invocation_id(target.service, target.key, unique, 0),
            target=target,
            input=encode_input([], b"{}"),
            wait=False,
        )
        harness.partition.put(record)
    while len(harness.transport.opened) < BURST:
        await asyncio.sleep(0)
    harness.store.commit = commit  # type: ignore[method-assign]
    return begun


def test_handlers_work_on_one_batch_while_the_next_is_applied(harness: Harness) -> None:
    begun = harness.run(attempts_before_each_commit(harness))
    half = BURST // 2
    assert begun == [0, half, half + QUICK_BATCH_MAX]


def test_on_a_slow_disk_one_sync_pays_for_all(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Commits, "are_quick", False)
    assert harness.run(attempts_before_each_commit(harness)) == [0]
