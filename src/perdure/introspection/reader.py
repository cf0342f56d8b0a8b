"""Answers SQL queries over a partition file: translates, runs, writes. Without threads and processes; see query.py.

The connection can only read. A query is bounded in time, rows and bytes.
"""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import apsw
from sqlglot import exp

from perdure.introspection import catalog, functions
from perdure.introspection.catalog import Column, ColumnType
from perdure.introspection.problems import QueryError, QueryFailed, QueryMalformed, QueryNotPlanned, QueryTooLarge
from perdure.introspection.result import (
    JsonWriter,
    QueryLimits,
    QueryResult,
    ResultWriter,
    Shape,
    too_much_memory,
    too_slow,
)
from perdure.introspection.translate import Translated, parse, translate
from perdure.introspection.views import open_views
from perdure.model.invocation import OpenAttempt
from perdure.model.registry import Registry

_SHOW: Final = re.compile(r"\s*show\s+tables\s*;?\s*", re.IGNORECASE)
_DESCRIBE: Final = re.compile(r"\s*(?:describe|desc|show\s+columns\s+from)\s+([\w.\"]+)\s*;?\s*", re.IGNORECASE)
_EXPLAIN: Final = re.compile(r"\s*explain\s+(?:(?:analyze|verbose)\s+)*", re.IGNORECASE)
_SET: Final = re.compile(r"\s*(?:set|reset)\s+[\w.]+", re.IGNORECASE)
TEXT_LIMIT: Final = 32 * 1024 * 1024
"""The longest text or blob a query may build, in bytes."""
_PROGRESS_STEPS: Final = 5_000
_FULL_SPEED_S: Final = 1.0
_REST_MAX_S: Final = 0.05
_ALLOWED: Final = frozenset({apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION, apsw.SQLITE_RECURSIVE})
_LIVE_TABLES: Final = frozenset({"sys_invocation", "sys_invocation_state"})
"""Have columns that only the process with the attempts knows."""

AskAttempts = Callable[[], Mapping[int, OpenAttempt | None]]
"""The open attempts by the number of their invocation; None: nothing more is known of it."""


class Reader:
    """A connection that can only read, and what it takes to answer queries over it. Of one thread."""

    def __init__(self, path: Path, server_version: str, limits: QueryLimits, ask_attempts: AskAttempts) -> None:
        """ask_attempts: called before a query that needs to know. Raises: QueryFailed."""
        self._surroundings = functions.Surroundings(server_version)
        self._limits = limits
        self._ask_attempts = ask_attempts
        self._deadline = self._restrained_from = self._awake_since = 0.0
        self._shape = Shape.JSON
        try:
            self._connection = connection = open_views(path, self._surroundings)
        except apsw.Error as error:
            raise QueryFailed(f"External error: the partition file cannot be opened: {error}") from None
        connection.set_busy_timeout(1_000)
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, TEXT_LIMIT)
        connection.set_progress_handler(self._is_late, _PROGRESS_STEPS)
        connection.authorizer = _authorize

    def close(self) -> None:
        self._connection.close()

    def answer(self, text: str, shape: Shape, now: int, registry: Registry) -> QueryResult:
        """now: ms since the epoch. Raises: QueryError."""
        self._surroundings.registry = registry
        began = time.monotonic()
        self._deadline = began + self._limits.seconds
        self._restrained_from = began + _FULL_SPEED_S
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
        # Before the first row is read: what has an attempt now and ended by then is shown as ended, never the reverse.
        attempts = self._ask_attempts() if _LIVE_TABLES & translated.tables else {}
        self._surroundings.open_attempts = attempts
        self._surroundings.attempt = attempts.get
        try:
            for row in self._connection.execute(translated.sql):
                writer.add(row)
            return writer.finish()
        except apsw.InterruptError:
            raise too_slow(self._limits) from None
        except (apsw.NoMemError, MemoryError):
            raise too_much_memory(self._limits) from None
        except apsw.TooBigError:
            raise QueryTooLarge(f"Execution error: a value is longer than {TEXT_LIMIT} bytes") from None
        except ZeroDivisionError:
            raise QueryFailed("Arrow error: Divide by zero error") from None
        except apsw.Error as error:
            raise _complaint(error) from None
        except (ValueError, TypeError, OverflowError, AttributeError, RecursionError) as error:
            raise QueryFailed(f"Execution error: {error}") from None

    def _describe(self, name: str) -> QueryResult:
        columns = catalog.TABLES.get(name.replace('"', "").lower().removeprefix("restate.").removeprefix("public."))
        if columns is None:
            raise QueryNotPlanned(f"Error during planning: table 'restate.public.{name}' not found")
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
            raise _complaint(error) from None
        writer.add(("physical_plan", "\n".join(details)))
        return writer.finish()

    def _writer(self, columns: tuple[Column, ...]) -> ResultWriter:
        if self._shape is Shape.JSON:
            return JsonWriter(columns, self._limits)
        # Only when it is wanted: the library takes a while to load, and a server may never need it.
        from perdure.introspection.arrow import ArrowWriter

        return ArrowWriter(columns, self._limits)

    def _is_late(self) -> bool:
        """Also rests: a query that takes long gets half of a processor, and the server has its caches meanwhile."""
        now = time.monotonic()
        if now > self._restrained_from:
            time.sleep(min(now - self._awake_since, _REST_MAX_S))
            self._awake_since = time.monotonic()
        else:
            self._awake_since = now
        return now > self._deadline


def _only_query(text: str) -> exp.Query:
    statements = parse(text)
    if not statements:
        raise QueryMalformed("Error during planning: No SQL statements were provided in the query string")
    if len(statements) > 1:
        message = "This feature is not implemented: The context currently only supports a single SQL statement"
        raise QueryNotPlanned(message)
    [statement] = statements
    change = statement.find(exp.DML, exp.DDL) if isinstance(statement, exp.Query) else statement
    if change is not None or not isinstance(statement, exp.Query):
        named = (change or statement).key.upper()
        raise QueryMalformed(f"Error during planning: only queries are allowed, not {named}")
    return statement


def _complaint(error: apsw.Error) -> QueryError:
    text = str(error)
    # SQLite has one error for what cannot be prepared and for what fails on the way.
    unknown = text.startswith(("no such", "wrong number", "misuse of", "near "))
    return QueryNotPlanned(f"Error during planning: {text}") if unknown else QueryFailed(f"Execution error: {text}")


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, ColumnType.TEXT) for name in names)


def _authorize(operation: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    if operation not in _ALLOWED or (operation == apsw.SQLITE_FUNCTION and second == "load_extension"):
        return apsw.SQLITE_DENY
    return apsw.SQLITE_OK
