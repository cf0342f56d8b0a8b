"""Waiting: timers, awakeables, signals, combinations of them; live and across a suspension."""

from typing import Any

import pytest

from support.client import wait_for

WAITERS = pytest.mark.parametrize("waiter", ["Waiter", "QuickWaiter"])
"""The second one suspends after 50 ms, so that its result comes in a later attempt."""


@WAITERS
def test_a_handler_sleeps(stack, waiter: str) -> None:
    assert stack.client.call(f"{waiter}/sleep", 120) == "slept"


def awaiting(stack: Any, waiter: str, tag: str) -> tuple[str, str]:
    """An invocation that waits for an awakeable, and the awakeable."""
    invocation = stack.client.send(f"{waiter}/awakeable", tag)
    awakeable = stack.records.awakeable(tag)
    if waiter == "QuickWaiter":
        stack.client.wait_status(invocation, "suspended")
    return invocation, awakeable


@WAITERS
def test_an_awakeable_is_resolved_from_outside(stack, tag: str, waiter: str) -> None:
    invocation, awakeable = awaiting(stack, waiter, tag)
    stack.client.resolve(awakeable, {"by": "hand"})
    assert stack.client.attach(invocation) == {"value": {"by": "hand"}}


@WAITERS
def test_an_awakeable_is_rejected_from_outside(stack, tag: str, waiter: str) -> None:
    invocation, awakeable = awaiting(stack, waiter, tag)
    stack.client.reject(awakeable, "no")
    assert stack.client.attach(invocation) == {"code": 500, "message": "no"}


@WAITERS
def test_an_awakeable_is_resolved_by_a_handler(stack, tag: str, waiter: str) -> None:
    invocation, awakeable = awaiting(stack, waiter, tag)
    stack.client.call("Remote/resolve", {"id": awakeable, "value": 7})
    assert stack.client.attach(invocation) == {"value": 7}


def test_an_awakeable_is_rejected_by_a_handler(stack, tag: str) -> None:
    invocation, awakeable = awaiting(stack, "Waiter", tag)
    stack.client.call("Remote/reject", {"id": awakeable, "reason": "no"})
    assert stack.client.attach(invocation) == {"code": 500, "message": "no"}


def test_an_awakeable_is_completed_once(stack, tag: str) -> None:
    invocation, awakeable = awaiting(stack, "QuickWaiter", tag)
    stack.client.resolve(awakeable, "first")
    stack.client.resolve(awakeable, "second")
    assert stack.client.attach(invocation) == {"value": "first"}


@WAITERS
def test_a_signal_is_sent_by_a_handler(stack, waiter: str) -> None:
    invocation = stack.client.send(f"{waiter}/signal", "go")
    if waiter == "QuickWaiter":
        stack.client.wait_status(invocation, "suspended")
    stack.client.call("Remote/notify", {"invocation": invocation, "name": "other", "value": "wrong"})
    stack.client.call("Remote/notify", {"invocation": invocation, "name": "go", "value": "right"})
    assert stack.client.attach(invocation) == {"value": "right"}


def test_a_signal_is_a_failure(stack) -> None:
    invocation = stack.client.send("Waiter/signal", "go")
    stack.client.call("Remote/notify", {"invocation": invocation, "name": "go", "reason": "stop"})
    assert stack.client.attach(invocation) == {"code": 500, "message": "stop"}


CALLED = "SELECT id FROM sys_invocation WHERE invoked_by_id = '{id}' AND status = 'completed'"
NEVER = {"sleep": 3_600_000}
PARTS = [{"sleep": 80}, {"call": "called"}, {"run": "ran"}, {"fail": "failed"}]


def combined(stack: Any, waiter: str, tag: str, way: str, parts: list[dict[str, Any]]) -> Any:
    return stack.client.call(f"{waiter}/combine", {"tag": tag, "way": way, "parts": parts})


