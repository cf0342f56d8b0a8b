"""Registering, changing and removing deployments."""

from typing import Any

import pytest

from perdure.model.actions import Refused

URI = "http://localhost:9080/"
OTHER = "http://localhost:9081/"


def revision(admin: Any, name: str) -> int:
    found: int = admin.request("GET", f"/services/{name}").json()["revision"]
    return found


def counter(admin: Any, **more: Any) -> dict[str, Any]:
    service: dict[str, Any] = admin.service("Counter", "VIRTUAL_OBJECT", admin.handler("add", "EXCLUSIVE"), **more)
    return service


def test_the_address_is_the_identity(admin: Any) -> None:
    first = admin.register(URI, counter(admin))
    assert first.status_code == 201
    assert first.headers["location"] == f"deployments/{first.json()['id']}"
    again = admin.request("POST", "/deployments", json={"uri": "HTTP://localhost:9080", "metadata": {"a": "b"}})
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert admin.discovery.asked == [URI]
    below = admin.register(URI + "sub/path", counter(admin))
    assert below.status_code == 201
    assert below.json()["id"] != first.json()["id"]
    assert revision(admin, "Counter") == 2


def test_force_discovers_again_under_the_same_id(admin: Any) -> None:
    first = admin.register(URI, counter(admin)).json()
    admin.request("PATCH", "/services/Counter", json={"public": False, "journal_retention": "1h"})
    again = admin.register(URI, counter(admin), force=True, additional_headers={"X-A": "b"})
    assert again.status_code == 200
    assert again.json()["id"] == first["id"]
    [service] = again.json()["services"]
    assert (service["revision"], service["public"], service["journal_retention"]) == (2, True, "1d")
    assert admin.request("GET", f"/deployments/{first['id']}").json()["additional_headers"] == {"x-a": "b"}


def test_version_2_forces_unless_told_otherwise(admin: Any) -> None:
    admin.register(URI, counter(admin))
    assert admin.request("POST", "/v2/deployments", json={"uri": URI}).status_code == 201
    assert revision(admin, "Counter") == 2
    refused = admin.request("POST", "/v2/deployments", json={"uri": URI, "force": False})
    assert refused.status_code == 409
    assert refused.json()["message"].startswith("Conflict: deployment dp_")


def test_a_dry_run_stores_nothing(admin: Any) -> None:
    admin.offer(URI, counter(admin))
    answer = admin.request("POST", "/deployments", json={"uri": URI, "dry_run": True})
    assert answer.status_code == 201
    assert answer.json()["services"][0]["revision"] == 1
    assert admin.request("GET", "/deployments").json() == {"deployments": []}


@pytest.mark.parametrize("allowed", [{"force": True}, {"breaking": True}])
def test_a_type_changes_only_on_demand(admin: Any, allowed: dict[str, bool]) -> None:
    admin.register(URI, counter(admin))
    changed = admin.service("Counter", "SERVICE", admin.handler("add"))
    refused = admin.register(OTHER, changed)
    assert (refused.status_code, refused.json()["restate_code"]) == (409, "META0006")
    assert admin.register(OTHER, changed, **allowed).status_code == 201


def test_handlers_and_services_may_disappear(admin: Any) -> None:
    admin.register(URI, counter(admin), admin.service("Other", "SERVICE"))
    admin.register(OTHER, admin.service("Counter", "VIRTUAL_OBJECT"))
    assert admin.request("GET", "/services/Counter/handlers").json() == {"handlers": []}
    assert admin.request("GET", "/services/Other").json()["revision"] == 1


def test_after_a_removal_the_newest_remaining_revision_counts(admin: Any) -> None:
    first = admin.register(URI, counter(admin)).json()["id"]
    second = admin.register(OTHER, counter(admin)).json()["id"]
    admin.gateway.answer = Refused(409, "2 invocations need it")
    refused = admin.request("DELETE", f"/deployments/{second}")
    assert (refused.status_code, refused.json()["message"]) == (409, "2 invocations need it")
    assert admin.request("DELETE", f"/deployments/{second}?force=true").status_code == 202
    service = admin.request("GET", "/services/Counter").json()
    assert (service["revision"], service["deployment_id"]) == (1, first)
    admin.register(OTHER, counter(admin))
    assert revision(admin, "Counter") == 2
    for deployment in admin.request("GET", "/deployments").json()["deployments"]:
        admin.request("DELETE", f"/deployments/{deployment['id']}?force=true")
    assert admin.request("GET", "/services/Counter").status_code == 404


