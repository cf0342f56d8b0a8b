"""Both stores behind one face, so that one suite runs on each."""

import copy
from pathlib import Path
from typing import Protocol

from perdure.engine.tables import Tables
from perdure.engine.tx import Tx
from perdure.storage.memory import MemoryTx
from perdure.storage.sqlite.reader import read_tables
from perdure.storage.sqlite.store import SqliteStore
from support.services import build_registry


class Store(Protocol):
    cancel_grace: int
    """ms; read when something is deployed."""

    @property
    def tx(self) -> Tx: ...
    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def tables(self) -> Tables: ...
    def close(self) -> None: ...


class MemoryStore:
    """Dicts; a rollback puts the copy back that `begin` made."""

    def __init__(self) -> None:
        self.cancel_grace = 10_000
        self.tx = MemoryTx(lambda deployments, settings: build_registry(deployments, settings, self.cancel_grace))
        self._before = self.tx

    def begin(self) -> None:
        self._before = copy.deepcopy(self.tx)

    def commit(self) -> None:
        pass

    def rollback(self) -> None:
        self.tx = self._before

    def tables(self) -> Tables:
        return self.tx.tables()

    def close(self) -> None:
        pass


class FileStore(SqliteStore):
    """A partition file in a folder."""

    def __init__(self, folder: Path, *, vfs: str | None = None) -> None:
        self.cancel_grace = 10_000
        build = lambda deployments, settings: build_registry(deployments, settings, self.cancel_grace)  # noqa: E731
        super().__init__(folder, build, vfs=vfs)

    def tables(self) -> Tables:
        return read_tables(self.tx)
