"""Starting an invocation on the admin API: the ingress does it, under its own checks."""

from typing import Any

import pytest

from perdure.ids import idempotent_invocation_id
from perdure.model.actions import Accepted
from perdure.model.records import Invoke

JSON = {"content-type": "application/json"}
ENDPOINT = "http://localhost:9080/"


@pytest.fixture
def registered(admin: Any) -> Any:
    """Knows `Plain/run` and `Cart/add`."""
    plain = admin.service("Plain", "SERVICE", admin.handler("run"))
    cart = admin.service("Cart", "VIRTUAL_OBJECT", admin.handler("add", "EXCLUSIVE"))
    admin.register(ENDPOINT, plain, cart)
    admin.gateway.answer = Accepted("inv_1", True, None)
    return admin


def sent(admin: Any) -> Invoke:
    [record] = admin.gateway.records
    assert isinstance(record, Invoke)
    return record


def test_a_send_is_answered_with_its_id(registered: Any) -> None:
    answer = registered.request("POST", "/services/Plain/handlers/run/send", content=b'"tea"', headers=JSON)
    assert (answer.status_code, answer.json()) == (202, {"invocationId": "inv_1", "status": "Accepted"})
    record = sent(registered)
    assert (record.target.service, record.target.handler, record.target.key) == ("Plain", "run", None)
    assert b'"tea"' in record.input
    assert not record.wait


@pytest.mark.parametrize("key", ["anna", "", "a/b?c=d", "\u05d0 %41"])
def test_a_key_is_taken_as_it_is(registered: Any, key: str) -> None:
    registered.request("POST", "/services/Cart/handlers/add/send", params={"key": key}, content=b"1", headers=JSON)
    assert sent(registered).target.key == key


def test_a_delay_and_an_idempotency_key_are_passed_on(registered: Any) -> None:
    headers = {**JSON, "idempotency-key": "once", "cookie": "secret"}
    path = "/services/Plain/handlers/run/send?delay=1 hour"
    registered.request("POST", path, content=b"1", headers=headers)
    record = sent(registered)
    assert record.id == idempotent_invocation_id("Plain", "run", "once", None)
    assert record.execution_time is not None
    assert b"secret" not in record.input


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/services/Nothing/handlers/run/send", 404, "Nothing"),
        ("/services/Plain/handlers/walk/send", 404, "walk"),
        ("/services/Cart/handlers/add/send", 400, "key: missing"),
        ("/services/Plain/handlers/run/send?key=k", 400, "has no keys"),
        ("/services/Plain/handlers/run/send?delay=soon", 400, "delay"),
    ],
)
def test_what_cannot_be_sent_is_refused(registered: Any, path: str, status: int, told: str) -> None:
    answer = registered.request("POST", path, content=b"1", headers=JSON)
    assert answer.status_code == status
    assert told in answer.text
    assert registered.gateway.records == []


def test_the_rules_of_the_handler_hold(registered: Any) -> None:
    headers = {"content-type": "text/plain"}
    answer = registered.request("POST", "/services/Plain/handlers/run/send", content=b"tea", headers=headers)
    assert answer.status_code == 400
    assert "does not match" in answer.json()["message"]
    registered.request("PATCH", "/services/Plain", json={"public": False})
    answer = registered.request("POST", "/services/Plain/handlers/run/send", content=b"1", headers=JSON)
    assert answer.json()["message"] == "the invoked service is not public"
    assert registered.gateway.records == []


def test_a_foreign_page_sends_nothing(registered: Any) -> None:
    headers = {**JSON, "origin": "http://elsewhere.example", "sec-fetch-site": "cross-site"}
    answer = registered.request("POST", "/services/Plain/handlers/run/send", content=b"1", headers=headers)
    assert answer.status_code == 403
    assert registered.gateway.records == []
