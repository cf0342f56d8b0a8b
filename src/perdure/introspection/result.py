"""The rows of an answer, and their JSON."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from perdure.introspection.catalog import Column, ColumnType
from perdure.introspection.functions import time_text
from perdure.introspection.problems import QueryError


class QueryResult(msgspec.Struct, frozen=True):
    """columns: names and types. body: `{"rows":[…]}`."""

    columns: tuple[Column, ...]
    body: bytes


class ResultWriter:
    """Writes rows as they come, so that the limit is met before memory is. Raises: QueryError."""

    def __init__(self, columns: tuple[Column, ...], rows_max: int, bytes_max: int) -> None:
        self._columns = columns
        self._writers = [(column.name, _WRITERS.get(column.type, _as_is)) for column in columns]
        self._rows: list[bytes] = []
        self._rows_max = rows_max
        self._bytes_left = bytes_max
        self._encode = msgspec.json.Encoder().encode

    def add(self, row: Sequence[Any]) -> None:
        shown = {
            name: write(value) for (name, write), value in zip(self._writers, row, strict=True) if value is not None
        }
        encoded = self._encode(shown)
        self._rows.append(encoded)
        self._bytes_left -= len(encoded) + 1
        if len(self._rows) > self._rows_max:
            raise QueryError(f"the answer has more than {self._rows_max} rows; add a LIMIT", 500)
        if self._bytes_left < 0:
            raise QueryError("the answer is too large; ask for fewer rows or columns", 500)

    def finish(self) -> QueryResult:
        return QueryResult(self._columns, b'{"rows":[' + b",".join(self._rows) + b"]}")


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