def test_a_drained_one_goes_without_force(admin: Any) -> None:
    first = admin.register(URI, counter(admin)).json()["id"]
    assert admin.request("DELETE", f"/deployments/{first}").status_code == 202
    assert admin.request("DELETE", f"/deployments/{first}").status_code == 404


def test_an_update_moves_and_keeps_the_services(admin: Any) -> None:
    first = admin.register(URI, counter(admin)).json()["id"]
    admin.request("PATCH", "/services/Counter", json={"public": False})
    admin.offer(OTHER, admin.service("New", "SERVICE"))
    answer = admin.request("PATCH", f"/deployments/{first}", json={"uri": OTHER})
    assert answer.status_code == 200
    assert answer.json()["uri"] == OTHER
    assert [(service["name"], service["public"]) for service in answer.json()["services"]] == [("Counter", False)]


def test_an_update_with_overwrite_keeps_revisions(admin: Any) -> None:
    first = admin.register(URI, counter(admin)).json()["id"]
    admin.request("PATCH", "/services/Counter", json={"public": False})
    admin.offer(URI, counter(admin), admin.service("New", "SERVICE"))
    answer = admin.request("PATCH", f"/deployments/{first}", json={"overwrite": True})
    shown = [(service["name"], service["revision"], service["public"]) for service in answer.json()["services"]]
    assert shown == [("Counter", 1, True), ("New", 1, True)]


def test_an_update_of_nothing_asks_nobody(admin: Any) -> None:
    first = admin.register(URI, counter(admin)).json()["id"]
    admin.discovery.asked.clear()
    assert admin.request("PATCH", f"/deployments/{first}", json={}).status_code == 200
    assert admin.discovery.asked == []


def test_two_deployments_at_one_address_cannot_be_forced(admin: Any) -> None:
    first = admin.register(URI, counter(admin)).json()["id"]
    admin.register(OTHER, counter(admin))
    assert admin.request("PATCH", f"/deployments/{first}", json={"uri": OTHER}).status_code == 200
    refused = admin.request("POST", "/deployments", json={"uri": OTHER, "force": True})
    assert (refused.status_code, refused.json()["restate_code"]) == (409, "META0017")


def test_request_response_mode(admin: Any) -> None:
    service = admin.service("Temp", "SERVICE", admin.handler("nap"), inactivityTimeout=1000)
    admin.offer(URI, service, mode="REQUEST_RESPONSE")
    answer = admin.request("POST", "/deployments", json={"uri": URI, "use_http_11": True}).json()
    [shown] = answer["services"]
    assert shown["inactivity_timeout"] == "0s"
    assert [note["code"] for note in shown["info"]] == ["RT0021"]
    deployment = admin.request("GET", f"/deployments/{answer['id']}").json()
    assert (deployment["protocol_type"], deployment["http_version"]) == ("RequestResponse", "HTTP/1.1")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"uri": ""}, 422),
        ({"uri": "ftp://host/"}, 422),
        ({"uri": "http://"}, 422),
        ({"uri": "http://a b"}, 422),
        ({"uri": "http://[::1"}, 422),
        ({"uri": 5}, 422),
        ({"uri": "host:1"}, 400),
        ({"uri": URI, "additional_headers": {"a b": "c"}}, 422),
        ({"uri": URI, "additional_headers": {"a": "b\r\nc: d"}}, 422),
        ({"uri": URI, "auth": {"GoogleIdToken": {}}}, 501),
        ({"arn": "arn:aws:lambda:eu-central-1:000000000000:function:f:1"}, 501),
        ({"uri": URI}, 500),
    ],
)
def test_what_cannot_be_registered(admin: Any, body: dict[str, Any], status: int) -> None:
    answer = admin.request("POST", "/deployments", json=body)
    assert answer.status_code == status
    assert answer.text
