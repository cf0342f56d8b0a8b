"""Fills a partition file by multiplying one real invocation, rows and journal, with SQL.

What the copies look like is what the server wrote itself for the template, whatever its schema is by now; only
numbers and ids differ. The server must not be running.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import apsw

from perdure import ids
from perdure.storage.sqlite.store import PARTITION_FILE

BATCH = 50_000


def multiply(data: Path, status: str, count: int, varied: Mapping[str, str] | None = None) -> float:
    """Adds `count` copies of the newest invocation with that status. Returns the file's size in MiB.

    varied: columns of the invocation that are not copied, each with an SQL expression of the template's columns
    and of the number `n` of the copy.
    """
    connection = apsw.Connection(str(data / PARTITION_FILE))
    try:
        for pragma in ("synchronous = OFF", "journal_mode = WAL", "cache_size = -262144"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.create_scalar_function("fresh_id", _fresh_id, 2)
        template = _one(connection, "SELECT MAX(number) FROM invocation WHERE status = ?", (status,))
        assert template is not None, f"no invocation is {status}"
        last = _one(connection, "SELECT MAX(number) FROM invocation", ())
        tables = [table for table in _tables(connection) if _holds(connection, table, template)]
        for start in range(last + 1, last + 1 + count, BATCH):
            end = min(start + BATCH, last + 1 + count) - 1
            with connection:
                for table in ("invocation", *tables):
                    copy = _copy(connection, table, varied or {})
                    connection.execute(copy, (start, end, template)).fetchall()
        with connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('invocation', ?)", (last + count,))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    return (data / PARTITION_FILE).stat().st_size / 2**20


def _fresh_id(service: str, key: str | None) -> str:
    return ids.fresh_invocation_id(service, key, ids.random_unique(), ids.random_bucket())


def _one(connection: apsw.Connection, query: str, bindings: tuple[object, ...]) -> int | None:
    row = connection.execute(query, bindings).fetchone()
    return None if row is None else row[0]  # type: ignore[return-value]


def _columns(connection: apsw.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]


def _tables(connection: apsw.Connection) -> list[str]:
    """Tables whose rows belong to an invocation."""
    names = [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return [name for name in names if "invocation" in _columns(connection, name)]


def _holds(connection: apsw.Connection, table: str, number: int) -> bool:
    return _one(connection, f"SELECT 1 FROM {table} WHERE invocation = ?", (number,)) is not None  # noqa: S608


def _copy(connection: apsw.Connection, table: str, varied: Mapping[str, str]) -> str:
    own = "number" if table == "invocation" else "invocation"
    changed = {own: "n"} | ({"id": "fresh_id(service, key)", **varied} if table == "invocation" else {})
    columns = ", ".join(changed.get(name, name) for name in _columns(connection, table))
    # Names cannot be parameters; these come from the schema.
    source = f"numbers CROSS JOIN {table} WHERE {table}.{own} = ?3"
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2)"
    return f"{numbers} INSERT INTO {table} SELECT {columns} FROM {source}"  # noqa: S608


def free_space_mib(folder: Path) -> float:
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize / 2**20
