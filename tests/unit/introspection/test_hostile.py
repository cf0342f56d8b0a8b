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
    "a billion rows": "SELECT count(1) FROM generate_series(1, 10000000000)",
    "a window over a huge join": f"SELECT sum(t0.ordinal_position) OVER (ORDER BY t1.column_name) FROM {crossed(3)}",
    "thousands of columns": "SELECT " + ", ".join(f"{number} AS c{number}" for number in range(5000)),
    "thousands of arguments": "SELECT concat(" + ", ".join(["'x'"] * 5000) + ")",
    "unions in unions": "SELECT 1" + "".join(f" UNION SELECT {number}" for number in range(700)),
    "a growing recursion": "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n, state) SELECT i FROM n",
    "nested aggregates": "SELECT count(count(count(1))) FROM sys_service",
    "a pattern too large": "SELECT 'a' ~ '(((a{1000}){1000}){1000})'",
    "a huge repetition": "SELECT length(repeat('x', 2000000000))",
    "a file to read": "SELECT readfile('/etc/passwd')",
    "a file to write": "SELECT writefile('/tmp/x', 'x')",
    "a library to load": "SELECT load_extension('/tmp/x.so')",
    "a file to attach": "ATTACH '/tmp/x' AS x",
    "a setting": "PRAGMA writable_schema = ON",
    "a setting as a table": "SELECT * FROM pragma_database_list",
    "the tables behind": "SELECT * FROM main.invocation",
    "the schema": "SELECT * FROM sqlite_master",
    "a table function": "SELECT * FROM json_each('[1]')",
    "a dump": "SELECT edit('x'), fts3_tokenizer('x'), zipfile('x')",
    "a change in a WITH": "WITH x AS (DELETE FROM state RETURNING *) SELECT * FROM x",
    "a comment that hides": "SELECT 1; -- \n DROP TABLE state",
}
REFUSED = {
    "a file to read": "E0502",
    "a file to write": "E0502",
    "a library to load": "E0503",
    "a file to attach": "E0501",
    "a setting": "E0501",
    "a setting as a table": "E0502",
    "the tables behind": "E0502",
    "the schema": "E0502",
    "a table function": "E0502",
    "a dump": "E0502",
    "a change in a WITH": "E0501",
    "a comment that hides": "E0502",
    "deep brackets": "E0506",
    "a long sum": "E0506",
    "a huge join": "E0504",
    "endless recursion": "E0504",
    "endless rows": "E0505",
    "a huge value": "E0505",
}
"""What must not be answered, and the code of the refusal."""


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


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_has_the_code_of_its_reason(sql: Any, name: str) -> None:
    with pytest.raises(QueryError) as refused:
        sql.limited(seconds=SECONDS, rows=10_000).result(HOSTILE[name])
    assert refused.value.code == REFUSED[name]


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
OPERATORS = st.sampled_from(["+", "-", "/", "%", "=", "<", "||", "AND", "LIKE", "~", "->>", "IN", "IS NOT"])
FUNCTIONS = st.sampled_from(
    ["length", "lower", "sum", "first_value", "json_get", "date_trunc", "abs", "md5", "hex", "zeroblob"]
)
EXPRESSIONS = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.tuples(
            inner,
            st.sampled_from(["+", "-", "/", "%", "=", "<", "||", "AND", "LIKE", "~", "->>", "IN", "IS NOT"]),
            inner,
        ).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        st.tuples(
            st.sampled_from(
                ["length", "lower", "sum", "first_value", "json_get", "date_trunc", "abs", "md5", "hex", "zeroblob"]
            ),
            inner,
        ).map(lambda parts: f"{parts[0]}({parts[1]})"),
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
JOINED = st.lists(TABLES, min_size=1, max_size=4).map(
    lambda names: ", ".join(f"{name} AS t{number}" for number, name in enumerate(names))
)
SELECTS = st.recursive(
    QUERIES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]), inner).map(" ".join),
        inner.map(lambda query: f"SELECT * FROM ({query}) AS inner_one"),
        inner.map(lambda query: f"WITH RECURSIVE c AS ({query}) SELECT * FROM c, c AS d"),
        st.tuples(EXPRESSIONS, JOINED, inner).map(
            lambda parts: f"SELECT {parts[0]} FROM {parts[1]} WHERE EXISTS ({parts[2]})"
        ),
        st.tuples(EXPRESSIONS, JOINED, EXPRESSIONS).map(
            lambda parts: f"SELECT row_number() OVER (PARTITION BY {parts[0]} ORDER BY {parts[2]}) FROM {parts[1]}"
        ),
        inner.map(lambda query: f"EXPLAIN {query}"),
    ),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=SELECTS, shape=st.sampled_from(list(Shape)))
def test_any_query_is_answered_or_refused(sql: Any, query: str, shape: Shape) -> None:
    answered(sql, query, shape)
