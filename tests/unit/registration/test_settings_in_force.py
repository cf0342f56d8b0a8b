"""Which setting is in force when manifest, operator and server each say something."""

from typing import Any

import msgspec
import pytest

from perdure.model.invocation import HandlerKind, ServiceKind
from perdure.model.registry import (
    Defaults,
    Deployment,
    Handler,
    InputRules,
    OnMaxAttempts,
    OutputRules,
    RetryPolicy,
    Service,
    ServiceSettings,
)
from perdure.registration.services import build_registry

HOUR = 3_600_000


def deployment(*services: dict[str, Any], bidirectional: bool = True, revision: int = 1, number: int = 1) -> Deployment:
    mode = "BIDI_STREAM" if bidirectional else "REQUEST_RESPONSE"
    manifest = {"protocolMode": mode, "minProtocolVersion": 5, "maxProtocolVersion": 7, "services": services}
    return Deployment(
        id=f"dp_{number}",
        uri=f"http://host:{number}/",
        bidirectional=bidirectional,
        http_version="HTTP/2.0",
        min_version=5,
        max_version=7,
        sdk_version=None,
        created_at=number,
        manifest=msgspec.json.encode(manifest),
        revisions={service["name"]: revision for service in services},
    )


def built(
    service: dict[str, Any],
    settings: ServiceSettings | None = None,
    defaults: Defaults | None = None,
    *,
    bidirectional: bool = True,
) -> Service:
    changes = {} if settings is None else {service["name"]: settings}
    stored = deployment(service, bidirectional=bidirectional)
    return build_registry([stored], changes, defaults or Defaults()).services[service["name"]]


def only_handler(service: Service) -> Handler:
    [handler] = service.handlers.values()
    return handler


def one(ty: str, *handlers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "S", "ty": ty, "handlers": list(handlers), **more}


def test_the_server_speaks_last() -> None:
    handler = only_handler(built(one("SERVICE", {"name": "h"})))
    assert handler == Handler(
        name="h",
        kind=HandlerKind.SERVICE,
        public=True,
        input=InputRules(required=False, content_type="*/*", json=False),
        output=OutputRules(content_type="application/json", set_if_empty=False),
        inactivity_timeout=60_000,
        abort_timeout=600_000,
        lazy_state=False,
        completion_retention=24 * HOUR,
        journal_retention=24 * HOUR,
        retry_policy=RetryPolicy(),
    )


def test_handler_before_operator_before_service() -> None:
    said = {"journalRetention": 1, "idempotencyRetention": 2, "inactivityTimeout": 3, "abortTimeout": 4}
    changes = ServiceSettings(journal_retention=10, idempotency_retention=20, inactivity_timeout=30, abort_timeout=40)
    plain = {"name": "plain"}
    own = {"name": "own", "journalRetention": 100, "abortTimeout": 400, "enableLazyState": True}
    service = built(one("SERVICE", plain, own, **said), changes)
    assert service.settings.journal_retention == 10
    assert service.handlers["plain"].journal_retention == 10
    assert service.handlers["plain"].completion_retention == 20
    assert service.handlers["plain"].inactivity_timeout == 30
    assert service.handlers["own"].journal_retention == 100
    assert service.handlers["own"].abort_timeout == 400
    assert service.handlers["own"].lazy_state
    assert service.handlers["own"].description.overrides.journal_retention == 100
    assert service.handlers["own"].description.overrides.idempotency_retention is None


@pytest.mark.parametrize(
    ("private", "handler_private", "operator", "expected"),
    [
        (None, None, None, True),
        (True, None, None, False),
        (None, True, None, False),
        (True, None, True, True),
        (None, True, True, True),
        (None, None, False, False),
    ],
)
def test_who_may_call(
    private: bool | None, handler_private: bool | None, operator: bool | None, expected: bool
) -> None:
    handler = {"name": "h", "ingressPrivate": handler_private}
    service = built(one("SERVICE", handler, ingressPrivate=private), ServiceSettings(public=operator))
    assert only_handler(service).public is expected


@pytest.mark.parametrize(
    ("ty", "handler_ty", "kind"),
    [
        ("SERVICE", None, HandlerKind.SERVICE),
        ("SERVICE", "SHARED", HandlerKind.SERVICE),
        ("VIRTUAL_OBJECT", None, HandlerKind.EXCLUSIVE),
        ("VIRTUAL_OBJECT", "SHARED", HandlerKind.SHARED),
        ("WORKFLOW", None, HandlerKind.SHARED),
        ("WORKFLOW", "WORKFLOW", HandlerKind.WORKFLOW),
    ],
)
def test_kinds(ty: str, handler_ty: str | None, kind: HandlerKind) -> None:
    service = built(one(ty, {"name": "h", "ty": handler_ty}))
    assert service.kind is ServiceKind(ty.lower())
    assert only_handler(service).kind is kind


