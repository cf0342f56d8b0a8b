"""Completing awakeables on the admin API: the same record as on the ingress."""

from typing import Any

import pytest

from perdure.ids import awakeable_id, decode_awakeable_id, decode_invocation_id
from perdure.model.invocation import Failure, Outcome, Success
from perdure.model.records import CompleteSignal

INVOCATION = "inv_1g1KG8igX0QD2KcEv0Nf2ulzDJ01D32oAs"
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
    headers = {"content-type": "application/json"}
    answer = admin.request("POST", f"/awakeables/{ID}/{verb}", content=body, headers=headers)
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
