"""Answers as Arrow IPC streams, read back by the library that writes them; and one as the official server sent it."""

from datetime import date, timedelta
from typing import Any

import nanoarrow
import pytest

from perdure.introspection.arrow import MEDIA_TYPE
from perdure.introspection.problems import QueryError
from perdure.introspection.result import Shape

# How the official server answered `select 1 as a`.
RECORDED = bytes.fromhex(
    "ffffffff780000001000000000000a000c000a00090004000a00000010000000000104000800080000000400080000000400000001000000"
    "1400000010001400100000000f00040000000800100000001800000020000000000000021c00000008000c0004000b000800000040000000"
    "00000001000000000100000061000000ffffffffb8000000100000000c001a0018001700040008000c000000200000008000000000000000"
    "000000000000000304000a0018000c00080004000a0000002c00000010000000010000000000000000000000010000000100000000000000"
    "0000000000000000000000000200000000000000000000000100000000000000400000000000000008000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000ff000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000100000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "ffffffff00000000"
)
# Type names of the catalog, as the formats that Arrow's C interface gives them.
FORMATS = {
    "LargeUtf8": "U",
    "UInt32": "I",
    "UInt64": "L",
    "Boolean": "b",
    'Timestamp(ms, "+00:00")': "tsm:+00:00",
    "Duration(ms)": "tDm",
    "LargeBinary": "Z",
    "List(UInt32)": "+l I",
    "List(LargeUtf8)": "+l U",
}


def read(body: bytes) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Formats by column, and the rows."""
    with nanoarrow.ArrayStream.from_readable(body) as stream:
        schemas = [nanoarrow.c_schema(field) for field in stream.schema.fields]
        formats = {
            schema.name: " ".join([schema.format, *(child.format for child in schema.children)]) for schema in schemas
        }
        return formats, [row for chunk in stream for row in chunk.to_pylist()]


def ask(sql: Any, query: str) -> tuple[dict[str, str], list[dict[str, Any]]]:
    result = sql.result(query, Shape.ARROW)
    assert result.media_type == MEDIA_TYPE
    return read(result.body)


def test_an_answer_reads_as_the_recorded_one(sql: Any) -> None:
    body = sql.result("select 1 as a", Shape.ARROW).body
    assert read(body) == read(RECORDED) == ({"a": "l"}, [{"a": 1}])
    # A message begins with ff ff ff ff; the last one has no length and ends the stream.
    end = b"\xff\xff\xff\xff\0\0\0\0"
    assert body[:4] == RECORDED[:4] == end[:4]
    assert body[-8:] == RECORDED[-8:] == end


def test_the_columns_have_the_documented_types(sql: Any, sql_fixtures: dict[str, Any]) -> None:
    own = {"sys_invocation": {"cancelling": "U", "pause_requested": "b"}, "sys_journal": {"value": "Z"}}
    for name, columns in sql_fixtures["schemas"].items():
        formats, _ = ask(sql, "SELECT * FROM " + name)
        recorded = {column: FORMATS[kind] for column, kind in columns.items()}
        assert formats == recorded | own.get(name, {})


@pytest.mark.parametrize(
    ("query", "format_", "value"),
    [
        ("SELECT CAST(NULL AS bigint)", "l", None),
        ("SELECT 18446744073709551615", "L", 18446744073709551615),
        ("SELECT 1.0/0.0", "g", float("inf")),
        ("SELECT 1 = 1", "b", True),
        ("SELECT current_date()", "tdD", date(2026, 11, 20)),
        ("SELECT now() - now()", "tDm", timedelta()),
        ("SELECT completion_retention FROM sys_invocation LIMIT 1", "tDm", timedelta(days=1)),
        ("SELECT COUNT(1) FROM sys_invocation", "l", 9),
        ("SELECT value FROM state WHERE key = 'stage'", "Z", b'"start"'),
        ("SELECT services FROM sys_deployment", "+l U", ["Probe", "Counter"]),
        ("SELECT suspended_waiting_for_signals FROM sys_invocation WHERE status = 'suspended'", "+l I", [1]),
        ("SELECT NULL", "U", None),
        ("SELECT 'é'", "U", "é"),
        ("SELECT unhex('ff')", "Z", b"\xff"),
    ],
)
def test_a_value(sql: Any, query: str, format_: str, value: Any) -> None:
    formats, [row] = ask(sql, query)
    assert list(formats.values()) == [format_]
    assert list(row.values()) == [value]


def test_times_keep_their_milliseconds(sql: Any) -> None:
    formats, _ = ask(sql, "SELECT now() AS n, running_at FROM sys_invocation")
    assert formats == {"n": "tsn:", "running_at": "tsm:+00:00"}
    query = "SELECT running_at FROM sys_invocation WHERE status = 'running'"
    body = sql.result(query, Shape.ARROW).body
    assert (1_795_173_000_000 - 500).to_bytes(8, "little") in body


def test_the_rows_are_those_of_json(sql: Any) -> None:
    query = "SELECT id, target_service_key, journal_size, status FROM sys_invocation ORDER BY id"
    _, rows = ask(sql, query)
    present = [{name: value for name, value in row.items() if value is not None} for row in rows]
    assert present == sql.rows(query)


def test_a_long_answer_comes_in_several_batches(sql: Any) -> None:
    numbers = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n"
    body = sql.result(numbers, Shape.ARROW).body
    with nanoarrow.ArrayStream.from_readable(body) as stream:
        assert len(list(stream)) > 1
    assert [row["i"] for row in read(body)[1]] == list(range(1, 5001))


def test_an_answer_without_rows_has_columns(sql: Any) -> None:
    assert ask(sql, "SELECT id FROM sys_invocation WHERE 1 = 0") == ({"id": "U"}, [])
    assert ask(sql, "SET a.b = 1") == ({}, [])


def test_a_column_of_several_types_is_an_error_that_says_which(sql: Any) -> None:
    mixed = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
    with pytest.raises(QueryError, match="column 'x' has values that are not Int64"):
        sql.result(mixed + "SELECT CASE WHEN i < 4000 THEN i ELSE 'text' END AS x FROM n", Shape.ARROW)


@pytest.mark.parametrize(("limit", "message"), [({"rows": 3}, "more than 3 rows"), ({"bytes": 300}, "too large")])
def test_an_answer_is_bounded(sql: Any, limit: dict[str, int], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        sql.limited(**limit).result("SELECT id, target, target_service_name, status FROM sys_invocation", Shape.ARROW)
