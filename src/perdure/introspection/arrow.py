"""The rows of an answer as an Arrow IPC stream: what most clients ask for unless they ask for JSON.

Rows are turned into record batches as they come, column by column, so that they are never all held as objects.
"""

import io
from array import array
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

import msgspec
import nanoarrow
from nanoarrow.ipc import StreamWriter

from perdure.introspection.catalog import Column, ColumnType
from perdure.introspection.problems import QueryFailed
from perdure.introspection.result import QueryLimits, QueryResult, too_large, too_many_rows

MEDIA_TYPE: Final = "application/vnd.apache.arrow.stream"
_BATCH_ROWS: Final = 2048
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_MISFITS: Final = (TypeError, ValueError, OverflowError, msgspec.DecodeError)

Values = Sequence[Any]
# nanoarrow tells type checkers nothing.
ArrowArray = Any
_open_stream: Any = StreamWriter.from_writable


class ArrowWriter:
    """Writes rows as they come, so that the limits are met before memory is. Raises: QueryError."""

    def __init__(self, columns: tuple[Column, ...], limits: QueryLimits) -> None:
        self._columns = columns
        self._limits = limits
        self._out = io.BytesIO()
        self._writer = _open_stream(self._out)
        self._types: list[ColumnType] | None = None
        """Settled by the first batch: from then on the stream has a schema."""
        self._batch: list[Sequence[Any]] = []
        self._rows = 0
        self._pending_bytes = 0

    def add(self, row: Sequence[Any]) -> None:
        self._batch.append(row)
        self._rows += 1
        self._pending_bytes += sum(len(value) for value in row if isinstance(value, str | bytes))
        if self._rows > self._limits.rows:
            raise too_many_rows(self._limits)
        if self._out.tell() + self._pending_bytes > self._limits.bytes:
            raise too_large()
        if len(self._batch) >= _BATCH_ROWS:
            self._flush()

    def finish(self) -> QueryResult:
        if self._batch or self._types is None:
            self._flush()
        self._writer.close()
        return QueryResult(self._columns, self._out.getvalue(), MEDIA_TYPE)

    def _flush(self) -> None:
        length = len(self._batch)
        values = list(zip(*self._batch, strict=True)) if self._batch else [()] * len(self._columns)
        if self._types is None:
            pairs = zip(self._columns, values, strict=True)
            self._types = [_fitting(column.type, found) for column, found in pairs]
        children = [self._encode(position, found) for position, found in enumerate(values)]
        batch = nanoarrow.c_array_from_buffers(self._schema(self._types), length, [None], children=children)
        self._writer.write_array(batch)
        self._batch = []
        self._pending_bytes = 0

    def _encode(self, position: int, values: Values) -> ArrowArray:
        assert self._types is not None
        kind = self._types[position]
        try:
            return _ENCODERS[kind](values)
        except _MISFITS:
            name = self._columns[position].name
            message = f"Arrow error: column '{name}' has values that are not {kind.value}; cast it to one type"
            raise QueryFailed(message) from None

    def _schema(self, types: list[ColumnType]) -> Any:
        pairs = zip(self._columns, types, strict=True)
        return nanoarrow.struct(
            [nanoarrow.c_schema(_arrow_type(kind)).modify(name=column.name) for column, kind in pairs]
        )


def _fitting(kind: ColumnType, values: Values) -> ColumnType:
    """The type itself, or where an expression turned out to be of another one than was found, that of its values."""
    if kind is not ColumnType.UNKNOWN:
        try:
            _ENCODERS[kind](values)
            return kind
        except _MISFITS:
            pass
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        return ColumnType.I64
    if kinds and kinds <= {int, float}:
        return ColumnType.FLOAT
    return ColumnType.BYTES if kinds == {bytes} else ColumnType.TEXT


def _arrow_type(kind: ColumnType) -> Any:
    match kind:
        case ColumnType.TIME:
            return nanoarrow.timestamp("ms", timezone="+00:00")
        case ColumnType.LOCAL_TIME:
            return nanoarrow.timestamp("ns")
        case ColumnType.DURATION:
            return nanoarrow.duration("ms")
        case ColumnType.LIST_U32:
            return nanoarrow.list_(nanoarrow.uint32())
        case ColumnType.LIST_TEXT:
            return nanoarrow.list_(nanoarrow.large_string())
        case _:
            return _PLAIN_TYPES[kind]()


