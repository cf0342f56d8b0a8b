"""The dialect: what clients send, what comes out, and what is refused."""

from typing import Any

import pytest

from perdure.introspection.problems import QueryError


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("SELECT 1 AS a, 'x' AS b, null AS c, true AS d, 1.5 AS e", {"a": 1, "b": "x", "d": True, "e": 1.5}),
        ("SELECT 1", {"Int64(1)": 1}),
        ("SELECT starts_with('abc', 'ab') AS a, ends_with('abc', 'x') AS b", {"a": True, "b": False}),
        ("SELECT split_part('a/b', '/', 2) AS a, split_part('a/b', '/', 3) AS b", {"a": "b", "b": ""}),
        ("SELECT split_part('a/b', '/', -2) AS a, split_part(NULL, '/', 1) AS b", {"a": "a"}),
        ("SELECT left('abc', 2) AS a, right('abc', 2) AS b, right('abc', 0) AS c", {"a": "ab", "b": "bc", "c": ""}),
        ("SELECT left('abc', -1) AS a, right('abc', -1) AS b", {"a": "ab", "b": "bc"}),
        ("SELECT reverse('abc') AS a, translate('abcb', 'bc', 'x') AS b", {"a": "cba", "b": "axx"}),
        ("SELECT initcap('a bc') AS a, md5('a') AS b", {"a": "A Bc", "b": "0cc175b9c0f1b6a831c399e269772661"}),
        ("SELECT COUNT(1), COUNT(*) FROM sys_service", {"count(Int64(1))": 2, "count(*)": 2}),
        ("SELECT max(revision) FROM sys_service", {"max(sys_service.revision)": 2}),
        ("SELECT 18446744073709551615 AS big", {"big": 18446744073709551615}),
        ("SELECT now() AS n, current_date() AS d", {"n": "2026-11-20T11:10:00", "d": "2026-11-20"}),
        ("SELECT now() - INTERVAL '1 hour' AS n", {"n": "2026-11-20T10:10:00"}),
        ("SELECT 1.0/0.0 AS inf", {"inf": None}),
        ("SELECT 7/2 AS a, -7/2 AS b, 7.0/2 AS c", {"a": 3, "b": -3, "c": 3.5}),
        ("SELECT 'aB' LIKE 'ab' AS a, 'aB' ILIKE 'ab' AS b", {"a": False, "b": True}),
        ("SELECT name AS \"Name\" FROM sys_service WHERE name == 'Probe';", {"Name": "Probe"}),
        ("SELECT '{\"a\":{\"b\":1}}' -> 'a' ->> 'b' AS x", {"x": 1}),
        ("SELECT json_get_str('{\"a\":\"b\"}', 'a') AS x", {"x": "b"}),
        ("SELECT services[1] AS s, array_length(services) AS n FROM sys_deployment", {"s": "Probe", "n": 2}),
        ("SELECT date_trunc('hour', created_at) AS h FROM sys_deployment", {"h": "2026-11-19T11:00:00Z"}),
        ("SELECT created_at::text AS t FROM sys_deployment", {"t": "2026-11-19T11:10:00Z"}),
        (
            "SELECT CAST(completion_retention AS varchar) AS x FROM sys_invocation_status LIMIT 1",
            {"x": "1 days 0 hours 0 mins 0.000 secs"},
        ),
        ("SELECT count(1) AS n FROM restate.public.sys_service", {"n": 2}),
        ("SELECT now() - now() AS d", {"d": "P0D"}),
        ("SELECT max(completed_at) - min(created_at) AS d FROM sys_invocation", {"d": "PT8.999S"}),
    ],
)
def test_an_expression(sql: Any, query: str, row: dict[str, Any]) -> None:
    assert sql.rows(query) == [row]


def test_the_alias_of_an_inner_select_can_be_used_outside_it(sql: Any) -> None:
    query = (
        "SELECT COUNT(1) FROM (SELECT * FROM sys_invocation inv LIMIT 50000) WHERE inv.target_service_name IN ('Probe')"
    )
    assert sql.rows(query) == [{"count(Int64(1))": 7}]


def test_the_first_value_of_a_group(sql: Any, ids: dict[str, str]) -> None:
    query = "SELECT FIRST_VALUE(id ORDER BY created_at ASC) AS oldest, MIN(created_at) AS at FROM sys_invocation"
    assert sql.rows(query) == [{"oldest": ids["paused"], "at": "2026-11-20T11:09:51Z"}]


def test_text_is_compared_with_a_time_as_a_time(sql: Any, ids: dict[str, str]) -> None:
    assert sql.column("SELECT id FROM sys_invocation WHERE created_at > '2026-11-20T12:09:58+01:00'") == [
        ids["running"]
    ]
    assert len(sql.rows("SELECT id FROM sys_invocation WHERE created_at BETWEEN '2026-11-20' AND now()")) == len(ids)
    assert len(sql.rows("SELECT id FROM sys_invocation WHERE completion_retention = INTERVAL '1 day'")) == len(ids)


def test_nulls_come_last(sql: Any) -> None:
    found = sql.column("SELECT completed_at FROM sys_invocation ORDER BY completed_at")
    assert [value is None for value in found] == [False, False] + [True] * 7


def test_partition_keys_are_unsigned(sql: Any, ids: dict[str, str]) -> None:
    query = "SELECT id, partition_key FROM sys_invocation_status WHERE partition_key = 12104407197001363642"
    assert sql.rows(query) == [{"id": ids["suspended"], "partition_key": 12104407197001363642}]


