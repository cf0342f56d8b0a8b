"""Requests and answers recorded from a compatible server: the same partition's answer must become the same response."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from perdure.model.actions import Accepted, AlreadyInvoked, Done, Finished
from perdure.model.invocation import Failure, HandlerKind, ServiceKind, Success, Target
from perdure.model.records import Invoke
from perdure.partition.gateway import NotReady

PROBES = json.loads((Path(__file__).parents[2] / "data" / "ingress-fixtures.json").read_text())

OWN_WORDING = {
    "ing-headers": "bad delay query parameter, must be a ISO8601 duration: ",
    "send-delay-num": "bad delay query parameter, must be a ISO8601 duration: ",
    "send-delay-bad": "bad delay query parameter, must be a ISO8601 duration: ",
    "send-delay-neg": "bad delay query parameter, must be a ISO8601 duration: ",
    "send-delay-month": "bad delay query parameter, must be a ISO8601 duration: ",
    "obj-badutf": "bad path, cannot decode key: ",
    "header-nonascii": "bad header x-a: ",
    "new-lookup-bad": "cannot read body: ",
    "new-attach-badbody": "cannot read body: ",
}
"""Details after a fixed start are in our own words."""

CLIENT_FAULT = {"new-lookup-bad", "new-attach-badbody"}
"""The recorded server blames itself (500) for a body that the client got wrong; we answer 400."""

OTHER_REGISTRY = {"private-now-public"}
"""Recorded after the service was made public."""


def request_body(probe: dict[str, Any]) -> bytes:
    body = probe["request"]["body"]
    if body is None or body == "":
        return b""
    content_type = {k.lower(): v for k, v in probe["request"]["headers"].items()}.get("content-type", "")
    if content_type.lower().startswith("application/json") and body not in ("{nope", "{", '"Bob"'):
        return json.dumps(body).encode()
    return body.encode()


def partition_answer(probe: dict[str, Any]) -> Any:
    """What the partition must have said for this recorded response."""
    response = probe["response"]
    status, headers, body = response["status"], response["headers"], response["body"]
    expires = headers.get("idempotency-expires")
    expires_at = round(datetime.fromisoformat(expires).timestamp() * 1000) if expires else None
    invocation_id = headers.get("x-restate-id", "")
    content_type = headers.get("content-type")

    def answer(method: str, asked: Any) -> Any:
        if method == "ask" and not isinstance(asked, Invoke):
            return Done()
        if method == "ask":
            when = body.get("executionTime")
            at = round(datetime.fromisoformat(when[:23] + "+00:00").timestamp() * 1000) if when else None
            return Accepted(invocation_id, body["status"] == "Accepted", at)
        if status == 470 and method == "output":
            return NotReady()
        if status == 404 and method in ("attach", "output"):
            return None
        if headers.get("x-restate-error-source") == "invocation":
            if "already invoked" in body["message"]:
                return AlreadyInvoked(invocation_id)
            metadata = tuple(body.get("metadata", {}).items())
            failure = Failure(body["code"], body["message"], metadata, body.get("stacktrace"))
            return Finished(invocation_id, failure, expires_at)
        raw = b"" if body is None else body.encode() if content_type == "text/plain" else json.dumps(body).encode()
        name = "raw" if content_type == "application/octet-stream" else "greet"
        target = Target("Probe", name, None, ServiceKind.SERVICE, HandlerKind.SERVICE)
        return Finished(invocation_id, Success(raw), expires_at, target)

    return answer


def without(headers: dict[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {k: v for k, v in headers.items() if k not in names}


@pytest.mark.parametrize("probe", [p for p in PROBES if p["name"] not in OTHER_REGISTRY], ids=lambda p: p["name"])
def test_recorded(probe: dict[str, Any], caller: Any) -> None:
    request, expected = probe["request"], probe["response"]
    caller.gateway.answer = partition_answer(probe)
    got = caller.request(request["method"], request["path"], request["headers"], request_body(probe))

    status = 400 if probe["name"] in CLIENT_FAULT else expected["status"]
    assert got.status == status, got
    on_all = ("content-length", "vary", "access-control-allow-credentials")
    assert without(got.headers, on_all) == without(expected["headers"], on_all)
    assert got.headers["vary"] == "origin, access-control-request-method, access-control-request-headers"
    assert got.headers["access-control-allow-credentials"] == "true"
    assert got.headers["content-length"] == str(len(got.body))
    if expected["headers"].get("x-restate-error-source"):
        if request["method"] != "HEAD":
            error = json.loads(got.body)
            assert list(error)[:2] == ["code", "message"]
            assert list(error)[-1] == "source"
            if probe["name"] in OWN_WORDING:
                assert error["message"].startswith(OWN_WORDING[probe["name"]])
            else:
                assert error == expected["body"]
    elif expected["headers"].get("content-type") == "application/json":
        assert json.loads(got.body) == expected["body"] or probe["name"] == "ing-health"


DERIVED = [
    p
    for p in PROBES
    if p["response"]["headers"].get("x-restate-id")
    and p["name"] not in OTHER_REGISTRY
    and (
        (p["request"]["headers"].get("idempotency-key") is not None)
        or ("/run" in p["request"]["path"] and p["request"]["path"].startswith("/Flow/"))
    )
]


@pytest.mark.parametrize("probe", DERIVED, ids=lambda p: p["name"])
def test_derived_ids_are_the_recorded_ones(probe: dict[str, Any], caller: Any) -> None:
    request = probe["request"]
    caller.gateway.answer = partition_answer(probe)
    caller.request(request["method"], request["path"], request["headers"], request_body(probe))
    assert caller.gateway.invoke.id == probe["response"]["headers"]["x-restate-id"]
    assert caller.gateway.invoke.may_exist


ASKED = [
    p
    for p in PROBES
    if p["request"]["method"] == "GET"
    and p["response"]["headers"].get("x-restate-id")
    and "/restate/" in p["request"]["path"]
]


@pytest.mark.parametrize("probe", ASKED, ids=lambda p: p["name"])
def test_attach_and_output_ask_for_the_recorded_id(probe: dict[str, Any], caller: Any) -> None:
    caller.gateway.answer = partition_answer(probe)
    caller.request("GET", probe["request"]["path"])
    ((method, invocation_id),) = caller.gateway.asked
    assert invocation_id == probe["response"]["headers"]["x-restate-id"]
    assert method in probe["request"]["path"]
