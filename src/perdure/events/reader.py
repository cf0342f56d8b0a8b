"""Reads what followers are told, on a connection of its own: one look is one read transaction."""

import time
from collections.abc import Callable, Collection, Iterator
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
from perdure.introspection.views import open_views
from perdure.model.registry import Registry

ENTRIES_SHOWN: Final = 1000
"""Journal entries in a snapshot."""

VALUE_SHOWN: Final = 16 * 1024
"""Bytes of a journal entry or of a value that are shown as they are."""

SEARCH_S: Final = 1.0
"""How long the rows of one snapshot are searched for."""

_PROGRESS_STEPS: Final = 5_000

_INVOCATION: Final = TABLES["sys_invocation"]
_ENTRY_NAMES: Final = ("id", "index", "entry_type", "name", "raw_length", "version", "appended_at")
_ENTRY: Final = tuple(
    column for column in TABLES["sys_journal"] if column.name in (*_ENTRY_NAMES, "entry_json", "entry_lite_json")
)
_EVENT: Final = (*TABLES["sys_journal_events"][1:], Column("sequence", ColumnType.U64))
_STATE: Final = TABLES["state"][1:]


def _select(columns: tuple[Column, ...], rest: str, replaced: dict[str, str] | None = None) -> str:
    shown = ", ".join((replaced or {}).get(column.name, f'"{column.name}"') for column in columns)
    return f"SELECT {shown} {rest}"


_BY_NUMBER: Final = _select(
    _INVOCATION,
    "FROM sys_invocation WHERE id IN (SELECT id FROM main.invocation WHERE number IN (SELECT value FROM json_each(?)))",
)
_BY_ID: Final = _select(_INVOCATION, "FROM sys_invocation WHERE id IN (SELECT value FROM json_each(?))")
_LIST: Final = _select(_INVOCATION, "FROM sys_invocation WHERE {conditions} ORDER BY created_at DESC, id LIMIT ?")
_COUNTS: Final = "SELECT status, COUNT(*) FROM sys_invocation WHERE {conditions} GROUP BY status"
_PLACE: Final = (
    "SELECT number, journal_size, (SELECT COALESCE(MAX(sequence), 0) FROM main.journal_event WHERE invocation = number)"
    " FROM main.invocation WHERE id = ?"
)
_ENTRIES: Final = _select(
    _ENTRY,
    'FROM sys_journal WHERE id = ? AND "index" >= ? ORDER BY "index" DESC LIMIT ?',
    {
        "entry_json": f"iif(raw_length <= {VALUE_SHOWN}, entry_json, NULL)",
        "entry_lite_json": f"iif(raw_length <= {VALUE_SHOWN}, NULL, entry_lite_json)",
    },
)
_EVENTS: Final = (
    "SELECT i.id, e.after_index, e.appended_at, e.type, event_json(e.type, e.body), e.sequence"
    " FROM main.invocation AS i JOIN main.journal_event AS e ON e.invocation = i.number"
    " WHERE i.id = ? AND e.sequence > ? ORDER BY e.sequence"
)
_OLDEST_EVENT: Final = "SELECT MIN(sequence) FROM main.journal_event WHERE invocation = ?"
_STATES: Final = _select(
    _STATE,
    "FROM state WHERE service_name = ? AND service_key = ? ORDER BY key",
    {name: f"iif(value_length <= {VALUE_SHOWN}, {name}, NULL)" for name in ("value", "value_utf8")},
)
_DEPLOYMENTS: Final = _select(TABLES["sys_deployment"], "FROM sys_deployment ORDER BY created_at, id")
_SERVICES: Final = _select(TABLES["sys_service"], "FROM sys_service ORDER BY name")


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
            rows = self._rows(_BY_NUMBER, look.numbers) | self._rows(_BY_ID, look.ids)
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
        """Invocations by status. Raises: apsw.Error."""
        conditions, bound = wanted.conditions
        with self._transaction():
            found: list[Any] = self._connection.execute(_COUNTS.format(conditions=conditions), bound).fetchall()
            return dict(found)

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

    def _rows(self, query: str, wanted: Collection[int] | Collection[str]) -> dict[str, Row]:
        if not wanted:
            return {}
        bound = (msgspec.json.encode(list(wanted)).decode(),)
        return {row["id"]: row for row in map(_write_invocation, self._connection.execute(query, bound))}

    def _progress(self, id: str, place: Place) -> Progress:
        now = self._place(id)
        if now.number is None:
            return Progress(now, place.index > 0, [], [], 0)
        cleared = False
        if now.number != place.number or now.index < place.index:
            cleared = place.index > 0
            place = Place(now.number, 0, place.sequence if now.number == place.number else 0)
        entries = self._entries(id, place.index, -1) if now.index > place.index else []
        events = list(map(_write_event, self._connection.execute(_EVENTS, (id, place.sequence))))
        oldest: list[Any] = self._connection.execute(_OLDEST_EVENT, (now.number,)).fetchall() if events else [(0,)]
        return Progress(now, cleared, entries, events, oldest[0][0])

    def _place(self, id: str) -> Place:
        found: list[Any] = self._connection.execute(_PLACE, (id,)).fetchall()
        return Place(*found[0]) if found else Place()

    def _entries(self, id: str, index: int, limit: int) -> list[Row]:
        """The newest ones, in order. limit: -1 for all."""
        return list(map(_write_entry, self._connection.execute(_ENTRIES, (id, index, limit))))[::-1]

    def _state(self, service: str, key: str) -> list[Row]:
        return list(map(_write_state, self._connection.execute(_STATES, (service, key))))

    def _registered(self) -> Row:
        return {
            "deployments": list(map(_write_deployment, self._connection.execute(_DEPLOYMENTS))),
            "services": list(map(_write_service, self._connection.execute(_SERVICES))),
        }

    def _snapshot(self, topic: Topic) -> Row:
        match topic:
            case ListTopic():
                return self._list(topic.filter)
            case InvocationTopic():
                events = list(map(_write_event, self._connection.execute(_EVENTS, (topic.id, 0))))
                return {
                    "invocation": self._rows(_BY_ID, [topic.id]).get(topic.id),
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
        self._deadline = time.monotonic() + SEARCH_S
        try:
            for row in self._connection.execute(_LIST.format(conditions=conditions), (*bound, wanted.limit + 1)):
                rows.append(_write_invocation(row))
        except apsw.InterruptError:
            if self._stopped:
                raise
            return {"invocations": rows[: wanted.limit], "more": True}
        finally:
            self._deadline = float("inf")
        return {"invocations": rows[: wanted.limit], "more": len(rows) > wanted.limit}

    def _is_late(self) -> bool:
        return self._stopped or time.monotonic() > self._deadline


def _contains(*texts: Any) -> bool:
    return contains(*texts)


_write_invocation: Final = row_writer(_INVOCATION)
_write_entry: Final = row_writer(_ENTRY)
_write_event: Final = row_writer(_EVENT)
_write_state: Final = row_writer(_STATE)
_write_deployment: Final = row_writer(TABLES["sys_deployment"])
_write_service: Final = row_writer(TABLES["sys_service"])
