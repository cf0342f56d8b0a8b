"""Virtual objects and workflows: order, state, promises."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.client import wait_for

LEDGERS = pytest.mark.parametrize("ledger", ["Ledger", "LazyLedger"])


def test_a_counter_loses_nothing(stack, tag: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        totals = list(pool.map(lambda _: stack.client.call(f"Ledger/{tag}/add", 1), range(24)))
    assert sorted(totals) == list(range(1, 25))


def test_calls_of_one_key_run_one_after_the_other_in_order(stack, tag: str) -> None:
    items = [str(i) for i in range(12)]
    sent = [stack.client.send(f"Ledger/{tag}/append", {"tag": tag, "item": item}) for item in items]
    stack.client.attach(sent[-1])
    assert stack.client.call(f"Ledger/{tag}/read", "items") == items
    assert stack.records.lines(tag) == [f"{turn} {item}" for item in items for turn in ("enter", "leave")]


def test_another_key_does_not_wait(stack, tag: str) -> None:
    invocation = stack.client.send("Waiter/awakeable", tag)
    awakeable = stack.records.awakeable(tag)
    assert stack.client.call(f"Ledger/{tag}/add", 1) == 1
    stack.client.resolve(awakeable, None)
    assert stack.client.attach(invocation) == {"value": None}


@LEDGERS
def test_state_is_kept_between_invocations(stack, tag: str, ledger: str) -> None:
    stack.client.call(f"{ledger}/{tag}/put", {"a": 1, "b": {"c": [None]}, "d": "x" * 1000})
    assert stack.client.call(f"{ledger}/{tag}/keys") == ["a", "b", "d"]
    assert stack.client.call(f"{ledger}/{tag}/read", "b") == {"c": [None]}
    assert stack.client.call(f"{ledger}/{tag}/read", "nothing") is None
    assert stack.client.call(f"{ledger}/other-{tag}/keys") == []


@LEDGERS
def test_state_is_cleared_by_key_and_as_a_whole(stack, tag: str, ledger: str) -> None:
    stack.client.call(f"{ledger}/{tag}/put", {"a": 1, "b": 2, "c": 3})
    stack.client.call(f"{ledger}/{tag}/drop", "b")
    assert stack.client.call(f"{ledger}/{tag}/keys") == ["a", "c"]
    stack.client.call(f"{ledger}/{tag}/wipe")
    assert stack.client.call(f"{ledger}/{tag}/keys") == []


@LEDGERS
def test_an_invocation_sees_its_own_writes(stack, tag: str, ledger: str) -> None:
    stack.client.call(f"{ledger}/{tag}/put", {"b": "before"})
    assert stack.client.call(f"{ledger}/{tag}/tour") == [None, 1, None, [1, 2], None]
    assert stack.client.call(f"{ledger}/{tag}/keys") == ["c"]


def test_big_state(stack, tag: str) -> None:
    value = "x" * 1024 * 1024
    stack.client.call(f"Ledger/{tag}/put", {"big": value})
    assert stack.client.call(f"Ledger/{tag}/read", "big") == value


def test_a_handler_calls_an_object(stack, tag: str) -> None:
    assert stack.client.call("Remote/count", {"key": tag, "amounts": [1, 2, 3]}) == [1, 3, 6]


def test_a_workflow_waits_for_its_promise(stack, tag: str) -> None:
    invocation = stack.client.send(f"Approval/{tag}/run", tag)
    wait_for(lambda: stack.client.call(f"Approval/{tag}/stage") == "waiting", "the workflow to wait")
    assert stack.client.call(f"Approval/{tag}/peek") is None
    stack.client.call(f"Approval/{tag}/decide", "yes")
    assert stack.client.attach(invocation) == {"key": tag, "decision": "yes"}
    assert stack.client.call(f"Approval/{tag}/peek") == "yes"
    assert stack.client.call(f"Approval/{tag}/stage") == "decided"
    assert stack.client.get(f"restate/workflow/Approval/{tag}/output").json()["decision"] == "yes"


def test_a_workflow_runs_once(stack, tag: str) -> None:
    stack.client.call(f"Approval/{tag}/decide", "early")
    first = stack.client.send(f"Approval/{tag}/run", tag)
    assert stack.client.send(f"Approval/{tag}/run", tag) == first
    assert stack.client.attach(first)["decision"] == "early"
    again = stack.client.post(f"Approval/{tag}/run", tag)
    assert (again.status_code, again.headers["x-restate-id"]) == (409, first)
    assert stack.records.lines(tag) == ["notified"]


def test_a_promise_is_rejected(stack, tag: str) -> None:
    invocation = stack.client.send(f"Approval/{tag}/run", tag)
    stack.client.call(f"Approval/{tag}/refuse", "not today")
    assert "not today" in str(stack.client.failure(invocation))


def test_a_promise_is_completed_once(stack, tag: str) -> None:
    stack.client.call(f"Approval/{tag}/decide", "yes")
    assert stack.client.post(f"Approval/{tag}/decide", "no").status_code == 409
    assert stack.client.call(f"Approval/{tag}/peek") == "yes"
