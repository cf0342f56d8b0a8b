"""Rows that run are kept in memory: what is read is always what the tables hold, or will when the transaction ends."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from perdure.model.invocation import Invocation
from perdure.storage.sqlite import hot_rows
from support.datadriven import Directive
from support.engine_script import EngineScript
from support.stores import FileStore


def tell(script: EngineScript, *story: list[str]) -> None:
    for lines in story:
        script.run(Directive(lines, 0))


def stored(store: FileStore) -> list[Invocation]:
    """As another connection would see them."""
    return [row for _, row in sorted(store.tables().invocations.items())]


def row(store: FileStore, number: int) -> Invocation:
    found = store.tx.invocation(number)
    assert found is not None
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FileStore]:
    store = FileStore(tmp_path)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def script(store: FileStore) -> EngineScript:
    """With one invocation that runs."""
    script = EngineScript(store)
    tell(script, ["deploy dp_1", "object Cart add"], ["invoke a target=Cart/k/add input=hello"])
    return script


def test_a_change_that_is_not_saved_is_none(store: FileStore) -> None:
    row(store, 1).journal_size = 99
    assert row(store, 1).journal_size == 1


def test_what_was_rolled_back_is_forgotten(store: FileStore) -> None:
    store.begin()
    changed = row(store, 1)
    changed.journal_size = 99
    store.tx.save_invocation(changed)
    assert row(store, 1).journal_size == 99
    store.rollback()
    assert row(store, 1).journal_size == 1
    assert [invocation.journal_size for invocation in stored(store)] == [1]


OTHER_VALUES = {bool: True, int: 7, str: "x", bytes: b"x"}


def test_all_that_changed_in_a_running_row_is_written(store: FileStore) -> None:
    """Whatever column it is: the statement that leaves some out must not forget any other."""
    fields = Invocation.__struct_fields__
    for field in fields[fields.index("attempt") :]:
        kinds = get_args(hints := get_type_hints(Invocation)[field]) or (hints,)
        changed = row(store, 1)
        setattr(changed, field, OTHER_VALUES[kinds[0]])
        for saved in (changed, row(store, 1)):
            store.begin()
            store.tx.save_invocation(saved)
            store.commit()
            assert stored(store) == [saved], field


def test_a_deleted_row_stays_away(store: FileStore) -> None:
    old = row(store, 1)
    store.begin()
    store.tx.delete_invocation(1)
    store.tx.save_invocation(old)
    assert store.tx.invocation(1) is None
    assert store.tx.invocation_by_id(old.id) is None
    store.commit()
    assert stored(store) == []


def test_more_rows_than_are_kept(store: FileStore, script: EngineScript, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_rows, "ROWS_MAX", 3)
    names = [f"i{number}" for number in range(10)]
    tell(script, ["deploy dp_2", "service Agent run"], *([f"invoke {name} target=Agent/run"] for name in names))
    assert [row(store, number) for number in range(1, 12)] == stored(store)


def test_rows_with_a_long_key_are_read_from_the_table(store: FileStore, script: EngineScript) -> None:
    tell(script, ["invoke b target=Cart/{}/add".format("k" * (hot_rows.TEXT_MAX + 1))])
    assert row(store, 2) == stored(store)[1]
