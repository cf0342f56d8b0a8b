"""Paths in, routes out."""

from collections.abc import Mapping
from typing import Any

import pytest

from perdure.ingress.paths import (
    BAD_AWAKEABLE,
    BAD_CALL,
    BAD_INVOCATION,
    BAD_RESTATE,
    BAD_WORKFLOW,
    ByBody,
    ById,
    ByIdempotencyKey,
    ByWorkflow,
    Call,
    CompleteAwakeable,
    Health,
    parse,
)
from perdure.ingress.responses import IngressError
from perdure.model.registry import Service


@pytest.fixture
def services(caller: Any) -> Mapping[str, Service]:
    found: Mapping[str, Service] = caller.gateway.registry.services
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Probe/greet", ("Probe", None, "greet", True)),
        ("/Probe/greet/", ("Probe", None, "greet", True)),
        ("//Probe/greet", ("Probe", None, "greet", True)),
        ("/Probe/greet///", ("Probe", None, "greet", True)),
        ("/Counter/k/add/send//", ("Counter", "k", "add", False)),
        ("/Probe/greet/send", ("Probe", None, "greet", False)),
        ("/Probe/send", ("Probe", None, "send", True)),
        ("/Probe/send/send", ("Probe", None, "send", False)),
        ("/Counter/k/add", ("Counter", "k", "add", True)),
        ("/Counter/k/add/send", ("Counter", "k", "add", False)),
        ("/Counter//add", ("Counter", "", "add", True)),
        ("/Counter/a%20b%2Fc/add", ("Counter", "a b/c", "add", True)),
        ("/Counter/a+b/add", ("Counter", "a+b", "add", True)),
        ("/Counter/%25/add", ("Counter", "%", "add", True)),
        ("/Counter/%zz/add", ("Counter", "%zz", "add", True)),
        ("/Counter/ü%E2%98%83/add", ("Counter", "ü☃", "add", True)),
        ("/Probe/%67reet", ("Probe", None, "%67reet", True)),
        ("/restate/call/Probe/greet", ("Probe", None, "greet", True)),
        ("/restate/send/Counter/k/add", ("Counter", "k", "add", False)),
    ],
)
def test_calls(path: str, expected: tuple[Any, ...], services: Mapping[str, Service]) -> None:
    route = parse(path, services)
    assert isinstance(route, Call)
    assert (route.service.name, route.key, route.handler, route.wait) == expected
    assert route.scope is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/restate/invocation/inv_1/attach", ById("inv_1", True)),
        ("/restate/invocation/inv_1/output", ById("inv_1", False)),
        ("/restate/attach/inv_1", ById("inv_1", True)),
        ("/restate/output/inv_1", ById("inv_1", False)),
        ("/restate/invocation/Probe/greet/i%20d/attach", ByIdempotencyKey("Probe", None, "greet", "i%20d", True)),
        ("/restate/invocation/Counter/k%2F/add/id/output", ByIdempotencyKey("Counter", "k/", "add", "id", False)),
        ("/restate/workflow/Flow/w%201/attach", ByWorkflow("Flow", "w 1", True)),
        ("/restate/workflow/Unknown/w/output", ByWorkflow("Unknown", "w", False)),
        ("/restate/attach", ByBody("attach")),
        ("/restate/output/", ByBody("output")),
        ("/restate/lookup", ByBody("lookup")),
        ("/restate/awakeables/sign_1/resolve", CompleteAwakeable("sign_1", True)),
        ("/restate/a/sign_1/reject", CompleteAwakeable("sign_1", False)),
        ("/restate/health", Health()),
    ],
)
def test_the_rest(path: str, expected: object, services: Mapping[str, Service]) -> None:
    assert parse(path, services) == expected


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/", 400, "bad path: /"),
        ("//", 400, "bad path: /"),
        ("/Probe", 400, "bad path: /Probe"),
        ("/Probe/", 400, "bad path: /Probe"),
        ("/openapi", 400, "bad path: /openapi"),
        ("/openapi/x", 404, "not found"),
        ("/a/b/c/d/e/f/g/h", 400, "bad path: /a/b/c/d/e/f/g/h"),
        ("/Probe/greet/extra", 400, BAD_CALL),
        ("/Probe/greet/send/extra", 400, BAD_CALL),
        ("/Counter/add", 400, BAD_CALL),
        ("/Counter/key/add/extra/parts", 400, BAD_CALL),
        ("/probe/greet", 404, "service 'probe' not found, make sure to register the service before calling it."),
        ("/%50robe/x", 404, "service '%50robe' not found, make sure to register the service before calling it."),
        ("/Counter/%ff/add", 400, "bad path, cannot decode key: invalid start byte at byte 0"),
        ("/restate/unknown", 404, "not found"),
        ("/restate/nonsense/x", 404, "not found"),
        ("/restate/health/x", 404, "not found"),
        ("/restate/call/Probe", 400, BAD_RESTATE),
        ("/restate/call/Probe/greet/x", 400, BAD_RESTATE),
        ("/restate/call/Counter/add", 400, BAD_RESTATE),
        ("/restate/send/Counter/k/add/x", 400, BAD_RESTATE),
        ("/restate/scope/s/call/Probe", 400, BAD_RESTATE),
        ("/restate/scope/s/nonsense/Probe/greet", 400, BAD_RESTATE),
        ("/restate/lookup/x", 400, BAD_RESTATE),
        ("/restate/attach/a/b", 400, BAD_RESTATE),
        ("/restate/invocation", 400, BAD_INVOCATION),
        ("/restate/invocation/xyz", 400, BAD_INVOCATION),
        ("/restate/invocation/Probe/greet/id", 400, BAD_INVOCATION),
        ("/restate/invocation/Counter/k/add/o1", 400, BAD_INVOCATION),
        ("/restate/invocation/inv_1/foo", 404, "not found"),
        ("/restate/workflow/Flow/w1", 400, BAD_WORKFLOW),
        ("/restate/workflow/Flow/w1/x/y", 400, BAD_WORKFLOW),
        ("/restate/workflow/Flow/w1/foo", 404, "not found"),
        ("/restate/awakeables/x", 400, BAD_AWAKEABLE),
        ("/restate/a/x/resolve/y", 400, BAD_AWAKEABLE),
        ("/restate/a/x/explode", 404, "not found"),
    ],
)
def test_refused(path: str, status: int, message: str, services: Mapping[str, Service]) -> None:
    with pytest.raises(IngressError) as error:
        parse(path, services)
    assert (error.value.status, error.value.message) == (status, message)


def test_scopes_are_decoded_and_checked(services: Mapping[str, Service]) -> None:
    route = parse("/restate/scope/s%2E1/call/Counter/k/add", services)
    assert isinstance(route, Call)
    assert route.scope == "s.1"
    for bad in ("a%20b", "", "x" * 37, "%ff"):
        with pytest.raises(IngressError) as error:
            parse(f"/restate/scope/{bad}/send/Probe/greet", services)
        assert error.value.status == 400
