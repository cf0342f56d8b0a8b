"""Calls: results, failures, retries of steps and of handlers, payloads, idempotency, attach."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.client import CallFailed, wait_for

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize("value", ["text", 0, None, [1, 2.5, "ü"], {"deep": {"er": [True, None]}}])
def test_a_value_goes_in_and_out(stack, value: Any) -> None:
    assert stack.client.call("Echo/echo", value) == value


def test_server_and_sdk_agree_upon_the_version(stack) -> None:
    row = stack.client.invocation(stack.client.post("Echo/about").headers["x-restate-id"])
    assert row["pinned_service_protocol_version"] == stack.setup.protocol


def test_a_handler_sees_its_id_and_the_callers_headers(stack) -> None:
    response = stack.client.post("Echo/about")
    seen = response.json()
    assert seen["id"] == response.headers["x-restate-id"]
    assert seen["headers"]["x-restate-ingress-path"] == "/Echo/about"


@pytest.mark.parametrize("size", [1 * MEBIBYTE, 8 * MEBIBYTE])
def test_a_big_value_goes_in_and_out(stack, size: int) -> None:
    value = "x" * size
    assert stack.client.call("Echo/echo", value) == value


def test_a_big_result_of_a_step_is_kept(stack) -> None:
    assert stack.client.call("Echo/journaled", MEBIBYTE) == MEBIBYTE


def test_a_terminal_error_reaches_the_caller_with_its_metadata(stack) -> None:
    wanted: dict[str, Any] = {"message": "out of stock", "code": 418}
    if stack.setup.protocol > 5:  # before, failures had none
        wanted["metadata"] = {"item": "teapot"}
    response = stack.client.post("Echo/fail", wanted)
    assert response.status_code == 418
    assert response.json() == {**wanted, "source": "invocation"}


def test_steps_run_once_and_in_order(stack, tag: str) -> None:
    assert stack.client.call("Steps/run", {"tag": tag, "count": 5}) == [f"result {i}" for i in range(5)]
    assert stack.records.lines(tag) == [f"step {i}" for i in range(5)]


def test_many_steps(stack, tag: str) -> None:
    assert len(stack.client.call("Steps/run", {"tag": tag, "count": 60})) == 60
    assert len(stack.records.lines(tag)) == 60


def test_a_finished_step_is_not_repeated_when_the_handler_fails_after_it(stack, tag: str) -> None:
    assert stack.client.call("Steps/interrupted", {"tag": tag, "failures": 2}) == ["first", "second"]
    assert [line for line in stack.records.lines(tag) if line != "attempt"] == ["first", "second"]
    assert stack.records.lines(tag).count("attempt") >= 3


def test_a_failing_step_is_tried_until_it_succeeds(stack, tag: str) -> None:
    assert stack.client.call("Steps/flaky", {"tag": tag, "failures": 3}) == "went well"
    assert stack.records.lines(tag) == ["tried"] * 4


def test_a_failing_step_gives_up_after_its_attempts(stack, tag: str) -> None:
    outcome = stack.client.call("Steps/flaky", {"tag": tag, "failures": 100, "attempts": 3})
    assert outcome["code"] == 500
    assert "the run fails on purpose" in outcome["message"]
    assert stack.records.lines(tag) == ["tried"] * 3


def test_a_terminal_error_of_a_step_is_not_retried(stack, tag: str) -> None:
    assert stack.client.call("Steps/refused", tag) == {"code": 404, "message": "no such thing"}
    assert stack.records.lines(tag) == ["tried"]


def test_random_values_and_the_time_are_the_same_in_every_attempt(stack, tag: str) -> None:
    drawn = stack.client.call("Steps/dice", tag)
    assert [line for line in stack.records.lines(tag) if line != "attempt"] == [drawn, drawn]


def test_a_handler_that_uses_up_its_attempts_is_killed(stack, tag: str) -> None:
    response = stack.client.post("KilledWhenBroken/work", {"tag": tag, "failures": 100})
    assert response.status_code == 500
    assert "broken on purpose" in response.json()["message"]
    assert stack.records.lines(tag) == ["attempt"] * 2


def test_a_handler_that_uses_up_its_attempts_is_paused_and_resumed(stack, tag: str) -> None:
    invocation = stack.client.send("PausedWhenBroken/work", {"tag": tag, "failures": 2})
    stack.client.wait_status(invocation, "paused")
    stack.client.operate(invocation, "resume")
    assert stack.client.attach(invocation) == 3


def test_a_repeated_call_with_an_idempotency_key_gives_the_first_result(stack, tag: str) -> None:
    calls = [stack.client.post("Steps/run", {"tag": tag, "count": 1}, idempotency_key=tag) for _ in range(3)]
    assert [call.json() for call in calls] == [["result 0"]] * 3
    assert len({call.headers["x-restate-id"] for call in calls}) == 1
    assert stack.records.lines(tag) == ["step 0"]


def test_calls_at_once_with_an_idempotency_key_run_once(stack, tag: str) -> None:
    def call(_: int) -> Any:
        return stack.client.call("Steps/run", {"tag": tag, "count": 2}, idempotency_key=tag)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(call, range(8)))
    assert results == [["result 0", "result 1"]] * 8
    assert stack.records.lines(tag) == ["step 0", "step 1"]


def test_a_handler_calls_with_an_idempotency_key(stack, tag: str) -> None:
    first_id, first, second_id, second = stack.client.call("Remote/twice", {"tag": tag, "key": tag})
    assert (first_id, first) == (second_id, second)
    assert stack.records.lines(tag) == ["step 0"]


def test_a_result_is_read_again_by_its_id(stack, tag: str) -> None:
    invocation = stack.client.send("Steps/run", {"tag": tag, "count": 1})
    assert stack.client.attach(invocation) == ["result 0"]
    assert stack.client.get(f"restate/invocation/{invocation}/output").json() == ["result 0"]


def test_a_handler_attaches_to_an_invocation(stack, tag: str) -> None:
    good = stack.client.send("Steps/run", {"tag": tag, "count": 1})
    bad = stack.client.send("Echo/fail", {"message": "no luck", "code": 400})
    assert stack.client.call("Remote/attach", good) == ["result 0"]
    assert stack.client.call("Remote/attach", bad) == "failed: no luck"


def test_a_handler_attaches_while_the_other_one_still_waits(stack, tag: str) -> None:
    waiting = stack.client.send("Waiter/awakeable", tag)
    awakeable = stack.records.awakeable(tag)
    attached = stack.client.send("Remote/attach", waiting)
    wait_for(lambda: "pinned_deployment_id" in stack.client.invocation(attached), "the attach to be recorded")
    stack.client.resolve(awakeable, "done")
    assert stack.client.attach(attached) == {"value": "done"}


def test_a_private_service_is_for_handlers_only(stack) -> None:
    with pytest.raises(CallFailed, match="not public"):
        stack.client.call("Hidden/greet", "stranger")
    assert stack.client.call("Remote/ask", "friend") == "hello friend"


def test_many_calls_at_once(stack) -> None:
    assert stack.client.call("Remote/fan", 40) == sum(range(40))


def test_many_callers_at_once(stack) -> None:
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda i: stack.client.call("Echo/echo", i), range(80))) == list(range(80))