def test_statements_that_are_no_queries(sql: Any) -> None:
    assert "sys_invocation" in [row["table_name"] for row in sql.rows("show tables")]
    assert sql.rows("describe sys_service")[0] == {
        "column_name": "name",
        "data_type": "LargeUtf8",
        "is_nullable": "YES",
    }
    assert sql.rows("SET datafusion.execution.batch_size = 1") == []
    assert [row["plan_type"] for row in sql.rows("EXPLAIN SELECT 1")] == ["logical_plan", "physical_plan"]


def test_an_id_is_found_by_index(sql: Any, ids: dict[str, str]) -> None:
    for table in ("sys_invocation", "sys_invocation_status", "sys_journal", "sys_journal_events"):
        plan = sql.rows(f"EXPLAIN SELECT * FROM {table} WHERE id = '{ids['running']}'")[1]["plan"]
        assert "invocation_by_id" in plan
        assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", "")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("selec 1", 400),
        ("", 400),
        (";", 400),
        ("SELECT (", 400),
        ("SELECT 'a", 400),
        ("CREATE TABLE x AS SELECT 1", 400),
        ("INSERT INTO state VALUES (1)", 400),
        ("UPDATE state SET key = 'a'", 400),
        ("DELETE FROM state", 400),
        ("DROP TABLE state", 400),
        ("ATTACH DATABASE 'x' AS y", 400),
        ("PRAGMA query_only = OFF", 400),
        ("SELECT * FROM nope", 500),
        ("SELECT * FROM invocation", 500),
        ("SELECT * FROM main.invocation", 500),
        ("SELECT * FROM sqlite_schema", 500),
        ("SELECT * FROM pragma_table_info('invocation')", 500),
        ("SELECT nope FROM sys_service", 500),
        ("SELECT nope(1)", 500),
        ("SELECT load_extension('x')", 500),
        ("SELECT 1; SELECT 2", 500),
        ("SELECT 1/0", 500),
        ("0 UNION SELECT 1", 500),
        ("SELECT name FROM sys_service FOR UPDATE", 500),
        ("SELECT name FROM sys_service TABLESAMPLE (10)", 500),
        ("SELECT created_at AT TIME ZONE 'Europe/Berlin' FROM sys_deployment", 500),
        ("SELECT name FROM sys_service WHERE name = $1", 500),
        ("SELECT id FROM sys_invocation WHERE id = 'zz'", 500),
        ("SELECT id FROM sys_invocation WHERE created_at > 'yesterday'", 500),
        ("SELECT zeroblob(1000000000)", 500),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, 400),
        ("SELECT " + "1+" * 60_000 + "1", 400),
    ],
)
def test_refusals(sql: Any, query: str, status: int) -> None:
    with pytest.raises(QueryError) as refused:
        sql.rows(query)
    assert refused.value.status == status
    assert str(refused.value)


def test_a_query_is_bounded_in_time(sql: Any) -> None:
    endless = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r"
    with pytest.raises(QueryError, match="longer than"):
        sql.limited(seconds=0.05).rows(endless)


def test_an_answer_is_bounded_in_size(sql: Any) -> None:
    with pytest.raises(QueryError, match="more than 3 rows"):
        sql.limited(rows=3).rows("SELECT id FROM sys_invocation")
    with pytest.raises(QueryError, match="too large"):
        sql.limited(bytes=100).rows("SELECT id FROM sys_invocation")


@pytest.mark.parametrize(
    "condition",
    [
        "status = 'running'",
        "status IN ('pending', 'backing-off', 'ready')",
        "'suspended' = status",
        "status IN ('completed', 'paused')",
        "status != 'completed'",
        "status <> 'running'",
        "status = 'nope'",
        "status NOT IN ('completed')",
        "NOT (status = 'running')",
        "status = 'paused' AND journal_size > 0",
        "status = 'paused' OR status = 'completed'",
        "status = 'inboxed'",
    ],
)
@pytest.mark.parametrize("table", ["sys_invocation", "sys_invocation_status"])
def test_a_condition_on_the_status_finds_what_it_says(sql: Any, table: str, condition: str) -> None:
    # A computed value cannot be traced to an index: this reads every row.
    plain = condition.replace("status", "lower(status)")
    found = sql.column(f"SELECT id FROM {table} WHERE {condition} ORDER BY id")
    assert found == sql.column(f"SELECT id FROM {table} WHERE {plain} ORDER BY id")
    joined = f"SELECT t.id FROM {table} AS t LEFT JOIN sys_deployment AS d ON d.id = t.pinned_deployment_id"
    assert found == sql.column(f"{joined} WHERE {condition} ORDER BY t.id")


@pytest.mark.parametrize("status", ["running", "suspended"])
def test_open_invocations_are_found_by_their_status(sql: Any, status: str) -> None:
    plan = sql.rows(
        f"EXPLAIN SELECT id FROM sys_invocation WHERE status = '{status}' ORDER BY created_at DESC LIMIT 50"
    )
    assert "invocation_open" in plan[1]["plan"]


def test_the_column_behind_the_status_cannot_be_asked_for(sql: Any) -> None:
    with pytest.raises(QueryError):
        sql.rows("SELECT stored_status FROM sys_invocation")
