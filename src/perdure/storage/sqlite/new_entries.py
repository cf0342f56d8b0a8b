"""Journal entries of the open transaction, which are written many by one statement.

A statement for one entry takes a third more for each: most of it is to find the statement, to start and to end it.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import astuple

from perdure.model.invocation import JournalEntry

TOGETHER: Final = 16
"""Entries that `append_entries` of `queries.sql` writes."""

_COLUMNS = 1 + len(JournalEntry.__struct_fields__)
_WIDTH = TOGETHER * _COLUMNS


class NewEntries:
    """Whatever reads or deletes entries in the table must `write` first. `clear` after a rollback."""

    def __init__(self, execute: Callable[..., Any], *, append_one: str, append_many: str) -> None:
        """execute: of the connection's cursor. append_one, append_many: statements of `queries.sql`."""
        self._execute = execute
        self._append_one = append_one
        self._append_many = append_many
        self._values: list[Any] = []
        """Of all columns, one entry behind the other."""

    def append(self, number: int, entry: JournalEntry) -> None:
        self._values += (number, *astuple(entry))

    def write(self) -> None:
        values = self._values
        if not values:
            return
        at = 0
        size = len(values)
        while size - at >= _WIDTH:
            self._execute(self._append_many, values[at : at + _WIDTH])
            at += _WIDTH
        while at < size:
            self._execute(self._append_one, values[at : at + _COLUMNS])
            at += _COLUMNS
        values.clear()

    def clear(self) -> None:
        """Forgets what is not written."""
        self._values.clear()
