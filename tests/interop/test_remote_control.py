"""What operators do to invocations, with real handlers: run again, hold, let go on."""

from typing import Any

import pytest

from support.client import wait_for


@pytest.mark.sdk("python")
def test_a_completed_invocation_runs_again_from_its_input(stack, tag: str) -> None:
    invocation = stack.client.send("Steps/run", {"tag": tag, "count": 2})
    stack.client.attach(invocation)
    again = stack.client.operate(invocation, "restart-as-new")["new_invocation_id"]
    assert stack.client.attach(again) == ["result 0", "result 1"]
    assert stack.records.lines(tag) == ["step 0", "step 1"] * 2
    row = stack.client.query(f"SELECT invoked_by, restarted_from FROM sys_invocation WHERE id = '{again}'")
    assert row == [{"invoked_by": "restart_as_new", "restarted_from": invocation}]


@pytest.mark.sdk("python")
def test_a_completed_invocation_runs_again_from_the_middle(stack, tag: str) -> None:
    invocation = stack.client.send("Steps/run", {"tag": tag, "count": 2})
    stack.client.attach(invocation)
    again = stack.client.operate(invocation, f"restart-as-new?from={first_run(stack, invocation)}")["new_invocation_id"]
    assert stack.client.attach(again) == ["result 0", "result 1"]
    assert stack.records.lines(tag) == ["step 0", "step 1", "step 1"]


@pytest.mark.sdk("python")
def test_what_runs_again_from_the_middle_draws_the_same_random_values(stack, tag: str) -> None:
    if stack.setup.protocol < 6:
        pytest.skip("in version 5 the SDK makes the seed from the id alone")
    if stack.setup.server == "reference":
        pytest.skip("the official server draws anew")
    invocation = stack.client.send("Steps/dice", tag)
    drawn = stack.client.attach(invocation)
    again = stack.client.operate(invocation, f"restart-as-new?from={first_run(stack, invocation)}")["new_invocation_id"]
    assert stack.client.attach(again).split()[:2] == drawn.split()[:2]


def first_run(stack: Any, invocation: str) -> int:
    rows = stack.client.query(
        f"SELECT index FROM sys_journal WHERE id = '{invocation}' AND entry_type = 'Command: Run'"
    )
    return min(row["index"] for row in rows)


@pytest.mark.sdk("python")
def test_a_suspended_one_that_is_paused_stays_so(stack, tag: str) -> None:
    if stack.setup.server == "reference":
        pytest.skip("the official server leaves it suspended")
    invocation = stack.client.send("Waiter/awakeable", tag)
    awakeable = stack.records.awakeable(tag)
    stack.client.operate(invocation, "pause?actor=ada&reason=rest")
    stack.client.wait_status(invocation, "paused")
    stack.client.resolve(awakeable, "came meanwhile")
    wait_for(lambda: "Notification: Signal" in entry_types(stack, invocation), "the awakeable to be in the journal")
    assert stack.client.invocation(invocation)["status"] == "paused"
    stack.client.operate(invocation, "resume")
    assert stack.client.attach(invocation) == {"value": "came meanwhile"}
    events = stack.client.query(f"SELECT event_type, event_json FROM sys_journal_events WHERE id = '{invocation}'")
    told = [event["event_json"] for event in events if event["event_type"] == "Operation"]
    assert '{"ty":"Operation","operation":"pause","actor":"ada","reason":"rest"}' in told


def entry_types(stack: Any, invocation: str) -> list[str]:
    rows = stack.client.query(f"SELECT entry_type FROM sys_journal WHERE id = '{invocation}'")
    return [row["entry_type"] for row in rows]


@pytest.mark.sdk("python")
def test_a_pause_waits_for_the_run_block(stack, tag: str) -> None:
    invocation = stack.client.send("Waiter/wait", {"tag": tag, "point": "run", "target": None})
    stack.records.wait_for(tag, "running")
    stack.client.operate(invocation, "pause")
    stack.records.release(tag)
    stack.client.wait_status(invocation, "paused")
    assert "Notification: Run" in entry_types(stack, invocation)
    stack.client.operate(invocation, "resume")
    assert stack.client.attach(invocation) == "ran"
    assert stack.records.lines(tag).count("running") == 1
