"""Rows of invocations that run: read from memory, and written once per transaction, however often they are saved.

What was saved or inserted in the open transaction is *unwritten* until `write`. A row that runs stays here beyond the
transaction, since its attempt will soon have more to say; everything else is forgotten as soon as it is written.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from msgspec.structs import astuple

from perdure.model.invocation import Invocation, Status

ROWS_MAX = 4096
"""So many rows are kept between transactions."""

TEXT_MAX = 1024
"""Characters of a key; a row with a longer one is not kept."""

_FIELDS = Invocation.__struct_fields__
_FIRST_SAVED_FIELD = _FIELDS.index("status")

_SETTLED = ("status", "completion_expires_at", "journal_expires_at")
"""What does not change as long as an invocation runs, and has indexes: SQLite takes a row that is written out of an
index and puts it back, also when the value stays. `save_progress` has every other column that is saved."""

_PROGRESS = tuple(index for index in range(_FIRST_SAVED_FIELD, len(_FIELDS)) if _FIELDS[index] not in _SETTLED)
_progress_of = itemgetter(*_PROGRESS)

_copy: Callable[[Invocation], Invocation] = Invocation.__copy__  # type: ignore[attr-defined]
"""As `copy.copy` does, without asking first what it is."""

# On the hot path: reading a member of an enumeration costs more than all else that is asked of a row.
_INVOKED = Status.INVOKED


class HotRows:
    """read: of the table. write_rows: `executemany` of the connection's cursor. The others: of `queries.sql`.

    Holds what the tables hold, and what is unwritten. `clear` after a rollback. A row that is inserted or saved is not
    copied: whoever changes it afterwards must save it again.
    """

    def __init__(
        self,
        read: Callable[[int], Invocation | None],
        write_rows: Callable[..., Any],
        *,
        insert: str,
        save: str,
        save_progress: str,
        save_appended: str,
    ) -> None:
        self._read = read
        self._write_rows = write_rows
        self._insert = insert
        self._save = save
        self._save_progress = save_progress
        self._save_appended = save_appended
        self._rows: dict[int, Invocation] = {}
        self._numbers: dict[str, int] = {}
        self._unwritten: dict[int, bool] = {}
        """True: the row is in the table already, with other contents."""
        self._running: dict[int, Invocation] = {}
        """Rows that run in the table, too, as they are there."""
        self._awaited: set[int] = set()
        self._unawaited: set[int] = set()
        """Rows of which is known that no entry of another invocation waits for them."""
        self._deleted: set[int] = set()

    def get(self, number: int) -> Invocation | None:
        """A copy to change and to save."""
        row = self._rows.get(number)
        return self._read(number) if row is None else _copy(row)

    def by_id(self, invocation_id: str) -> Invocation | None:
        """The same; None: not here."""
        number = self._numbers.get(invocation_id)
        return None if number is None else self.get(number)

    def insert(self, invocation: Invocation) -> None:
        number = invocation.number
        assert number not in self._rows, "a number is given to one invocation"
        self._rows[number] = invocation
        self._numbers[invocation.id] = number
        self._unwritten[number] = False
        if number not in self._awaited:
            self._unawaited.add(number)

    def save(self, invocation: Invocation) -> None:
        """What was deleted stays so."""
        number = invocation.number
        if number not in self._deleted:
            self._rows[number] = invocation
            self._numbers[invocation.id] = number
            self._unwritten.setdefault(number, True)

    def delete(self, number: int) -> None:
        """The caller deletes the row in the table, whether it is there or not."""
        self._unwritten.pop(number, None)
        self._forget(number)
        self._deleted.add(number)

    def write(self) -> None:
        """Writes what is unwritten, and keeps what runs."""
        if not self._unwritten:
            return
        inserted: list[tuple[Any, ...]] = []
        saved: list[tuple[Any, ...]] = []
        progressed: list[tuple[Any, ...]] = []
        appended: list[tuple[Any, ...]] = []
        for number, present in self._unwritten.items():
            row = self._rows[number]
            runs = _runs(row)
            if not present:
                inserted.append(astuple(row))
            elif not runs or (written := self._running.get(number)) is None:
                saved.append((*astuple(row)[_FIRST_SAVED_FIELD:], number))
            elif _is_appended(row, written):
                appended.append((row.journal_size, row.command_count, row.modified_at, row.entry_stored_at, number))
            else:
                progressed.append((*_progress_of(astuple(row)), number))
            if runs:
                self._running[number] = row
            else:
                self._forget(number)
        # All rows of a statement at once: to find a long one among those that are prepared takes a fifth of its time.
        for statement, rows in (
            (self._insert, inserted),
            (self._save, saved),
            (self._save_progress, progressed),
            (self._save_appended, appended),
        ):
            if rows:
                self._write_rows(statement, rows)
        self._unwritten.clear()

    def end(self) -> None:
        """The transaction is about to be committed; all is written."""
        assert not self._unwritten
        self._awaited.clear()
        self._deleted.clear()
        if len(self._rows) > ROWS_MAX:
            self.clear()

    def clear(self) -> None:
        """Forgets everything, unwritten or not."""
        for kept in (self._rows, self._numbers, self._unwritten, self._running):
            kept.clear()
        for known in (self._awaited, self._unawaited, self._deleted):
            known.clear()

    def _forget(self, number: int) -> None:
        row = self._rows.pop(number, None)
        if row is not None:
            del self._numbers[row.id]
        self._running.pop(number, None)
        self._unawaited.discard(number)

    # what is known beside the row

    def note_awaiter(self, number: int) -> None:
        """Somebody waits for the outcome."""
        self._awaited.add(number)
        self._unawaited.discard(number)

    def nobody_waits(self, number: int) -> bool:
        """True: certainly. False: the table knows."""
        return number in self._unawaited


def _is_appended(row: Invocation, written: Invocation) -> bool:
    """True: only what an appended entry changes is new, the columns of `save_appended`. `written` is used up.

    Nearly every step changes nothing else. What is the same object may have been changed since it was written.
    """
    if row is written:
        return False
    written.journal_size = row.journal_size
    written.command_count = row.command_count
    written.modified_at = row.modified_at
    written.entry_stored_at = row.entry_stored_at
    return row == written


def _runs(row: Invocation) -> bool:
    """True: an attempt is under way that has not failed yet, so that the row is small and will be needed soon."""
    return (
        row.status is _INVOKED
        and row.last_failure is None
        and row.completion_expires_at is None
        and row.journal_expires_at is None
        and (row.key is None or len(row.key) <= TEXT_MAX)
        and (row.idempotency_key is None or len(row.idempotency_key) <= TEXT_MAX)
        and (row.caller_target is None or len(row.caller_target) <= TEXT_MAX)
    )
