"""Answers SQL queries about a partition, on a thread and a connection of their own.

The connection can only read. A query is bounded in time, rows and bytes, and so is the number that wait.
"""

import asyncio
import re
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path
from typing import Final

import apsw
from sqlglot import exp

from perdure.clock import Clock
from perdure.introspection import catalog, functions
from perdure.introspection.catalog import Column, ColumnType
from perdure.introspection.problems import QueryError
from perdure.introspection.result import JsonWriter, QueryLimits, QueryResult, ResultWriter
from perdure.introspection.translate import Translated, parse, translate
from perdure.introspection.views import open_views
from perdure.model.invocation import OpenAttempt
from perdure.model.registry import Registry

_SHOW: Final = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)
_DESCRIBE: Final = re.compile(r"\s*(?:describe|desc|show\s+columns\s+from)\s+([\w.\"]+)\s*;?\s*", re.IGNORECASE)
_EXPLAIN: Final = re.compile(r"\s*explain\s+(?:(?:analyze|verbose)\s+)*", re.IGNORECASE)
_SET: Final = re.compile(r"\s*(?:set|reset)\s+[\w.]+", re.IGNORECASE)
_TEXT_LIMIT: Final = 32 * 1024 * 1024
"""The longest text or blob a query may build, in bytes."""
_PROGRESS_STEPS: Final = 5_000
_ALLOWED: Final = frozenset({apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE})


class Shape(Enum):
    """How an answer is written."""

    JSON = "json"
    ARROW = "arrow"


