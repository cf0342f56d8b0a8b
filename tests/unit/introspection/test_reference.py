"""docs/reference/sql.md: it is what the catalog says, and what it promises works."""

import json
import runpy
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
DIALECT = tomllib.loads(resources.files("perdure.introspection").joinpath("dialect.toml").read_text("utf-8"))
EXPRESSIONS = [tuple(one[2:]) for group in DIALECT["functions"].values() for one in group]
DOCUMENTED = json.loads(ROOT.joinpath("tests", "data", "sql-tables.json").read_text("utf-8"))


OWN = {
    "sys_invocation": [("cancelling", "LargeUtf8"), ("pause_requested", "Boolean")],
    "sys_journal": [("value", "LargeBinary")],
}
"""Columns beside the documented ones, at the end."""


def test_the_reference_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "sql_reference.py"))
    assert script["DOCUMENT"].read_text("utf-8") == script["written"](), "run scripts/sql_reference.py"


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS, ids=lambda part: str(part)[:40])
def test_an_expression_gives_what_the_reference_says(sql: Any, expression: str, value: Any) -> None:
    [row] = sql.rows(f"SELECT {expression} AS value")
    assert row["value"] == value
    assert type(row["value"]) is type(value)


@pytest.mark.parametrize("example", DIALECT["examples"].values(), ids=DIALECT["examples"].keys())
def test_an_example_finds_something(sql: Any, example: str) -> None:
    assert sql.rows(example)


@pytest.mark.parametrize("table", DOCUMENTED)
def test_a_table_has_the_columns_and_types_of_the_documentation(sql: Any, table: str) -> None:
    query = f"SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}'"
    columns = [tuple(pair) for pair in DOCUMENTED[table]] + OWN.get(table, [])
    rows = sql.rows(query + " ORDER BY ordinal_position")
    assert [(row["column_name"], row["data_type"]) for row in rows] == columns
    shown = sql.result(f"SELECT * FROM {table}").columns
    assert [(column.name, column.type.value) for column in shown] == columns