@WAITERS
@pytest.mark.sdk("python")
def test_gather(stack, tag: str, waiter: str) -> None:
    assert combined(stack, waiter, tag, "gather", PARTS) == [None, "called", "ran", "failed: failed"]


@WAITERS
@pytest.mark.sdk("python")
def test_select(stack, tag: str, waiter: str) -> None:
    assert combined(stack, waiter, tag, "select", [NEVER, {"call": "called"}]) == [1, "called"]
    assert combined(stack, waiter, tag, "select", [NEVER, {"awakeable": 1}, {"sleep": 80}]) == [2, None]


@WAITERS
@pytest.mark.sdk("python")
def test_as_completed(stack, tag: str, waiter: str) -> None:
    parts = [{"awakeable": 1}, {"call": "called"}]
    invocation = stack.client.send(f"{waiter}/combine", {"tag": tag, "way": "as_completed", "parts": parts})
    awakeable = stack.records.awakeable(tag)
    wait_for(lambda: stack.client.query(CALLED.replace("{id}", invocation)), "the call to be over")
    stack.client.resolve(awakeable, "resolved")
    assert stack.client.attach(invocation) == ["called", "resolved"]


@WAITERS
@pytest.mark.sdk("typescript")
def test_all(stack, tag: str, waiter: str) -> None:
    parts = [{"run": "ran"}, {"call": "called"}, {"call": [1, 2]}]
    assert combined(stack, waiter, tag, "all", parts) == ["ran", "called", [1, 2]]


@WAITERS
@pytest.mark.sdk("typescript")
def test_all_fails_with_the_first_failure(stack, tag: str, waiter: str) -> None:
    invocation = stack.client.send(
        f"{waiter}/combine", {"tag": tag, "way": "all", "parts": [NEVER, {"fail": "no way"}]}
    )
    assert "no way" in str(stack.client.failure(invocation))


@WAITERS
@pytest.mark.sdk("typescript")
def test_all_settled(stack, tag: str, waiter: str) -> None:
    parts = [{"call": "called"}, {"fail": "no way"}, {"run": "ran"}]
    assert combined(stack, waiter, tag, "allSettled", parts) == ["called", "failed: no way", "ran"]


@WAITERS
@pytest.mark.sdk("typescript")
def test_any_passes_over_failures(stack, tag: str, waiter: str) -> None:
    parts = [{"fail": "no way"}, {"call": "called"}, NEVER]
    assert combined(stack, waiter, tag, "any", parts) == "called"


@WAITERS
@pytest.mark.sdk("typescript")
def test_race(stack, tag: str, waiter: str) -> None:
    assert combined(stack, waiter, tag, "race", [NEVER, {"call": "called"}]) == "called"


@WAITERS
@pytest.mark.sdk("typescript")
def test_a_combination_of_combinations(stack, tag: str, waiter: str) -> None:
    parts = [NEVER, {"call": "first"}, {"call": "second"}, {"run": "third"}]
    assert combined(stack, waiter, tag, "nested", parts) == ["first", "second", "third"]


@WAITERS
@pytest.mark.sdk("typescript")
def test_a_wait_times_out(stack, tag: str, waiter: str) -> None:
    invocation = stack.client.send(f"{waiter}/combine", {"tag": tag, "way": "orTimeout", "parts": [NEVER]})
    assert stack.client.failure(invocation).status == 408


@WAITERS
def test_a_combination_is_completed_from_outside(stack, tag: str, waiter: str) -> None:
    way = "all" if stack.setup.sdk == "typescript" else "gather"
    invocation = stack.client.send(
        f"{waiter}/combine", {"tag": tag, "way": way, "parts": [{"awakeable": 1}, {"call": "called"}]}
    )
    awakeable = stack.records.awakeable(tag)
    if waiter == "QuickWaiter":
        stack.client.wait_status(invocation, "suspended")
    stack.client.resolve(awakeable, "resolved")
    assert stack.client.attach(invocation) == ["resolved", "called"]
