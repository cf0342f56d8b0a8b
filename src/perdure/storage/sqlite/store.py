"""A partition's file: opened by one process at a time, migrated, checked, and written in transactions.

DATA/LOCK               held (flock) as long as the store is open
DATA/partition-0.sqlite the tables, in WAL mode
"""

import fcntl
import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import apsw

from perdure.engine.tx import BuildRegistry
from perdure.errors import FolderUnusable, StoreDamaged, StoreForeign, StoreLocked, StoreUnavailable
from perdure.storage.sqlite.changes import ChangeNotes
from perdure.storage.sqlite.tx import SqliteTx

T = TypeVar("T")

APPLICATION_ID = 0x50657264
"""`Perd`, in the header of every partition file: tells it from other SQLite files."""

PARTITION_FILE = "partition-0.sqlite"

_CLEAN = "clean"
# Cache: 8 MiB, what a load touches again; SQLite goes through the table of its pages at every commit, which costs more
# than to read a page once more out of the system's cache.
# Checkpoints: about 16 MiB of log apart, since each costs two more syncs and the same pages are often written again.
# The log grows beyond while a long query reads; what is over 64 MiB is then given back.
_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = OFF;
PRAGMA cache_size = -8192;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 67108864;
PRAGMA temp_store = MEMORY;
"""

_DISK_ERRORS = (
    apsw.FullError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.PermissionsError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.CorruptError,
    apsw.NotADBError,
)
"""Not the fault of the statement: the next one would fare no better. The other errors of SQLite are defects."""


class SqliteStore:
    """The durable tables of a partition.

    Call order: `begin`, any use of `tx` inside of `run`, `flush`, then `commit` or `rollback`. `commit` may run on
    another thread, if nothing else touches the store meanwhile.
    """

    def __init__(
        self, data: Path, build_registry: BuildRegistry, *, vfs: str | None = None, survives_power_loss: bool = True
    ) -> None:
        """Opens or creates the file. survives_power_loss: False for what is thrown away anyway; it spares the syncs.

        Raises: FolderUnusable, StoreLocked, StoreForeign, StoreDamaged, StoreUnavailable.
        """
        self.path = data / PARTITION_FILE
        try:
            data.mkdir(parents=True, exist_ok=True)
            self._lock = _lock_folder(data)
        except OSError as error:
            raise FolderUnusable(f"cannot use the data folder {data}: {error.strerror}") from None
        connection: apsw.Connection | None = None
        try:
            self._connection = connection = apsw.Connection(str(self.path), vfs=vfs, statementcachesize=200)
            self._prepare()
            if not survives_power_loss:
                connection.execute("PRAGMA synchronous = OFF")
        except BaseException as error:
            if connection is not None:
                connection.close(force=True)
            os.close(self._lock)
            if isinstance(error, apsw.NotADBError):
                raise StoreForeign(f"{self.path} is not a partition of Perdure") from None
            if isinstance(error, apsw.CorruptError):
                raise StoreDamaged(f"{self.path} is damaged: {error}") from None
            if isinstance(error, apsw.Error):
                raise StoreUnavailable(f"cannot open {self.path}: {error}") from None
            raise
        # A cursor of its own, since the connection makes one for each call.
        self._execute = self._connection.cursor().execute
        self.tx = SqliteTx(self._connection, build_registry)

    def run(self, work: Callable[[], T]) -> T:
        """Calls `work`, which uses `tx`. Raises: StoreUnavailable for a failing disk, and whatever `work` raises."""
        try:
            return work()
        except _DISK_ERRORS as error:
            raise StoreUnavailable(f"the store cannot be used: {error}") from error

    def begin(self) -> None:
        """Raises: StoreUnavailable."""
        if self._connection.in_transaction:
            self._do("ROLLBACK")
            self.tx.forget()
        self._do("BEGIN IMMEDIATE")

    def flush(self) -> None:
        """Writes what `tx` kept back: the last thing before `commit`, which does it otherwise. Raises as `run`."""
        self.run(self.tx.flush)

    def commit(self) -> None:
        """Makes everything since `begin` durable. Raises: StoreUnavailable; then nothing of it happened."""
        try:
            self.tx.flush()
            self._execute("COMMIT")
        except apsw.Error as error:
            self.rollback()
            raise StoreUnavailable(f"the store cannot be written: {error}") from error

    def rollback(self) -> None:
        """Undoes everything since `begin`. Harmless when there is nothing to undo."""
        self.tx.forget()
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error:
            # A disk that is that ill refuses the next `begin`, which tries again.
            pass

    def note_changes(self) -> ChangeNotes:
        """From now on notes what transactions write, until the notes are closed. Only between transactions."""
        return ChangeNotes(self._connection)

    def close(self) -> None:
        """Notes that the file is whole, and lets go of it."""
        try:
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, 1)", (_CLEAN,))
            self._connection.close()
        except apsw.Error:
            # The next start finds an unclean stop and checks the file.
            pass
        finally:
            os.close(self._lock)

    def abandon(self) -> None:
        """Lets go of the file as a crash would: without the note, and without what was not committed."""
        self.tx.forget()
        self._connection.close(force=True)
        os.close(self._lock)

    def _do(self, statement: str) -> None:
        try:
            self._execute(statement)
        except apsw.Error as error:
            raise StoreUnavailable(f"the store cannot be written: {error}") from error

    def _prepare(self) -> None:
        connection = self._connection
        connection.set_busy_timeout(5_000)
        # Plans do not depend on the values bound. Otherwise SQLite parses a statement anew whenever a compared value
        # changes, which makes a point read several times as expensive.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        header: list[Any] = connection.execute(
            "SELECT application_id, user_version, (SELECT COUNT(*) FROM sqlite_schema)"
            " FROM pragma_application_id, pragma_user_version"
        ).fetchall()
        [(application_id, version, tables)] = header
        if application_id != APPLICATION_ID and tables:
            raise StoreForeign(f"{self.path} is an SQLite file of another program")
        connection.execute(_PRAGMAS).fetchall()
        _migrate(connection, version, str(self.path))
        self._check()

    def _check(self) -> None:
        """After an unclean stop the file is checked; from here on a stop is unclean until `close`."""
        rows = self._connection.execute("SELECT value FROM meta WHERE name = ?", (_CLEAN,)).fetchall()
        if rows and not rows[0][0]:
            [(verdict,)] = self._connection.execute("PRAGMA quick_check(1)").fetchall()
            if verdict != "ok":
                raise StoreDamaged(f"{self.path} failed its integrity check: {verdict}")
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, 0)", (_CLEAN,))


def _lock_folder(data: Path) -> int:
    descriptor = os.open(data / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise StoreLocked(f"the data folder {data} is in use by another process") from None
    return descriptor


def _migrate(connection: apsw.Connection, version: int, path: str) -> None:
    """Brings the schema to the newest version, one numbered migration after the other."""
    folder = resources.files(__package__).joinpath("migrations")
    migrations = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    if version > len(migrations):
        raise StoreForeign(f"{path} was written by a newer version of Perdure (schema {version})")
    for number, name in enumerate(migrations[version:], version + 1):
        assert name.startswith(f"{number:04}")
        script = folder.joinpath(name).read_text("utf-8")
        with connection:
            connection.execute(script)
            connection.pragma("user_version", number)
            connection.pragma("application_id", APPLICATION_ID)
