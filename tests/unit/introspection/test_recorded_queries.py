"""What the official command line and web page ask, and the rows that the official server answered.

Each answer was recorded up to its second row. The state behind it is made from those rows, and the query, with the ids,
keys and times that were taken out of it put back (`replaced`), must give the very same rows, types and form included.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from perdure.introspection.problems import QueryError
from perdure.introspection.reader import Reader
from perdure.introspection.result import QueryLimits, Shape
from perdure.model.timestamps import parse_time
from support.recorded_state import RecordedState

CASES = json.loads(Path(__file__).parents[2].joinpath("data", "recorded-queries.json").read_text(encoding="utf-8"))
COMPARED = [case for case in CASES if "rows" in case]
NOW = parse_time("2026-11-20T11:13:00Z")
DEPLOYMENTS = ("dp_154fpXvrc4hK6AQQsc6NaDf", "dp_15hr9ksgfiKjEZnnzjW6nq9")


def query_of(case: dict[str, Any]) -> str:
    query: str = case["query"]
    for taken_out, put_back in case.get("replaced", {}).items():
        query = query.replace(taken_out, put_back)
    return query


@pytest.mark.parametrize("case", COMPARED, ids=lambda case: case["source"])
def test_the_rows_are_the_recorded_ones(case: dict[str, Any], sql: Any, tmp_path: Path) -> None:
    deployments = [msgspec.structs.replace(sql.deployment, id=identifier) for identifier in DEPLOYMENTS]
    state = RecordedState(tmp_path, case.get("given", {}), deployments)
    reader = Reader(state.path, "1.7.12", QueryLimits(), lambda: dict.fromkeys(state.running))
    try:
        found = json.loads(reader.answer(query_of(case), Shape.JSON, NOW, sql.registry).body)["rows"]
    finally:
        reader.close()
    if "ORDER BY" not in case["query"].upper():
        found.sort(key=one_text)
    assert found == (case["rows"] if "ORDER BY" in case["query"].upper() else sorted(case["rows"], key=one_text))


def one_text(row: dict[str, Any]) -> str:
    return json.dumps(row, sort_keys=True)


@pytest.mark.parametrize("case", [case for case in CASES if "not_compared" in case], ids=lambda case: case["source"])
def test_what_cannot_be_compared_is_answered(case: dict[str, Any], sql: Any, ids: dict[str, str]) -> None:
    query = case["query"].replace("'inv_A','inv_B'", f"'{ids['running']}','{ids['suspended']}'")
    query = query.replace("inv_A", ids["running"]).replace("dp_A", DEPLOYMENTS[0])
    assert sql.result(query, Shape(case["format"])).body


def test_the_reasons_why_answers_cannot_be_compared() -> None:
    """So many queries, and why: nothing was left out for another reason."""
    assert Counter(case["not_compared"] for case in CASES if "not_compared" in case) == {
        "the answer was an Arrow stream, and was not kept": 25,
        "the answer was not kept": 24,
    }


def test_a_refusal_reads_as_recorded(sql: Any) -> None:
    [case] = [case for case in CASES if "status" in case]
    with pytest.raises(QueryError) as refused:
        sql.result(case["query"])
    assert refused.value.status == case["status"]
    assert f"Datafusion error: {refused.value}" == case["message"]
