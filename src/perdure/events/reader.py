"""Reads what followers are told, on a connection of its own: one look is one read transaction."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec

from perdure.events.filters import InvocationFilter, Row, contains
from perdure.events.topics import InvocationTopic, ListTopic, RegistryTopic, StateTopic, Topic
from perdure.introspection.catalog import TABLES, Column, ColumnType
from perdure.introspection.functions import Surroundings
from perdure.introspection.result import row_writer
from perdure.introspection.stored_status import HIDDEN
from perdure.introspection.views import open_views
from perdure.model.registry import Registry
from perdure.storage.sqlite.queries import load_queries

ENTRIES_SHOWN: Final = 1000
"""Journal entries in a snapshot."""

VALUE_SHOWN: Final = 4 * 1024
"""Bytes of a journal entry or of a value that are shown as they are."""

SEARCH_S: Final = 1.0
"""How long the rows of one snapshot are searched for."""

COUNT_S: Final = 10.0
"""How long the rows of one list are counted."""

_PROGRESS_STEPS: Final = 5_000

_SHOWN: Final = ("state", "sys_deployment", "sys_service", "sys_journal", "sys_journal_events", "sys_invocation")
_TYPES: Final = {column.name: column.type for table in _SHOWN for column in TABLES[table]} | {
    "sequence": ColumnType.U64
}
"""By name: a name means the same in all tables that are shown."""

_QUERIES: Final = load_queries("perdure.events")


class Place(msgspec.Struct, frozen=True):
    """How far an invocation has been told. number: None while it is not there. index, sequence: of the next entry, and
    of the last event."""

    number: int | None = None
    index: int = 0
    sequence: int = 0


class Look(msgspec.Struct, frozen=True):
    """What to read. numbers, ids: of invocations whose rows are wanted. places: by id, where to go on.

    snapshots: topics that somebody begins to follow.
    """

    numbers: Collection[int] = ()
    ids: Collection[str] = ()
    places: dict[str, Place] = {}
    states: Collection[tuple[str, str]] = ()
    registry: bool = False
    snapshots: Collection[Topic] = ()


class Progress(msgspec.Struct, frozen=True):
    """What is new of an invocation. cleared: its journal, as it was told, is no more. place: where to go on."""

    place: Place
    cleared: bool
    entries: list[Row]
    events: list[Row]
    oldest_event: int


class Seen(msgspec.Struct, frozen=True):
    """What there was: rows by id, progress by id, state by service and key; places of the invocations in snapshots."""

    rows: dict[str, Row]
    progress: dict[str, Progress]
    states: dict[tuple[str, str], list[Row]]
    registry: Row | None
    snapshots: dict[Topic, Row]
    places: dict[str, Place]


class Reader:
    """Lives on a thread of its own, which opens the file with the first look."""

    def __init__(self, path: Path, surroundings: Surroundings, registry: Callable[[], Registry]) -> None:
        """registry: gives the newest snapshot; asked on that thread."""
        self._path = path
        self._surroundings = surroundings
        self._registry = registry
        self._opened: apsw.Connection | None = None
        self._deadline = float("inf")
        self._stopped = False

    def look(self, look: Look) -> Seen:
        """Raises: apsw.Error."""
        with self._transaction():
            rows = self._by_id("rows_by_number", look.numbers) | self._by_id("rows_by_id", look.ids)
            progress = {id: self._progress(id, place) for id, place in look.places.items()}
            return Seen(
                rows=rows,
                progress=progress,
                states={where: self._state(*where) for where in look.states},
                registry=self._registered() if look.registry else None,
                snapshots={topic: self._snapshot(topic) for topic in look.snapshots},
                places={topic.id: self._place(topic.id) for topic in look.snapshots if type(topic) is InvocationTopic},
            )

    def counts(self, wanted: InvocationFilter) -> dict[str, int]:
        """Invocations by status. Raises: apsw.Error, also when it takes too long."""
        conditions, bound = wanted.conditions
        with self._transaction(), self._limited(COUNT_S):
            return dict(self._values(_QUERIES["counts"].format(conditions=conditions), *bound))

    def interrupt(self) -> None:
        """Ends what is being read, from whatever thread."""
        self._stopped = True

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def _connection(self) -> apsw.Connection:
        if self._opened is None:
            self._opened = connection = open_views(self._path, self._surroundings)
            connection.create_scalar_function("contains_text", _contains, deterministic=True)
            connection.set_busy_timeout(1_000)
            connection.set_progress_handler(self._is_late, _PROGRESS_STEPS)
        return self._opened

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._surroundings.registry = self._registry()
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    @contextmanager
    def _limited(self, seconds: float) -> Iterator[None]:
        self._deadline = time.monotonic() + seconds
        try:
            yield
        finally:
            self._deadline = float("inf")

    def _values(self, query: str, *bound: Any) -> list[Any]:
        return self._connection.execute(query, bound).fetchall()

    def _rows(self, query: str, *bound: Any) -> Iterator[Row]:
        """As SQL shows them; columns that users cannot name are left out."""
        cursor = self._connection.execute(query, bound)
        write: Callable[[Sequence[Any]], Row] | None = None
        for values in cursor:
            if write is None:
                names = [name for name, _ in cursor.get_description()]
                write = row_writer([Column(name, _TYPES.get(name, ColumnType.TEXT)) for name in names])
            row = write(values)
            row.pop(HIDDEN, None)
            yield row

    def _by_id(self, name: str, wanted: Collection[int] | Collection[str]) -> dict[str, Row]:
        if not wanted:
            return {}
        return {row["id"]: row for row in self._rows(_QUERIES[name], msgspec.json.encode(list(wanted)).decode())}

    def _progress(self, id: str, place: Place) -> Progress:
        now = self._place(id)
        if now.number is None:
            return Progress(now, place.index > 0, [], [], 0)
        cleared = False
        if now.number != place.number or now.index < place.index:
            cleared = place.index > 0
            place = Place(now.number, 0, place.sequence if now.number == place.number else 0)
        entries = self._entries(id, place.index, -1) if now.index > place.index else []
        events = list(self._rows(_QUERIES["events"], id, place.sequence))
        oldest = self._values(_QUERIES["oldest_event"], now.number) if events else [(0,)]
        return Progress(now, cleared, entries, events, oldest[0][0])

    def _place(self, id: str) -> Place:
        found = self._values(_QUERIES["place"], id)
        return Place(*found[0]) if found else Place()

    def _entries(self, id: str, index: int, limit: int) -> list[Row]:
        """The newest ones, in order. limit: -1 for all."""
        return list(self._rows(_QUERIES["entries"], VALUE_SHOWN, id, index, limit))[::-1]

    def _state(self, service: str, key: str) -> list[Row]:
        return list(self._rows(_QUERIES["state"], VALUE_SHOWN, service, key))

    def _registered(self) -> Row:
        return {
            "deployments": list(self._rows(_QUERIES["deployments"])),
            "services": list(self._rows(_QUERIES["services"])),
        }

    def _snapshot(self, topic: Topic) -> Row:
        match topic:
            case ListTopic():
                return self._list(topic.filter)
            case InvocationTopic():
                events = list(self._rows(_QUERIES["events"], topic.id, 0))
                return {
                    "invocation": self._by_id("rows_by_id", [topic.id]).get(topic.id),
                    "journal": self._entries(topic.id, 0, ENTRIES_SHOWN),
                    "journal_events": events,
                }
            case RegistryTopic():
                return self._registered()
            case StateTopic():
                return {"state": self._state(topic.service, topic.key)}

    def _list(self, wanted: InvocationFilter) -> Row:
        conditions, bound = wanted.conditions
        rows: list[Row] = []
        try:
            with self._limited(SEARCH_S):
                for row in self._rows(_QUERIES["list"].format(conditions=conditions), *bound, wanted.limit + 1):
                    rows.append(row)
        except apsw.InterruptError:
            if self._stopped:
                raise
            return {"invocations": rows[: wanted.limit], "more": True}
        return {"invocations": rows[: wanted.limit], "more": len(rows) > wanted.limit}

    def _is_late(self) -> bool:
        return self._stopped or time.monotonic() > self._deadline


def _contains(*texts: Any) -> bool:
    return contains(*texts)
