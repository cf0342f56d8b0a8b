"""The tables that queries may use, and the types of their columns, from `tables.toml`."""

import tomllib
from enum import Enum
from importlib import resources
from typing import Any, Final

import msgspec


class ColumnType(Enum):
    """A type, and how it is kept in SQLite. The value is its name in Arrow."""

    TEXT = "LargeUtf8"
    U32 = "UInt32"
    U64 = "UInt64"
    """A signed integer with the same 64 bits."""
    I64 = "Int64"
    FLOAT = "Float64"
    BOOL = "Boolean"
    """0 or 1."""
    TIME = 'Timestamp(ms, "+00:00")'
    """Milliseconds since the epoch."""
    LOCAL_TIME = "Timestamp(ns)"
    """The same; what `now()` gives."""
    DATE = "Date32"
    """ISO text."""
    DURATION = "Duration(ms)"
    """Milliseconds."""
    BYTES = "LargeBinary"
    LIST_U32 = "List(UInt32)"
    """A JSON array."""
    LIST_TEXT = "List(LargeUtf8)"
    """A JSON array."""
    UNKNOWN = "Unknown"
    """As the value itself tells."""


class Column(msgspec.Struct, frozen=True):
    name: str
    type: ColumnType


class Table(msgspec.Struct, frozen=True):
    """row: what one stands for. columns: in order. meanings: of the columns; one that is always null has none.

    empty: it never has a row.
    """

    row: str
    columns: tuple[Column, ...]
    meanings: dict[str, str]
    empty: bool


_VIEWS: Final = frozenset({"sys_invocation"})


def _load() -> dict[str, Table]:
    text = resources.files(__package__).joinpath("tables.toml").read_text("utf-8")
    return {name: _table(found) for name, found in tomllib.loads(text).items()}


def _table(found: dict[str, Any]) -> Table:
    columns, meanings = [], {}
    for name, described in found["columns"].items():
        type_name, _, meaning = described.partition(": ")
        columns.append(Column(name, ColumnType[type_name.upper()]))
        if meaning:
            meanings[name] = meaning
    return Table(found["row"], tuple(columns), meanings, found.get("empty", False))


CATALOG: Final = _load()
"""By name; tables of `information_schema` with that name before them. What is in them: `views.sql`."""

TABLES: Final[dict[str, tuple[Column, ...]]] = {name: table.columns for name, table in CATALOG.items()}
"""Columns in order, by table."""


def list_tables() -> list[tuple[str, str, str, str]]:
    """The rows of `information_schema.tables`."""
    return [("restate", *_split(name), "VIEW" if name in _VIEWS else "BASE TABLE") for name in TABLES]


def list_columns() -> list[tuple[str, str, str, str, int, None, str, str]]:
    """The rows of `information_schema.columns`."""
    return [
        ("restate", *_split(name), column.name, position, None, "YES", column.type.value)
        for name, columns in TABLES.items()
        for position, column in enumerate(columns)
    ]


def _split(name: str) -> tuple[str, str]:
    schema, _, table = name.rpartition(".")
    return schema or "public", table
