"""What the tables show of a partition."""

import json
import re
from typing import Any

import pytest

OWN_COLUMNS = {
    "sys_invocation": {"cancelling": "LargeUtf8", "pause_requested": "Boolean"},
    "sys_journal": {"value": "LargeBinary"},
}
"""What there is beside the columns of the official server, at the end."""


def test_the_columns_are_the_documented_ones(sql: Any, sql_fixtures: dict[str, Any]) -> None:
    rows = sql.rows(
        "SELECT table_name, column_name, data_type FROM information_schema.columns ORDER BY ordinal_position"
    )
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        found.setdefault(row["table_name"], {})[row["column_name"]] = row["data_type"]
    for table, recorded in sql_fixtures["schemas"].items():
        columns = recorded | OWN_COLUMNS.get(table, {})
        assert found[table] == columns
        assert list(found[table]) == list(columns)
        assert [column.name for column in sql.result("SELECT * FROM " + table).columns] == list(columns)


def test_each_state_has_its_name(sql: Any, ids: dict[str, str]) -> None:
    states = {row["id"]: row["status"] for row in sql.rows("SELECT id, status FROM sys_invocation")}
    assert states == {
        identifier: {"succeeded": "completed", "failed": "completed"}.get(name, name)
        for name, identifier in ids.items()
    }
    stored = {row["id"]: row["status"] for row in sql.rows("SELECT id, status FROM sys_invocation_status")}
    assert stored[ids["ready"]] == stored[ids["running"]] == stored[ids["backing-off"]] == "invoked"
    assert stored[ids["pending"]] == "inboxed"


def one(sql: Any, identifier: str, table: str = "sys_invocation") -> dict[str, Any]:
    [row] = sql.rows("SELECT * FROM " + table + " WHERE id = '" + identifier + "'")
    return dict(row)


def test_a_running_invocation(sql: Any, ids: dict[str, str]) -> None:
    assert one(sql, ids["running"]) == {
        "id": ids["running"],
        "target": "Counter/locked/add",
        "target_service_name": "Counter",
        "target_service_key": "locked",
        "target_handler_name": "add",
        "target_service_ty": "virtual_object",
        "idempotency_key": "key-1",
        "invoked_by": "ingress",
        "pinned_deployment_id": "dp_1536mVBfRpdy4D3ecgA6fQt",
        "pinned_service_protocol_version": 6,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "journal_size": 2,
        "journal_commands_size": 2,
        "created_at": "2026-11-20T11:09:59Z",
        "created_using_restate_version": "1.7.12",
        "modified_at": "2026-11-20T11:10:00Z",
        "running_at": "2026-11-20T11:09:59.500Z",
        "completion_retention": "PT86400S",
        "journal_retention": "PT86400S",
        "retry_count": 1,
        "last_start_at": "2026-11-20T11:09:59.600Z",
        "status": "running",
    }


def test_a_backing_off_invocation_tells_its_failure(sql: Any, ids: dict[str, str]) -> None:
    row = one(sql, ids["backing-off"])
    assert row["next_retry_at"] == "2026-11-20T11:10:01.500Z"
    assert row["last_failure"] == "[500 Internal] ValueError('boom in run')\nTraceback"
    assert row["last_failure_error_code"] == "RT0007"
    assert row["last_failure_related_command_index"] == 1
    assert row["last_failure_related_command_name"] == "bad-run"
    assert row["last_failure_related_command_type"] == "Run"


def test_a_suspended_invocation_tells_what_it_waits_for(sql: Any, ids: dict[str, str]) -> None:
    row = one(sql, ids["suspended"])
    assert row["suspended_waiting_for_completions"] == [1]
    assert row["suspended_waiting_for_signals"] == [1]
    waits = '{"Unknown":[{"Single":{"CompletionId":1}},{"Single":{"SignalIndex":1}}]}'
    assert row["suspended_waiting_future_json"] == waits
    assert row["invoked_by"] == "service"
    assert row["invoked_by_id"] == ids["running"]
    assert row["invoked_by_service_name"] == "Probe"
    assert row["invoked_by_target"] == "Probe/caller"


