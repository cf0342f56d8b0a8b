"""A disk that fails when told to: an SQLite VFS over the real one."""

from collections.abc import Callable
from typing import Any

import apsw


class FaultyDisk:
    """Counts writes and syncs below a database, and fails those that `fails` chooses.

    fails: called with the kind of call (`write`, `sync`, `truncate`) and its number since `reset`, from 1;
    returns the SQLite error to raise, or None.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls = 0
        self.fails: Callable[[str, int], type[apsw.Error] | None] = _never
        self._vfs = _Vfs(self)

    def reset(self, fails: Callable[[str, int], type[apsw.Error] | None] | None = None) -> None:
        self.calls = 0
        self.fails = fails or _never

    def on_call(self, kind: str) -> None:
        self.calls += 1
        error = self.fails(kind, self.calls)
        if error is not None:
            raise error(f"the disk fails at {kind} {self.calls}")

    def close(self) -> None:
        self._vfs.unregister()


def _never(_kind: str, _number: int) -> type[apsw.Error] | None:
    return None


class _Vfs(apsw.VFS):
    def __init__(self, disk: FaultyDisk) -> None:
        self._disk = disk
        super().__init__(disk.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> "_File":
        return _File(self._disk, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.on_call("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.on_call("sync")
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:
        self._disk.on_call("truncate")
        super().xTruncate(size)
