"""Whatever is asked, an answer or a clear error comes, and comes soon."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.introspection.problems import QueryError
from perdure.introspection.result import Shape

SECONDS = 0.5
BOUND = 15.0
"""Translation, planning and the query itself, on a machine that does other things too."""


def crossed(count: int) -> str:
    return ", ".join(f"information_schema.columns AS t{number}" for number in range(count))


HOSTILE = {
    "a huge join": f"SELECT count(1) FROM {crossed(6)}",
    "too many tables": f"SELECT count(1) FROM {crossed(100)}",
    "a huge sort": f"SELECT t0.column_name FROM {crossed(4)} ORDER BY t1.column_name",
    "a huge aggregate": f"SELECT array_agg(t0.column_name) FROM {crossed(4)}",
    "endless recursion": "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(1) FROM n",
    "endless rows": "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    "doubled texts": "WITH RECURSIVE n AS (SELECT 'x' AS i UNION ALL SELECT i || i FROM n) SELECT max(i) FROM n",
    "a huge value": "SELECT zeroblob(1000000000)",
    "a wide format": "SELECT printf('%1000000000d', 1)",
    "deep brackets": "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "deep selects": "SELECT * FROM " + "(SELECT * FROM " * 300 + "sys_service" + ")" * 300,
    "a long chain of conditions": "SELECT 1 FROM sys_service WHERE " + " OR ".join(["name = 'x'"] * 8000),
    "a long sum": "SELECT " + "+".join(["1"] * 20000),
    "a long union": " UNION ALL ".join(["SELECT 1"] * 3000),
    "many columns": "SELECT " + ", ".join(["*"] * 100) + " FROM sys_invocation",
    "tables that double": "WITH c0 AS (SELECT 1 AS a), "
    + ", ".join(f"c{n} AS (SELECT x.a FROM c{n - 1} x JOIN c{n - 1} y ON true)" for n in range(1, 12))
    + " SELECT count(1) FROM c11",
    "a text of megabytes": "SELECT length('" + "x" * 4_000_000 + "')",
    "a name of megabytes": "SELECT " + "x" * 2_000_000,
    "a comment of megabytes": "SELECT 1 /*" + "x" * 4_000_000 + "*/",
    "an open quote": "SELECT '" + "x" * 2_000_000,
    "deep JSON": "SELECT json_get('" + "[" * 100_000 + "', 0)",
    "a zero byte": "SELECT '\0'",
    "half a character": "SELECT '\ud800'",
}


def answered(sql: Any, query: str, shape: Shape) -> str | None:
    """The error, or None. Fails when it took too long or is something else."""
    started = time.monotonic()
    try:
        sql.limited(seconds=SECONDS, rows=10_000).result(query, shape)
        return None
    except QueryError as error:
        return str(error)
    finally:
        assert time.monotonic() - started < BOUND


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_query_ends(sql: Any, name: str, shape: Shape) -> None:
    error = answered(sql, HOSTILE[name], shape)
    assert error is None or 10 < len(error) < 5000


def test_other_queries_are_answered_after_a_hostile_one(sql: Any) -> None:
    assert "took longer" in str(answered(sql, HOSTILE["a huge join"], Shape.JSON))
    assert sql.rows("SELECT 1 AS a") == [{"a": 1}]


TABLES = st.sampled_from(["sys_invocation", "sys_invocation_status", "sys_journal", "state", "sys_service", "nope"])
COLUMNS = st.sampled_from(["id", "status", "created_at", "journal_size", "name", "raw", "services", "nope", "*"])
VALUES = st.one_of(
    COLUMNS,
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.text(max_size=8).map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.sampled_from(["NULL", "true", "now()", "INTERVAL '1 hour'", "x'ff'", "ARRAY[1, 2]", "count(*)", "max(id)"]),
)
EXPRESSIONS = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "/", "%", "=", "<", "||", "AND", "LIKE", "->>", "IN"]), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        st.tuples(st.sampled_from(["length", "lower", "sum", "first_value", "json_get", "date_trunc"]), inner).map(
            lambda parts: f"{parts[0]}({parts[1]})"
        ),
        st.tuples(inner, st.sampled_from(["text", "bigint", "timestamp", "bytea"])).map(
            lambda parts: f"CAST({parts[0]} AS {parts[1]})"
        ),
    ),
    max_leaves=6,
)
QUERIES = st.one_of(
    st.text(max_size=60),
    st.tuples(EXPRESSIONS, TABLES, EXPRESSIONS, EXPRESSIONS).map(
        lambda parts: f"SELECT {parts[0]} FROM {parts[1]} WHERE {parts[2]} ORDER BY {parts[3]} LIMIT 5"
    ),
    st.tuples(EXPRESSIONS, EXPRESSIONS, TABLES).map(
        lambda parts: f"SELECT {parts[0]}, count(1) FROM {parts[2]} GROUP BY {parts[1]}"
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, shape=st.sampled_from(list(Shape)))
def test_any_query_is_answered_or_refused(sql: Any, query: str, shape: Shape) -> None:
    answered(sql, query, shape)
