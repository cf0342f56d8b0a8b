"""The rows of an answer, and their JSON."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import msgspec

from perdure.introspection.catalog import Column, ColumnType
from perdure.introspection.functions import time_text
from perdure.introspection.problems import QueryError


class QueryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """seconds: for one query. rows, bytes: of one answer, as it is sent. waiting: queries that may wait for a turn."""

    seconds: float = 30.0
    rows: int = 500_000
    bytes: int = 128 * 1024 * 1024
    waiting: int = 64


class QueryResult(msgspec.Struct, frozen=True):
    """columns: names and types. body: `{"rows":[…]}`, or an Arrow IPC stream."""

    columns: tuple[Column, ...]
    body: bytes
    media_type: str


class ResultWriter(Protocol):
    """Takes rows as SQLite gives them."""

    def add(self, row: Sequence[Any]) -> None:
        """Raises: QueryError when a limit is met."""

    def finish(self) -> QueryResult: ...


def too_many_rows(limits: QueryLimits) -> QueryError:
    return QueryError(f"the answer has more than {limits.rows} rows; add a LIMIT", 500)


def too_large() -> QueryError:
    return QueryError("the answer is too large; ask for fewer rows or columns", 500)


class JsonWriter:
    """Writes rows as they come, so that the limits are met before memory is. Raises: QueryError."""

    def __init__(self, columns: tuple[Column, ...], limits: QueryLimits) -> None:
        self._columns = columns
        self._limits = limits
        self._shown = row_writer(columns)
        self._rows: list[bytes] = []
        self._bytes_left = limits.bytes
        self._encode = msgspec.json.Encoder().encode

    def add(self, row: Sequence[Any]) -> None:
        encoded = self._encode(self._shown(row))
        self._rows.append(encoded)
        self._bytes_left -= len(encoded) + 1
        if len(self._rows) > self._limits.rows:
            raise too_many_rows(self._limits)
        if self._bytes_left < 0:
            raise too_large()

    def finish(self) -> QueryResult:
        return QueryResult(self._columns, b'{"rows":[' + b",".join(self._rows) + b"]}", "application/json")


def row_writer(columns: Sequence[Column]) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """A function from a row to what JSON shows of it; columns that are null are left out."""
    writers = [(column.name, _WRITERS.get(column.type, _as_is)) for column in columns]
    return lambda row: {
        name: write(value) for (name, write), value in zip(writers, row, strict=True) if value is not None
    }


def _as_is(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _duration(value: Any) -> Any:
    """ISO 8601 in seconds: `PT86400S`, `PT0.003S`, `P0D`."""
    if not isinstance(value, int):
        return _as_is(value)
    if value == 0:
        return "P0D"
    seconds, milliseconds = divmod(abs(value), 1000)
    fraction = f".{milliseconds:03d}".rstrip("0").rstrip(".")
    return f"{'-' if value < 0 else ''}PT{seconds}{fraction}S"


def _whole(write: Callable[[int], Any]) -> Callable[[Any], Any]:
    """An expression may turn out to be of another type than was found; then it is shown as it is."""
    return lambda value: write(value) if isinstance(value, int) else _as_is(value)


def _json(value: Any) -> Any:
    return msgspec.Raw(value.encode()) if isinstance(value, str) else _as_is(value)


_WRITERS: Final[dict[ColumnType, Callable[[Any], Any]]] = {
    ColumnType.U64: _whole(lambda value: value % (1 << 64)),
    ColumnType.BOOL: _whole(bool),
    ColumnType.TIME: _whole(time_text),
    ColumnType.LOCAL_TIME: _whole(lambda value: time_text(value, "")),
    ColumnType.DURATION: _duration,
    ColumnType.LIST_U32: _json,
    ColumnType.LIST_TEXT: _json,
}