def test_the_retention_of_a_workflow() -> None:
    run = {"name": "run", "ty": "WORKFLOW", "workflowCompletionRetention": HOUR}
    service = built(one("WORKFLOW", run, {"name": "peek"}, idempotencyRetention=5))
    assert service.settings.workflow_completion_retention == HOUR
    assert service.handlers["run"].completion_retention == HOUR
    assert service.handlers["peek"].completion_retention == 5
    changed = built(one("WORKFLOW", run), ServiceSettings(workflow_completion_retention=7))
    assert only_handler(changed).completion_retention == 7


def test_retention_is_clamped_and_told() -> None:
    defaults = Defaults(max_journal_retention=HOUR, max_idempotency_retention=2 * HOUR)
    service = built(one("SERVICE", {"name": "h", "journalRetention": 5 * HOUR}), None, defaults)
    handler = only_handler(service)
    assert (handler.journal_retention, handler.completion_retention) == (HOUR, 2 * HOUR)
    assert [note.code for note in service.notes] == ["RT0022", "RT0022"]


def test_request_response_mode_knows_no_inactivity() -> None:
    service = built(one("SERVICE", {"name": "h", "inactivityTimeout": 5}, inactivityTimeout=9), bidirectional=False)
    assert (service.settings.inactivity_timeout, only_handler(service).inactivity_timeout) == (0, 0)
    assert [note.code for note in service.notes] == ["RT0021"]


def test_retries_are_merged_field_by_field() -> None:
    handler = {"name": "h", "retryPolicyMaxAttempts": 0, "retryPolicyOnMaxAttempts": "KILL"}
    service = built(one("SERVICE", handler, retryPolicyInitialInterval=7, retryPolicyMaxAttempts=9))
    assert service.settings.retry_policy.max_attempts == 9
    assert only_handler(service).retry_policy == RetryPolicy(7, 2.0, 1, 60_000, OnMaxAttempts.KILL)


@pytest.mark.parametrize(("asked", "expected"), [(None, 5), (9, 5), (3, 3)])
def test_attempts_are_clamped(asked: int | None, expected: int) -> None:
    defaults = Defaults(retry_policy=RetryPolicy(max_attempts=None), max_retry_attempts=5)
    handler = {"name": "h", "retryPolicyMaxAttempts": asked}
    assert only_handler(built(one("SERVICE", handler), None, defaults)).retry_policy.max_attempts == expected


def test_bodies() -> None:
    closed = {"name": "closed", "input": {}, "output": {}}
    typed = {"required": True, "contentType": "application/json; charset=utf-8", "jsonSchema": True}
    opened = {"name": "opened", "input": typed, "output": {"contentType": "a/b", "setContentTypeIfEmpty": True}}
    service = built(one("SERVICE", closed, opened))
    assert service.handlers["closed"].input == InputRules(required=False, content_type=None, json=False)
    assert service.handlers["closed"].output == OutputRules(content_type=None, set_if_empty=False)
    assert service.handlers["opened"].input == InputRules(required=True, content_type="application/json", json=True)
    assert service.handlers["opened"].output == OutputRules(content_type="a/b", set_if_empty=True)


def test_the_highest_revision_is_the_newest() -> None:
    service = one("SERVICE", {"name": "h"})
    older = deployment(service, revision=3, number=2)
    newer = deployment(service, revision=4, number=1)
    registry = build_registry([newer, older], {}, Defaults())
    assert registry.services["S"].deployment_id == "dp_1"
    assert registry.revisions["dp_2", "S"].revision == 3
    assert registry.handler("S", "h") is not None
    assert registry.handler("S", "nope") is None


def test_of_a_name_given_twice_the_last_counts() -> None:
    services = [one("SERVICE", {"name": "a"}), one("SERVICE", {"name": "b"}, {"name": "b", "abortTimeout": 5})]
    registry = build_registry([deployment(*services)], {}, Defaults())
    assert only_handler(registry.services["S"]).abort_timeout == 5


def test_the_grace_of_cancels_is_the_servers() -> None:
    assert build_registry([], {}, Defaults()).cancel_grace == 10_000
    assert build_registry([], {}, Defaults(cancel_grace=0)).cancel_grace == 0