@pytest.mark.parametrize("name", ["suspended", "pending", "succeeded"])
def test_attempt_facts_are_of_the_running_alone(sql: Any, ids: dict[str, str], name: str) -> None:
    row = one(sql, ids[name])
    assert not {"retry_count", "last_start_at", "last_failure", "next_retry_at"} & set(row)


def test_a_paused_invocation_tells_why_it_failed(sql: Any, ids: dict[str, str]) -> None:
    row = one(sql, ids["paused"])
    assert row["last_failure"] == "[500 Internal] ValueError('boom in run')\nTraceback"
    assert row["last_failure_error_code"] == "RT0007"
    assert row["last_failure_related_command_name"] == "bad-run"
    assert not {"retry_count", "last_start_at", "next_retry_at"} & set(row)


def test_what_has_not_started_has_no_journal_size(sql: Any, ids: dict[str, str]) -> None:
    assert "journal_size" not in one(sql, ids["pending"])
    scheduled = one(sql, ids["scheduled"])
    assert scheduled["scheduled_at"] == "2026-11-20T11:09:55Z"
    assert scheduled["scheduled_start_at"] == "2026-11-21T11:10:00Z"


def test_completions(sql: Any, ids: dict[str, str]) -> None:
    assert one(sql, ids["succeeded"])["completion_result"] == "success"
    failed = one(sql, ids["failed"])
    assert failed["completion_result"] == "failure"
    assert failed["completion_failure"] == "[400] terminal boom"


def test_attempt_state(sql: Any, ids: dict[str, str]) -> None:
    rows = {row["id"]: row for row in sql.rows("SELECT id, in_flight, retry_count FROM sys_invocation_state")}
    assert rows == {
        ids["running"]: {"id": ids["running"], "in_flight": True, "retry_count": 1},
        ids["backing-off"]: {"id": ids["backing-off"], "in_flight": False, "retry_count": 6},
    }


def test_every_journal_entry_reads_as_recorded(sql: Any, ids: dict[str, str], samples: dict[str, Any]) -> None:
    rows = sql.rows("SELECT * FROM sys_journal WHERE id = '" + ids["running"] + "' ORDER BY index")
    assert len(rows) == len(samples) + 1
    for row, (shown, sample) in zip(rows, samples.items(), strict=False):
        assert row["entry_type"] == shown
        assert row["raw"] == sample["raw"]
        assert row["raw_length"] == sample["raw_length"]
        assert row["version"] == 2
        assert row.get("name") == sample.get("name")
        assert_same(json.loads(row["entry_json"]), json.loads(sample["entry_json"]))
        assert_same(json.loads(row["entry_lite_json"]), json.loads(sample["entry_lite_json"]))


def test_an_entry_tells_the_payload_that_it_carries(sql: Any, ids: dict[str, str]) -> None:
    rows = sql.rows(f"SELECT entry_type, value, entry_json FROM sys_journal WHERE id = '{ids['running']}'")
    told = {row["entry_type"]: list(bytes.fromhex(row["value"])) for row in rows if "value" in row}
    payload = re.compile(r'"(?:Success|payload|parameter|value)":(\[[\d,]*\])')
    shown = {row["entry_type"]: payload.findall(row["entry_json"]) for row in rows}
    assert told == {kind: json.loads(found[0]) for kind, found in shown.items() if found}
    assert {"Command: Input", "Command: Call", "Command: SetState", "Notification: Call"} <= set(told)


def assert_same(shown: Any, recorded: Any) -> None:
    """Callees and retentions are not in the command: they depend on what surrounds it."""
    for value in (shown, recorded):
        for fields in value.get("Command", {}).values():
            request = fields.get("request", fields)
            for name in ("invocation_id", "completion_retention_duration", "journal_retention_duration"):
                request.pop(name, None)
    assert shown == recorded


