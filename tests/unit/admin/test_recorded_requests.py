"""Recorded requests get the recorded answers: status, kind of body, and the text of errors."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from perdure.model.actions import Done, Refused

PROBES: list[dict[str, Any]] = json.loads(
    Path(__file__).parents[2].joinpath("data", "admin-probes.json").read_text(encoding="utf-8")
)["probes"]
FIRST = "dp_154fpXvrc4hK6AQQsc6NaDf"
SECOND = "dp_15hr9ksgfiKjEZnnzjW6nq9"
# What depends on the deployments of another moment, or is deliberately different (Lambda, SQL answers).
APART = re.compile(
    r"q-.*|dep-post-lambda$|dep-(delete|http11).*|.*-full|dep-register-.*|vq-.*|del-latest|svc-.*logged.*|dep-register|dep-get-v1|dep-del-(noforce|false)"
)
GONE = re.compile(r"svc-patch-inactivity#[456]|svc-after-delete|resume-.*")
OWN_WORDS = re.compile(r"META0003|Failed to (parse|deserialize)")
# What depends on the code behind the endpoint, or on a setting changed before.
IGNORED = {"handlers", "_handlers_total", "documentation", "metadata", "info", "services", "additional_headers"}
IGNORED |= {"input_json_schema", "output_json_schema", "ty", "idempotency_retention", "journal_retention"}


def chosen() -> list[Any]:
    kept = [probe for probe in PROBES if not APART.fullmatch(probe["name"]) and not GONE.fullmatch(probe["name"])]
    return [pytest.param(probe, id=probe["name"]) for probe in kept if probe["response"]["status"] != 308]


@pytest.fixture
def server(make_admin: Any) -> Any:
    """Two deployments with the services of the recorded run, and endpoints with something wrong."""
    admin = make_admin()
    handler, service = admin.handler, admin.service
    services = [
        service("PrivateSvc", "SERVICE", handler("hello"), ingressPrivate=True),
        service("Flow", "WORKFLOW", handler("run", "WORKFLOW"), handler("approve", "SHARED")),
        service("Probe", "SERVICE", handler("greet")),
        service("Counter", "VIRTUAL_OBJECT", handler("add", "EXCLUSIVE", "integer")),
    ]
    admin.register("http://localhost:9080/", *services)
    admin.register("http://localhost:9081/", *services, service("ExtraV2", "SERVICE"))
    admin.offer("http://localhost:9090/", service("Probe", "SERVICE"))
    admin.offer("http://localhost:9091/", service("Counter", "SERVICE", handler("add")))
    admin.offer("http://localhost:9092/", service("restate_x", "SERVICE"))
    admin.offer("http://localhost:9093/")
    return admin


def settle(server: Any, text: str) -> str:
    """Ids of the recorded run become those of this one."""
    first, second = server.gateway.deployments
    return text.replace(FIRST, first).replace(SECOND, second)


@pytest.mark.parametrize("probe", chosen())
def test_a_recorded_request(server: Any, probe: dict[str, Any]) -> None:
    request, recorded = probe["request"], probe["response"]
    if request["path"].startswith("/invocations"):
        message = (recorded["body"] or {}).get("message", "") if isinstance(recorded["body"], dict) else ""
        refused = recorded["status"] >= 400
        server.gateway.answer = Refused(recorded["status"], message) if refused else Done(recorded["status"] == 200)
    body = request.get("body")
    content = None if body is None else body if isinstance(body, str) else json.dumps(body)
    path = settle(server, request["path"])
    answer = server.request(
        request["method"],
        path,
        content=None if content is None else settle(server, content),
        headers=request.get("headers") or {},
    )
    assert answer.status_code == recorded["status"], answer.text
    for name in ("allow", "content-type"):
        assert answer.headers.get(name) == recorded["headers"].get(name)
    compare_bodies(server, answer, recorded["body"])


def compare_bodies(server: Any, answer: Any, recorded: Any) -> None:
    if recorded is None:
        assert answer.content == b""
    elif isinstance(recorded, str):
        if not recorded.startswith("<see"):
            assert_same_text(answer.text, settle(server, recorded))
    elif "message" in recorded:
        assert_same_text(answer.json()["message"], settle(server, recorded["message"]))
        assert answer.json()["restate_code"] == recorded["restate_code"]
    else:
        assert_same_shape(answer.json(), recorded)


def assert_same_text(answered: str, recorded: str) -> None:
    """Reasons for failures outside are told in our own words, behind the recorded beginning."""
    found = OWN_WORDS.search(recorded)
    if found is None:
        assert answered == recorded
    else:
        assert recorded[: found.end()].replace("[META0003] ", "") in answered


def assert_same_shape(answered: Any, recorded: Any) -> None:
    if isinstance(recorded, dict):
        missing = recorded.keys() - answered.keys() - IGNORED
        assert not missing
        for name in recorded.keys() & answered.keys() - {"features"} - IGNORED | ({"services"} & recorded.keys()):
            assert_same_shape(answered[name], recorded[name])
    elif isinstance(recorded, list) and recorded and isinstance(recorded[0], dict):
        by_name = {item.get("name", item.get("id")): item for item in answered}
        for item in recorded:
            if item.get("name", item.get("id")) in by_name:
                assert_same_shape(by_name[item.get("name", item.get("id"))], item)
    else:
        assert type(answered) is type(recorded)