class QueryEngine:
    """Call order: `query` as often as wanted, then `close`. Both from the event loop's thread."""

    def __init__(
        self,
        path: Path,
        registry: Callable[[], Registry],
        open_attempts: Callable[[], Collection[int]],
        clock: Clock,
        *,
        server_version: str,
        attempt: Callable[[int], OpenAttempt | None] = lambda _: None,
        limits: QueryLimits | None = None,
    ) -> None:
        """path: the partition file. registry: its snapshot. open_attempts: a live view of the invocations with one,
        so that a row and its attempt are looked at in the same moment.

        server_version: what `created_using_restate_version` shows. attempt: what is known of an open attempt;
        called on the query thread. The file is opened with the first query.
        """
        self._path = path
        self._registry = registry
        self._open_attempts = open_attempts
        self._clock = clock
        self._surroundings = functions.Surroundings(server_version, attempt)
        self._limits = limits or QueryLimits()
        self._thread = ThreadPoolExecutor(1, "query")
        self._waiting = 0
        self._reader: _Reader | None = None

    async def query(self, text: str, shape: Shape = Shape.JSON) -> QueryResult:
        """Raises: QueryError."""
        if self._waiting >= self._limits.waiting:
            raise QueryError("too many queries are waiting; try again in a moment", 429)
        registry = self._registry()
        open_attempts = self._open_attempts()
        now = self._clock.now()
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._run, text, shape, registry, open_attempts, now)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Interrupts the query that runs."""
        reader = self._reader
        if reader is not None:
            reader.interrupt()
            await asyncio.get_running_loop().run_in_executor(self._thread, reader.close)
        self._thread.shutdown()

    def _run(
        self, text: str, shape: Shape, registry: Registry, open_attempts: Collection[int], now: int
    ) -> QueryResult:
        if self._reader is None:
            self._reader = _Reader(self._path, self._surroundings, self._limits)
        self._surroundings.registry = registry
        self._surroundings.open_attempts = open_attempts
        return self._reader.answer(text, shape, now)


class _Reader:
    """The connection. Lives on the query thread."""

    def __init__(self, path: Path, surroundings: functions.Surroundings, limits: QueryLimits) -> None:
        self._surroundings = surroundings
        self._limits = limits
        self._deadline = 0.0
        self._shape = Shape.JSON
        self._stopped = False
        try:
            self._connection = connection = open_views(path, surroundings)
        except apsw.Error as error:
            raise QueryError(f"External error: the partition file cannot be opened: {error}", 500) from None
        connection.set_busy_timeout(1_000)
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, _TEXT_LIMIT)
        connection.set_progress_handler(self._is_late, _PROGRESS_STEPS)
        connection.authorizer = _authorize

    def interrupt(self) -> None:
        """Ends the query that runs, from whatever thread."""
        self._stopped = True

    def close(self) -> None:
        self._connection.close()

    def answer(self, text: str, shape: Shape, now: int) -> QueryResult:
        self._deadline = time.monotonic() + self._limits.seconds
        self._shape = shape
        if _SHOW.fullmatch(text):
            text = "SELECT * FROM information_schema.tables"
        described = _DESCRIBE.fullmatch(text)
        if described:
            return self._describe(described[1])
        if _SET.match(text):
            # Settings of another engine: taken, and without effect.
            return self._writer(()).finish()
        explained = _EXPLAIN.match(text)
        if explained:
            return self._explain(_only_query(text[explained.end() :]), now)
        return self._select(translate(_only_query(text), now))

    def _select(self, translated: Translated) -> QueryResult:
        writer = self._writer(translated.columns)
        try:
            for row in self._connection.execute(translated.sql):
                writer.add(row)
        except apsw.InterruptError:
            raise QueryError(f"the query took longer than {self._limits.seconds:g} seconds", 500) from None
        except ZeroDivisionError:
            raise QueryError("Arrow error: Divide by zero error", 500) from None
        except (apsw.Error, ValueError, TypeError, OverflowError, AttributeError, RecursionError) as error:
            raise QueryError(f"Execution error: {error}", 500) from None
        return writer.finish()

    def _describe(self, name: str) -> QueryResult:
        columns = catalog.TABLES.get(name.replace('"', "").lower().removeprefix("restate.").removeprefix("public."))
        if columns is None:
            raise QueryError(f"Error during planning: table 'restate.public.{name}' not found", 500)
        writer = self._writer(_texts("column_name", "data_type", "is_nullable"))
        for column in columns:
            writer.add((column.name, column.type.value, "YES"))
        return writer.finish()

    def _explain(self, query: exp.Query, now: int) -> QueryResult:
        sql = translate(query, now).sql
        writer = self._writer(_texts("plan_type", "plan"))
        writer.add(("logical_plan", sql))
        try:
            details = [str(row[3]) for row in self._connection.execute("EXPLAIN QUERY PLAN " + sql)]
        except apsw.Error as error:
            raise QueryError(f"Execution error: {error}", 500) from None
        writer.add(("physical_plan", "\n".join(details)))
        return writer.finish()

    def _writer(self, columns: tuple[Column, ...]) -> ResultWriter:
        if self._shape is Shape.JSON:
            return JsonWriter(columns, self._limits)
        # Only when it is wanted: the library takes a while to load, and a server may never need it.
        from perdure.introspection.arrow import ArrowWriter

        return ArrowWriter(columns, self._limits)

    def _is_late(self) -> bool:
        return self._stopped or time.monotonic() > self._deadline


def _only_query(text: str) -> exp.Query:
    statements = parse(text)
    if not statements:
        raise QueryError("Error during planning: No SQL statements were provided in the query string", 400)
    if len(statements) > 1:
        message = "This feature is not implemented: The context currently only supports a single SQL statement"
        raise QueryError(message, 500)
    [statement] = statements
    if not isinstance(statement, exp.Query):
        raise QueryError(f"Error during planning: only queries are allowed, not {statement.key.upper()}", 400)
    return statement


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, ColumnType.TEXT) for name in names)


def _authorize(operation: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    if operation not in _ALLOWED or (operation == apsw.SQLITE_FUNCTION and second == "load_extension"):
        return apsw.SQLITE_DENY
    return apsw.SQLITE_OK