def test_a_call_tells_its_callee(sql: Any, ids: dict[str, str]) -> None:
    [text] = sql.column("SELECT entry_lite_json FROM sys_journal WHERE entry_type = 'Command: Call'")
    assert json.loads(text)["Command"]["Call"]["invocation_id"] == ids["suspended"]


def test_events(sql: Any, ids: dict[str, str]) -> None:
    error, paused, operation, grace = sql.rows("SELECT * FROM sys_journal_events ORDER BY event_type DESC")
    assert error["id"] == ids["backing-off"]
    assert error["after_journal_entry_index"] == 1
    assert json.loads(error["event_json"]) == {
        "ty": "TransientError",
        "error_code": 500,
        "error_message": "ValueError('boom in run')",
        "error_stacktrace": "Traceback",
        "restate_doc_error_code": "RT0007",
        "related_command_index": 1,
        "related_command_name": "bad-run",
        "related_command_type": "Run",
    }
    assert json.loads(paused["event_json"]) == {"ty": "Paused"}
    assert json.loads(operation["event_json"]) == {"ty": "Operation", "operation": "pause", "actor": "ada"}
    assert json.loads(grace["event_json"]) == {"ty": "CancelGraceOver", "callees": [ids["running"]], "more": 2}


def test_a_cancelled_invocation_tells_whom_it_waits_for(sql: Any, ids: dict[str, str]) -> None:
    found = sql.rows("SELECT id, cancelling FROM sys_invocation WHERE cancelling IS NOT NULL")
    assert found == [{"id": ids["paused"], "cancelling": f"waiting for {ids['ready']} (and 2 more)"}]


def test_keys_and_queues(sql: Any, ids: dict[str, str]) -> None:
    [held] = sql.rows("SELECT service_name, service_key, invocation_id FROM sys_keyed_service_status")
    assert held == {"service_name": "Counter", "service_key": "locked", "invocation_id": ids["running"]}
    [waits] = sql.rows("SELECT service_name, service_key, id FROM sys_inbox")
    assert waits == {"service_name": "Counter", "service_key": "locked", "id": ids["pending"]}


def test_state(sql: Any) -> None:
    raw, stage = sql.rows("SELECT * FROM state ORDER BY key")
    assert raw["value"] == "ff00"
    assert "value_utf8" not in raw
    assert stage == {
        "partition_key": raw["partition_key"],
        "service_name": "Flow",
        "service_key": "f1",
        "key": "stage",
        "key_length": 5,
        "value_utf8": '"start"',
        "value": "22737461727422",
        "value_length": 7,
    }


def test_promises(sql: Any) -> None:
    approval, denied, other = sql.rows("SELECT * FROM sys_promise WHERE service_key <> 'f2' ORDER BY key")
    assert approval["completed"] is True
    assert approval["completion_success_value"] == "227922"
    assert approval["completion_success_value_utf8"] == '"y"'
    assert denied["completion_failure"] == "[500 Internal] no"
    assert other["completed"] is False
    missing, odd = sql.rows("SELECT completion_failure FROM sys_promise WHERE service_key = 'f2' ORDER BY key")
    assert missing == {"completion_failure": "[404 Not found] no"}
    assert odd == {"completion_failure": "[451] no"}


def test_registry(sql: Any) -> None:
    assert sql.rows("SELECT * FROM sys_service ORDER BY name DESC")[0] == {
        "name": "Probe",
        "revision": 2,
        "public": True,
        "ty": "service",
        "deployment_id": "dp_1536mVBfRpdy4D3ecgA6fQt",
    }
    assert sql.rows("SELECT * FROM sys_deployment") == [
        {
            "id": "dp_1536mVBfRpdy4D3ecgA6fQt",
            "ty": "http",
            "endpoint": "http://localhost:9080/",
            "created_at": "2026-11-19T11:10:00Z",
            "min_service_protocol_version": 5,
            "max_service_protocol_version": 7,
            "services": ["Probe", "Counter"],
        }
    ]
