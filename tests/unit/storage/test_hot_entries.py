"""Entries are written many by one statement: whoever reads sees all of them, in whatever numbers they came."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.model.invocation import JournalEntry
from perdure.protocol.messages import MessageType
from perdure.storage.sqlite.hot_entries import TOGETHER
from support.stores import FileStore

JOURNALS = 3


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    store = FileStore(tmp_path)
    store.begin()
    yield store
    store.close()


def append(store: FileStore, count: int) -> dict[int, list[JournalEntry]]:
    """To several journals in turn; returns them by number."""
    journals: dict[int, list[JournalEntry]] = {}
    for position in range(count):
        index, number = divmod(position, JOURNALS)
        if position % 2:
            entry = JournalEntry(index, MessageType.RUN_COMMAND.value, b"%d" % position, 1000 + position)
        else:
            entry = JournalEntry(
                index, MessageType.RUN_COMPLETION.value, b"%d" % position, 1000 + position, position, None, "name", True
            )
        store.tx.append_entry(number, entry)
        journals.setdefault(number, []).append(entry)
    return journals


@pytest.mark.parametrize("count", [1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 2 * TOGETHER, 5 * TOGETHER - 1])
def test_all_that_was_appended_is_committed(store: FileStore, count: int) -> None:
    journals = append(store, count)
    store.commit()
    assert store.tables().journals == journals


def test_every_read_sees_what_is_not_written_yet(store: FileStore) -> None:
    journals = append(store, 2 * TOGETHER)
    assert store.tx.entry(2, 1) == journals[2][1]
    more = JournalEntry(len(journals[1]), MessageType.OUTPUT_COMMAND.value, b"out", 2000)
    store.tx.append_entry(1, more)
    assert store.tx.entries(1) == [*journals[1], more]
    later = JournalEntry(len(journals[2]), MessageType.SLEEP_COMPLETION.value, b"slept", 2000, 7)
    store.tx.append_entry(2, later)
    assert store.tx.notified(2)[-1].completion_id == 7
    last = JournalEntry(len(journals[0]), MessageType.CALL_COMMAND.value, b"call", 2000)
    store.tx.append_entry(0, last)
    assert store.tx.entries_of(0, [MessageType.CALL_COMMAND.value]) == [last]


def test_what_is_deleted_is_not_written_afterwards(store: FileStore) -> None:
    journals = append(store, TOGETHER)
    store.tx.delete_entries(0, keep=2)
    store.tx.delete_invocation(1)
    store.commit()
    assert store.tables().journals == {0: [journals[0][2]], 2: journals[2]}


def test_what_was_rolled_back_is_not_written_by_the_next_transaction(store: FileStore) -> None:
    append(store, TOGETHER + 1)
    store.rollback()
    store.begin()
    store.commit()
    assert store.tables().journals == {}