_PLAIN_TYPES: Final[dict[ColumnType, Callable[[], Any]]] = {
    ColumnType.TEXT: nanoarrow.large_string,
    ColumnType.U32: nanoarrow.uint32,
    ColumnType.U64: nanoarrow.uint64,
    ColumnType.I64: nanoarrow.int64,
    ColumnType.FLOAT: nanoarrow.float64,
    ColumnType.BOOL: nanoarrow.bool_,
    ColumnType.DATE: nanoarrow.date32,
    ColumnType.BYTES: nanoarrow.large_binary,
}


def _bits(flags: Sequence[bool]) -> bytes:
    """Packed, the first in the lowest bit of the first byte."""
    if not flags:
        return b""
    digits = "".join("1" if flag else "0" for flag in reversed(flags))
    return int(digits, 2).to_bytes((len(flags) + 7) // 8, "little")


def _validity(values: Values) -> bytes | None:
    return _bits([value is not None for value in values]) if None in values else None


def _numbers(
    kind: ColumnType, code: str, convert: Callable[[Any], Any] = lambda value: value
) -> Callable[[Values], ArrowArray]:
    """code: of `array`. convert: from a value as SQLite has it; it must refuse what does not belong there."""

    def encode(values: Values) -> ArrowArray:
        data = array(code, [0 if value is None else convert(value) for value in values])
        return nanoarrow.c_array_from_buffers(_arrow_type(kind), len(values), [_validity(values), data])

    return encode


def _booleans(values: Values) -> ArrowArray:
    if not {None, 0, 1}.issuperset(values):
        raise ValueError("neither true nor false")
    flags = _bits([bool(value) for value in values])
    return nanoarrow.c_array_from_buffers(nanoarrow.bool_(), len(values), [_validity(values), flags])


def _strings(values: Values) -> ArrowArray:
    return _variable(ColumnType.TEXT, values, [_text(value) for value in values])


def _blobs(values: Values) -> ArrowArray:
    if any(not isinstance(value, bytes | None) for value in values):
        raise TypeError("not bytes")
    return _variable(ColumnType.BYTES, values, [value or b"" for value in values])


def _text(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value.hex().encode()
    return str(value).encode(errors="replace")


def _variable(kind: ColumnType, values: Values, encoded: Sequence[bytes]) -> ArrowArray:
    offsets = _offsets("q", encoded)
    return nanoarrow.c_array_from_buffers(
        _arrow_type(kind), len(values), [_validity(values), offsets, b"".join(encoded)]
    )


def _lists(kind: ColumnType, item: Callable[[Values], ArrowArray]) -> Callable[[Values], ArrowArray]:
    """Of JSON arrays."""

    def encode(values: Values) -> ArrowArray:
        lists = [() if value is None else msgspec.json.decode(value, type=list[Any]) for value in values]
        items = item([element for elements in lists for element in elements])
        buffers = [_validity(values), _offsets("i", lists)]
        return nanoarrow.c_array_from_buffers(_arrow_type(kind), len(values), buffers, children=[items])

    return encode


def _offsets(code: str, parts: Sequence[Sequence[Any]]) -> "array[Any]":
    offsets = array(code, [0])
    end = 0
    for part in parts:
        end += len(part)
        offsets.append(end)
    return offsets


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("not a whole number")
    return value


_u32: Final = _numbers(ColumnType.U32, "I")
_ENCODERS: Final[dict[ColumnType, Callable[[Values], ArrowArray]]] = {
    ColumnType.TEXT: _strings,
    ColumnType.U32: _u32,
    ColumnType.U64: _numbers(ColumnType.U64, "Q", lambda value: _whole(value) % (1 << 64)),
    ColumnType.I64: _numbers(ColumnType.I64, "q"),
    ColumnType.FLOAT: _numbers(ColumnType.FLOAT, "d"),
    ColumnType.BOOL: _booleans,
    ColumnType.TIME: _numbers(ColumnType.TIME, "q"),
    ColumnType.LOCAL_TIME: _numbers(ColumnType.LOCAL_TIME, "q", lambda value: _whole(value) * 1_000_000),
    ColumnType.DATE: _numbers(ColumnType.DATE, "i", lambda value: date.fromisoformat(value).toordinal() - _EPOCH_DAY),
    ColumnType.DURATION: _numbers(ColumnType.DURATION, "q"),
    ColumnType.BYTES: _blobs,
    ColumnType.LIST_U32: _lists(ColumnType.LIST_U32, _u32),
    ColumnType.LIST_TEXT: _lists(ColumnType.LIST_TEXT, _strings),
}
