"""Answering what invocations wait for on the admin API: awakeables, signals, promises."""

from typing import Any

import pytest

from perdure.ids import awakeable_id, decode_awakeable_id, decode_invocation_id
from perdure.model.actions import Refused
from perdure.model.invocation import Failure, Outcome, Success
from perdure.model.records import CompletePromise, CompleteSignal

INVOCATION = "inv_1g1KG8igX0QD2KcEv0Nf2ulzDJ01D32oAs"
JSON = {"content-type": "application/json"}
ID = awakeable_id(decode_invocation_id(INVOCATION), 17)


@pytest.mark.parametrize(
    ("verb", "body", "outcome"),
    [
        ("resolve", b'{"value": {"n": 12345678901234567890}}', Success(b'{"n": 12345678901234567890}')),
        ("resolve", b'{"value": null}', Success(b"null")),
        ("reject", b'{"message": "no"}', Failure(500, "no")),
    ],
)
def test_it_is_completed_with_what_was_sent(admin: Any, verb: str, body: bytes, outcome: Outcome) -> None:
    answer = admin.request("POST", f"/awakeables/{ID}/{verb}", content=body, headers=JSON)
    assert (answer.status_code, answer.content) == (202, b"")
    assert decode_awakeable_id(ID) == (INVOCATION, 17)
    expected = CompleteSignal(1, id=INVOCATION, signal_id=17, signal_name=None, outcome=outcome)
    assert admin.gateway.records == [expected]


@pytest.mark.parametrize(("verb", "body"), [("resolve", {"message": "no"}), ("reject", {"value": 1}), ("reject", {})])
def test_a_body_of_another_shape_is_refused(admin: Any, verb: str, body: Any) -> None:
    assert admin.request("POST", f"/awakeables/{ID}/{verb}", json=body).status_code == 422
    assert admin.gateway.records == []


def test_an_id_that_is_none_is_refused(admin: Any) -> None:
    answer = admin.request("POST", "/awakeables/sign_1x/resolve", json={"value": 1})
    assert answer.status_code == 400
    assert "awakeable_id" in answer.json()["message"]
    assert admin.gateway.records == []


OUTCOMES = [
    ("resolve", b'"value": 1.50', Success(b"1.50")),
    ("resolve", b'"value": null', Success(b"null")),
    ("reject", b'"message": "no"', Failure(500, "no")),
]


@pytest.mark.parametrize(("verb", "field", "outcome"), OUTCOMES)
def test_a_signal_is_sent_with_what_was_told(admin: Any, verb: str, field: bytes, outcome: Outcome) -> None:
    body = b'{"name": "go/on", ' + field + b"}"
    answer = admin.request("POST", f"/invocations/{INVOCATION}/signals/{verb}", content=body, headers=JSON)
    assert (answer.status_code, answer.content) == (202, b"")
    expected = CompleteSignal(1, id=INVOCATION, signal_id=None, signal_name="go/on", outcome=outcome)
    assert admin.gateway.records == [expected]


@pytest.mark.parametrize(("verb", "field", "outcome"), OUTCOMES)
def test_a_promise_of_a_workflow_is_completed(admin: Any, verb: str, field: bytes, outcome: Outcome) -> None:
    admin.register("http://localhost:9080/", admin.service("Flow", "WORKFLOW", admin.handler("run", "WORKFLOW")))
    body = b'{"key": "", "name": "paid", ' + field + b"}"
    answer = admin.request("POST", f"/services/Flow/promises/{verb}", content=body, headers=JSON)
    assert (answer.status_code, answer.content) == (200, b"")
    assert admin.gateway.records == [CompletePromise(1, service="Flow", key="", name="paid", outcome=outcome)]
    admin.gateway.answer = Refused(409, "promise was already completed")
    again = admin.request("POST", f"/services/Flow/promises/{verb}", content=body, headers=JSON)
    assert (again.status_code, again.json()["message"]) == (409, "promise was already completed")


def test_only_workflows_have_promises(admin: Any) -> None:
    admin.register("http://localhost:9080/", admin.service("Plain", "SERVICE", admin.handler("run")))
    body = {"key": "k", "name": "paid", "value": 1}
    assert admin.request("POST", "/services/Plain/promises/resolve", json=body).status_code == 400
    assert admin.request("POST", "/services/Nothing/promises/resolve", json=body).status_code == 404
    assert admin.gateway.records == []


@pytest.mark.parametrize("path", [f"/invocations/{INVOCATION}/signals", "/services/Flow/promises"])
def test_an_answer_without_a_name_is_refused(admin: Any, path: str) -> None:
    assert admin.request("POST", f"{path}/resolve", json={"value": 1}).status_code == 422
    assert admin.gateway.records == []


def test_a_signal_to_what_is_no_invocation_is_refused(admin: Any) -> None:
    answer = admin.request("POST", "/invocations/inv_1x/signals/resolve", json={"name": "go", "value": 1})
    assert answer.status_code == 400
    assert admin.gateway.records == []


@pytest.mark.parametrize(
    "path", [f"/awakeables/{ID}/resolve", f"/invocations/{INVOCATION}/signals/resolve", "/services/F/promises/resolve"]
)
def test_a_foreign_page_answers_nothing(admin: Any, path: str) -> None:
    headers = {"origin": "http://elsewhere.example", "sec-fetch-site": "cross-site"}
    assert admin.request("POST", path, json={"value": 1}, headers=headers).status_code == 403
