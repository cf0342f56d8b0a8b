"""Journal entries: new ones are written many by one statement, and small inputs are kept until somebody wants more.

A statement for one entry takes a third more for each: most of it is to find the statement, to start and to end it.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import astuple

from perdure.model.invocation import JournalEntry

TOGETHER: Final = 16
"""Entries that `append_entries` of `queries.sql` writes."""

INPUT_MAX: Final = 4096
"""Bytes of an input that is kept for the start of the first attempt, which wants it next."""

INPUTS_MAX: Final = 4096
"""So many inputs are kept between transactions."""

_COLUMNS = 1 + len(JournalEntry.__struct_fields__)
_WIDTH = TOGETHER * _COLUMNS


class HotEntries:
    """Whatever reads entries in the table must `write` first, and what deletes some must `forget` too.

    `clear` after a rollback.
    """

    def __init__(self, execute: Callable[..., Any], *, append_one: str, append_many: str) -> None:
        """execute: of the connection's cursor. append_one, append_many: statements of `queries.sql`."""
        self._execute = execute
        self._append_one = append_one
        self._append_many = append_many
        self._values: list[Any] = []
        """Of all columns, one entry behind the other."""
        self._inputs: dict[int, JournalEntry] = {}
        """Journals that are nothing but a small input."""

    def append(self, number: int, entry: JournalEntry) -> None:
        self._values += (number, *astuple(entry))
        if entry.index == 0 and len(entry.raw) <= INPUT_MAX:
            self._inputs[number] = entry
        else:
            self._inputs.pop(number, None)

    def only_entry(self, number: int) -> JournalEntry | None:
        """The input, when it is known to be the whole journal."""
        return self._inputs.get(number)

    def forget(self, number: int) -> None:
        """The journal is cut, or taken away. Writes what is new."""
        self.write()
        self._inputs.pop(number, None)

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

    def end(self) -> None:
        """The transaction is about to be committed; all is written."""
        assert not self._values
        if len(self._inputs) > INPUTS_MAX:
            self._inputs.clear()

    def clear(self) -> None:
        """Forgets everything, written or not."""
        self._values.clear()
        self._inputs.clear()
