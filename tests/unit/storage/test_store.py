"""Opening a partition's file: once, only ours, only whole."""

import os
import shutil
from pathlib import Path

import apsw
import pytest

import perdure.storage.sqlite
from perdure.errors import FolderUnusable, StorageError, StoreDamaged, StoreForeign, StoreLocked, StoreUnavailable
from perdure.storage.sqlite.store import APPLICATION_ID, PARTITION_FILE
from support.datadriven import Directive
from support.engine_script import EngineScript
from support.stores import FileStore

MIGRATIONS = sorted(Path(perdure.storage.sqlite.__path__[0], "migrations").glob("*.sql"))
STORY = [
    ["deploy dp_1", "object Cart add"],
    ["invoke a target=Cart/k/add input=hello"],
    ["progress a", "set key=items value=3", "sleep id=1 for=1000", "suspend 1"],
    ["invoke b target=Cart/k/add"],
    ["modify-state Cart/k", "a=1"],
]


def tell(store: FileStore) -> None:
    script = EngineScript(store)
    for lines in STORY:
        script.run(Directive(lines, 0))


def crash(store: FileStore, to: Path) -> None:
    """Copies the files as `kill -9` would leave them: nothing is noted, nothing is put in order."""
    to.mkdir()
    for file in store.path.parent.iterdir():
        shutil.copy(file, to)
    store.close()


def test_what_is_committed_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    tell(store)
    expected = store.tables()
    store.close()
    reopened = FileStore(tmp_path)
    assert reopened.tables() == expected
    assert reopened.tx.next_number("invocation") == 3
    reopened.close()


def test_what_is_committed_outlives_a_crash_and_what_is_not_does_not(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "first")
    tell(store)
    expected = store.tables()
    store.begin()
    store.tx.set_state("Cart", "k", b"lost", b"1")
    assert store.tx.next_number("invocation") == 3
    store.tx.flush()
    crash(store, tmp_path / "second")
    recovered = FileStore(tmp_path / "second")
    assert recovered.tables() == expected
    recovered.close()


def test_a_rolled_back_transaction_leaves_no_trace(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    tell(store)
    expected = store.tables()
    registry = store.tx.registry
    store.begin()
    store.tx.delete_deployment("dp_1")
    assert not store.tx.registry.deployments
    store.tx.next_number("outbox")
    store.rollback()
    assert store.tables() == expected
    assert store.tx.registry == registry
    store.close()


def test_a_second_opener_is_turned_away_until_the_first_is_gone(tmp_path: Path) -> None:
    first = FileStore(tmp_path)
    with pytest.raises(StoreLocked, match="in use"):
        FileStore(tmp_path)
    first.close()
    FileStore(tmp_path).close()


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderUnusable, match="cannot use the data folder"):
        FileStore(tmp_path / "file")


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / PARTITION_FILE
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreForeign, match="another program"):
        FileStore(tmp_path)
    assert path.read_bytes() == before
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(StoreForeign):
        FileStore(tmp_path)


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    FileStore(tmp_path).close()
    connection = apsw.Connection(str(tmp_path / PARTITION_FILE))
    connection.pragma("user_version", 1000)
    connection.close()
    with pytest.raises(StoreForeign, match="newer version"):
        FileStore(tmp_path)


def test_a_new_file_has_the_newest_schema_and_says_whose_it_is(tmp_path: Path) -> None:
    FileStore(tmp_path).close()
    connection = apsw.Connection(str(tmp_path / PARTITION_FILE))
    assert connection.pragma("application_id") == APPLICATION_ID
    assert connection.pragma("user_version") >= 1
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        # Changesets of a table can be taken and applied only by its key.
        keys = connection.execute("SELECT COUNT(*) FROM pragma_table_info(?) WHERE pk > 0", (name,)).get
        assert keys > 0, f"{name} has no primary key"
    connection.close()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_file_of_an_older_schema_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    store = FileStore(tmp_path)
    tell(store)
    expected = store.tables()
    store.close()
    newest = (tmp_path / PARTITION_FILE).rename(tmp_path / "newest")
    older = apsw.Connection(str(tmp_path / PARTITION_FILE))
    older.pragma("journal_mode", "WAL")
    older.execute("".join(file.read_text("utf-8") for file in MIGRATIONS[:version]))
    older.execute("ATTACH ? AS newest", (str(newest),))
    for (table,) in older.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall():
        columns = ", ".join(older.execute("SELECT name FROM pragma_table_info(?, 'main')", (table,)).get)
        older.execute(f"INSERT INTO main.{table} SELECT {columns} FROM newest.{table}")
    older.pragma("user_version", version)
    older.pragma("application_id", APPLICATION_ID)
    older.close()
    store = FileStore(tmp_path)
    assert store.tables() == expected
    store.close()


def test_a_migration_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    """The process died after the file was made and before the schema was whole: a transaction, so there is none."""
    connection = apsw.Connection(str(tmp_path / PARTITION_FILE))
    connection.pragma("journal_mode", "WAL")
    connection.close()
    store = FileStore(tmp_path)
    tell(store)
    store.close()


def damage(path: Path) -> None:
    """Overwrites every page but the first, which holds the schema."""
    page, size = 4096, path.stat().st_size
    with path.open("r+b") as file:
        for at in range(page, size, page):
            file.seek(at)
            file.write(os.urandom(64))


def test_damage_is_found_after_an_unclean_stop(tmp_path: Path) -> None:
    first = FileStore(tmp_path / "first")
    tell(first)
    first.close()
    store = FileStore(tmp_path / "first")
    crash(store, tmp_path / "second")
    damage(tmp_path / "second" / PARTITION_FILE)
    with pytest.raises(StoreDamaged):
        FileStore(tmp_path / "second")
    # Turned away, it is free again for whoever repairs it.
    with pytest.raises(StoreDamaged):
        FileStore(tmp_path / "second")


def test_a_file_cut_short_is_damaged(tmp_path: Path) -> None:
    first = FileStore(tmp_path / "first")
    tell(first)
    first.close()
    store = FileStore(tmp_path / "first")
    crash(store, tmp_path / "second")
    path = tmp_path / "second" / PARTITION_FILE
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(StoreDamaged):
        FileStore(tmp_path / "second")


@pytest.mark.parametrize("error", [FolderUnusable, StoreUnavailable, StoreLocked, StoreForeign, StoreDamaged])
def test_whoever_opens_a_store_can_catch_all_that_may_go_wrong(error: type[Exception]) -> None:
    assert issubclass(error, StorageError)
