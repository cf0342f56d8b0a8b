"""What the partition file says, read while nobody writes it."""

import sqlite3
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

import apsw

from perdure.engine.invariants import check
from perdure.model.registry import Defaults
from perdure.protocol.messages import MessageType
from perdure.registration.services import build_registry
from perdure.storage.sqlite.reader import read_tables
from perdure.storage.sqlite.store import PARTITION_FILE
from perdure.storage.sqlite.tx import SqliteTx


class Entry(NamedTuple):
    type: int
    raw: bytes
    completion_id: int | None


def read_journals(data: Path) -> dict[str, list[Entry]]:
    """All journals by invocation id. Never disturbs a server: reads only."""
    connection = sqlite3.connect(f"file:{data / PARTITION_FILE}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT i.id, j.type, j.raw, j.completion_id FROM journal j JOIN invocation i ON i.number = j.invocation"
            " ORDER BY j.invocation, j.idx"
        )
        journals: dict[str, list[Entry]] = {}
        for invocation_id, *entry in rows:
            journals.setdefault(invocation_id, []).append(Entry(*entry))
        return journals
    finally:
        connection.close()


def journal_of(connection: sqlite3.Connection, service: str, handler: str, key: str) -> list[Entry]:
    """The journal of one workflow run, as far as it is committed."""
    rows = connection.execute(
        "SELECT j.type, j.raw, j.completion_id FROM journal j JOIN invocation i ON i.number = j.invocation"
        " WHERE i.service = ? AND i.handler = ? AND i.key = ? ORDER BY j.idx",
        (service, handler, key),
    )
    return [Entry(*row) for row in rows]


class Ledger:
    """Remembers every journal it has seen, and that no entry of it may ever change or go."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._seen: dict[str, list[Entry]] = {}

    def look(self, forgotten: Container[str] = ()) -> None:
        """Compares with all earlier looks. forgotten: ids of invocations whose journals may have been purged."""
        journals = read_journals(self._data)
        for invocation_id, before in self._seen.items():
            if invocation_id in forgotten:
                continue
            now = journals.get(invocation_id, [])
            assert now[: len(before)] == before, f"the journal of {invocation_id} changed in the past"
        self._seen = journals


def completed_runs(entries: list[Entry]) -> int:
    """How many steps have a stored result."""
    return sum(entry.type == MessageType.RUN_COMPLETION for entry in entries)


def check_invariants(data: Path) -> None:
    """The server is stopped or dead; what it left is whole. Recovery of the file is part of the opening."""
    defaults = Defaults()
    connection = apsw.Connection(str(data / PARTITION_FILE))
    try:
        [(verdict,)] = connection.execute("PRAGMA integrity_check(5)").fetchall()
        assert verdict == "ok"
        tx = SqliteTx(connection, lambda deployments, changes: build_registry(deployments, changes, defaults))
        check(read_tables(tx))
    finally:
        connection.close()
