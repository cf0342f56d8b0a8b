"""A disk that is full or failing: what was not committed happened nowhere, and afterwards all is well again."""

import gc
import random
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from perdure.engine.machine import apply
from perdure.errors import StoreUnavailable
from perdure.model import records
from perdure.model.registry import ServiceKind
from perdure.protocol.messages import encode_input
from support.engine_script import parse_target
from support.faulty_vfs import FaultyDisk
from support.narration import START
from support.services import Declared, deployment
from support.stores import FileStore

BATCHES = 12


@pytest.fixture
def disk() -> Iterator[FaultyDisk]:
    disk = FaultyDisk("faulty")
    yield disk
    gc.collect()
    disk.close()


def write_batch(store: FileStore, batch: int) -> None:
    """A transaction of three invocations with inputs of a few pages."""
    store.begin()
    target = parse_target(store.tx.registry, "Cart/k/add")
    for index in range(3):
        record = records.Invoke(
            1,
            id=f"inv_{batch}_{index}",
            target=target,
            input=encode_input([], bytes(9000)),
            wait=False,
        )
        apply(record, store.tx, START)
    store.commit()


@pytest.fixture
def store(tmp_path: Path, disk: FaultyDisk) -> FileStore:
    store = FileStore(tmp_path, vfs=disk.name)
    store.begin()
    cart = Declared("Cart", ServiceKind.VIRTUAL_OBJECT, ["add"])
    apply(records.PutDeployment(deployment=deployment("dp_1", [cart])), store.tx, START)
    store.commit()
    return store


@pytest.mark.parametrize("error", [apsw.FullError, apsw.IOError], ids=["full", "failing"])
@pytest.mark.parametrize("seed", range(8))
def test_a_failed_commit_leaves_no_trace(
    store: FileStore, disk: FaultyDisk, tmp_path: Path, error: type[apsw.Error], seed: int
) -> None:
    random_numbers = random.Random(seed)
    failed = 0
    for batch in range(BATCHES):
        before = store.tables()
        chosen = random_numbers.randint(1, 20)
        disk.reset(lambda _kind, number, chosen=chosen: error if number == chosen else None)
        try:
            write_batch(store, batch)
        except StoreUnavailable:
            failed += 1
            disk.reset()
            assert store.tables() == before
            # The same records, once the disk is well.
            write_batch(store, batch)
        disk.reset()
        assert len(store.tables().invocations) == 3 * (batch + 1)
    assert failed, "no commit failed: the test tests nothing"
    expected = store.tables()
    store.close()
    reopened = FileStore(tmp_path)
    assert reopened.tables() == expected
    reopened.close()


@pytest.mark.parametrize("kind", ["write", "sync"])
def test_as_long_as_the_disk_fails_every_commit_does(store: FileStore, disk: FaultyDisk, kind: str) -> None:
    before = store.tables()
    disk.reset(lambda called, _number: apsw.IOError if called == kind else None)
    for batch in range(3):
        with pytest.raises(StoreUnavailable):
            write_batch(store, batch)
        assert store.tables() == before
    disk.reset()
    write_batch(store, 0)
    assert len(store.tables().invocations) == 3
    store.close()


def test_a_disk_that_fails_at_the_start_is_told(tmp_path: Path, disk: FaultyDisk) -> None:
    disk.reset(lambda _kind, _number: apsw.FullError)
    with pytest.raises(StoreUnavailable, match="cannot open"):
        FileStore(tmp_path, vfs=disk.name)
    disk.reset()
    FileStore(tmp_path, vfs=disk.name).close()


def test_a_disk_that_fails_at_the_end_does_not_keep_the_store_open(
    store: FileStore, disk: FaultyDisk, tmp_path: Path
) -> None:
    write_batch(store, 0)
    expected = store.tables()
    disk.reset(lambda _kind, _number: apsw.IOError)
    store.close()
    disk.reset()
    reopened = FileStore(tmp_path, vfs=disk.name)
    assert reopened.tables() == expected
    reopened.close()
