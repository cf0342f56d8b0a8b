"""Cancel and kill: where they surface, what they reach, and what they leave alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.client import wait_for


def undone(stack: Any, tag: str) -> list[str]:
    return [line for line in stack.records.lines(tag) if line.startswith("und")]


POINTS = ["sleep", "awakeable", "call", "signal", "attach", "run", "gather", "select"]
CALLING = {"call", "gather"}


def waiting(stack: Any, waiter: str, tag: str, point: str) -> str:
    """An invocation that waits at this point, suspended where the service suspends."""
    target = stack.client.send(f"{waiter}/hold", f"{tag}.target") if point == "attach" else None
    invocation = stack.client.send(f"{waiter}/wait", {"tag": tag, "point": point, "target": target})
    stack.records.wait_for(tag, "running" if point == "run" else "started")
    if point in CALLING:
        stack.records.wait_for(f"{tag}.callee", "started")
    if waiter == "QuickWaiter" and point != "run":
        stack.client.wait_status(invocation, "suspended")
    return str(invocation)


@pytest.mark.parametrize("waiter", ["Waiter", "QuickWaiter"])
@pytest.mark.parametrize("point", POINTS)
def test_a_cancellation_surfaces_where_the_handler_waits(stack, tag: str, point: str, waiter: str) -> None:
    invocation = waiting(stack, waiter, tag, point)
    stack.client.operate(invocation, "cancel")
    stack.records.release(tag)
    assert stack.client.failure(invocation).status == 409
    assert undone(stack, tag) == ["undone after 409"]
    if point in CALLING:
        stack.records.wait_for(f"{tag}.callee", "undone after 409")
    if point == "attach":
        assert undone(stack, f"{tag}.target") == [], "to attach is to watch, not to own"


def test_a_cancellation_surfaces_at_a_promise(stack, tag: str) -> None:
    invocation = stack.client.send(f"Approval/{tag}/linger", tag)
    stack.records.wait_for(tag, "started")
    stack.client.operate(invocation, "cancel")
    assert stack.client.failure(invocation).status == 409
    assert undone(stack, tag) == ["undone after 409"]


def test_a_handler_cancels_another_invocation(stack, tag: str) -> None:
    invocation = waiting(stack, "Waiter", tag, "sleep")
    stack.client.call("Remote/cancel", invocation)
    assert stack.client.failure(invocation).status == 409
    assert undone(stack, tag) == ["undone after 409"]


def test_a_cancellation_undoes_every_level_of_a_tree_of_calls(stack, tag: str) -> None:
    invocation = stack.client.send("Tree/grow", {"tag": tag, "depth": 2})
    stack.records.wait_for(tag, "pay 0")
    stack.client.operate(invocation, "cancel")
    assert stack.client.failure(invocation).status == 409
    if stack.setup.server == "perdure":
        # Leaves first: each level is over before the one that called it begins.
        assert undone(stack, tag) == [f"undo {step} {depth}" for depth in range(3) for step in ("pay", "reserve")]
        return
    # The SDK passes the cancellation on to its callees and does not wait for them: levels undo at the same time.
    wait_for(lambda: len(undone(stack, tag)) == 6, "all levels to undo their two steps")
    for depth in range(3):
        assert undone_at(stack, tag, depth) == [f"undo pay {depth}", f"undo reserve {depth}"]


def undone_at(stack: Any, tag: str, depth: int) -> list[str]:
    return [line for line in undone(stack, tag) if line.endswith(f" {depth}")]


def cancelled_tree(stack: Any, tag: str, depth: int) -> str:
    """A cancelled tree of calls, whose leaf cleans up and takes its time. Returns the root."""
    root = stack.client.send("Tree/grow", {"tag": tag, "depth": depth, "slow": True})
    stack.records.wait_for(tag, "pay 0")
    stack.client.operate(root, "cancel")
    stack.records.wait_for(tag, "settling")
    return str(root)


def test_a_cancellation_waits_for_the_leaves(stack, tag: str) -> None:
    if stack.setup.server == "reference":
        pytest.skip("the official server cancels all levels at the same time")
    root = cancelled_tree(stack, tag, depth=2)
    rows = {row["id"]: row for row in stack.client.query("SELECT * FROM sys_invocation WHERE target LIKE 'Tree/%'")}
    [middle] = [row for row in rows.values() if row.get("invoked_by_id") == root]
    [leaf] = [row for row in rows.values() if row.get("invoked_by_id") == middle["id"]]
    assert rows[root]["cancelling"] == f"waiting for {middle['id']}"
    assert middle["cancelling"] == f"waiting for {leaf['id']}"
    assert "cancelling" not in leaf
    # Nobody is hurried by a second one, from whatever side.
    stack.client.operate(root, "cancel")
    stack.client.operate(middle["id"], "cancel")
    assert undone(stack, tag) == []
    stack.records.release(tag)
    assert stack.client.failure(root).status == 409
    assert undone(stack, tag) == [f"undo {step} {depth}" for depth in range(3) for step in ("pay", "reserve")]


@pytest.mark.interop
def test_when_its_grace_is_over_a_caller_goes_ahead(hasty: Any, tag: str) -> None:
    root = cancelled_tree(hasty, tag, depth=1)
    assert hasty.client.failure(root).status == 409
    # The root's SDK has cancelled the leaf, as it always does; the leaf is not struck a second time.
    assert undone(hasty, tag) == ["undo pay 1", "undo reserve 1"]
    hasty.records.release(tag)
    hasty.records.wait_for(tag, "undo reserve 0")
    assert undone_at(hasty, tag, 0) == ["undo pay 0", "undo reserve 0"]


def test_a_kill_runs_no_user_code_in_the_whole_tree(stack, tag: str) -> None:
    invocation = stack.client.send("Tree/grow", {"tag": tag, "depth": 2})
    stack.records.wait_for(tag, "pay 0")
    stack.client.operate(invocation, "kill")
    failed = stack.client.failure(invocation)
    assert (failed.status, failed.body["message"]) == (409, "killed")
    wait_for(lambda: living(stack) == 0, "the callees to be killed")
    assert undone(stack, tag) == []


def living(stack: Any) -> int:
    """How many invocations of trees have not ended."""
    rows = stack.client.query("SELECT id, status FROM sys_invocation WHERE target_service_name = 'Tree'")
    return sum(row["status"] != "completed" for row in rows)


def test_a_one_way_call_survives_the_cancellation_of_its_sender(stack, tag: str) -> None:
    invocation = stack.client.send("Sender/start", tag)
    stack.records.wait_for(tag, "sent")
    stack.client.operate(invocation, "cancel")
    assert stack.client.failure(invocation).status == 409
    both_end(stack, tag)


def test_a_one_way_call_survives_the_kill_of_its_sender(stack, tag: str) -> None:
    if stack.setup.server == "reference":
        pytest.skip("the official server kills what was sent")
    invocation = stack.client.send("Sender/start", tag)
    # What the handler did says nothing of what the server has received: a kill in between would find nothing sent.
    sent = f"SELECT id FROM sys_invocation WHERE invoked_by_id = '{invocation}'"
    wait_for(lambda: len(stack.client.query(sent)) == 2, "both one-way calls to be there")
    stack.client.operate(invocation, "kill")
    assert stack.client.failure(invocation).status == 409
    both_end(stack, tag)


def both_end(stack: Any, tag: str) -> None:
    for name in ("now", "later"):
        stack.client.resolve(stack.records.awakeable(tag, f"{name} "), "done")
        stack.records.wait_for(tag, f"{name} done")


def test_a_delayed_send_waits(stack, tag: str) -> None:
    sent_at = datetime.now(UTC)
    invocation = stack.client.send("Steps/run", {"tag": tag, "count": 1}, delay="300ms")
    assert stack.client.attach(invocation) == ["result 0"]
    ran_at = datetime.fromisoformat(stack.client.invocation(invocation)["running_at"])
    # A server may keep a logical clock, which is not ours to the millisecond.
    assert ran_at >= sent_at + timedelta(milliseconds=250)


def test_a_delayed_send_is_cancelled_before_it_starts(stack, tag: str) -> None:
    invocation = stack.client.send("Steps/run", {"tag": tag, "count": 1}, delay="1h")
    assert stack.client.wait_status(invocation, "scheduled")
    stack.client.operate(invocation, "cancel")
    wait_for(lambda: over(stack, invocation), "the invocation to be over")
    assert stack.records.lines(tag) == []


def over(stack: Any, invocation: str) -> bool:
    """The official server leaves no row."""
    row = stack.client.invocation(invocation)
    return row is None or row["completion_failure"] == "[409] cancelled"
