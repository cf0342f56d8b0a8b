"""What operators see and change while handlers run."""

import json

import pytest


def test_the_row_of_a_silent_attempt_tells_where_it_runs(stack, tag: str) -> None:
    invocation = stack.client.send("Waiter/wait", {"tag": tag, "point": "run", "target": None})
    stack.records.wait_for(tag, "running")
    row = stack.client.invocation(invocation)
    assert row["status"] == "running"
    assert row["last_attempt_deployment_id"].startswith("dp_")
    assert "-sdk-" in row["last_attempt_server"]
    stack.records.release(tag)
    stack.client.attach(invocation)


@pytest.mark.sdk("python")
def test_the_journal_shows_what_a_failure_says(stack) -> None:
    if stack.setup.protocol < 6:
        pytest.skip("metadata of failures came with version 6")
    failure = {"message": "no", "code": 402, "metadata": {"why": "poor"}}
    invocation = stack.client.send("Echo/fail", failure)
    stack.client.failure(invocation)
    (entry,) = stack.client.query(
        f"SELECT entry_json FROM sys_journal WHERE id = '{invocation}' AND entry_type = 'Command: Output'"
    )
    shown = json.loads(entry["entry_json"])["Command"]["Output"]["result"]["Failure"]
    assert shown == {"code": 402, "message": "no", "metadata": [{"key": "why", "value": "poor"}]}


@pytest.mark.sdk("python")
def test_operators_change_the_durations_of_a_service(stack) -> None:
    changes = {"idempotency_retention": "2 hours", "journal_retention": "PT90S", "abort_timeout": "1m 30s"}
    changed = stack.client.change_service("Hidden", changes)
    shown = {name: changed[name] for name in changes}
    assert shown == {"idempotency_retention": "2h", "journal_retention": "1m 30s", "abort_timeout": "1m 30s"}
