"""What an endpoint may say at discovery, and what makes it fail."""

import json
from typing import Any

import pytest

from perdure.protocol.manifest import Manifest, ManifestError, decode_manifest, parse_manifest

CONTENT_TYPE = "application/vnd.restate.endpointmanifest.v4+json"


def answer(**changes: Any) -> dict[str, Any]:
    manifest = {"protocolMode": "BIDI_STREAM", "minProtocolVersion": 5, "maxProtocolVersion": 7, "services": []}
    return {key: value for key, value in (manifest | changes).items() if value is not ...}


def with_service(**changes: Any) -> dict[str, Any]:
    service = {"name": "Greeter", "ty": "SERVICE", "handlers": []} | changes
    return answer(services=[{key: value for key, value in service.items() if value is not ...}])


def with_handler(service_ty: str = "SERVICE", **changes: Any) -> dict[str, Any]:
    return with_service(ty=service_ty, handlers=[{"name": "greet"} | changes])


def parse(manifest: Any, content_type: str | None = CONTENT_TYPE, **options: Any) -> Manifest:
    return parse_manifest(content_type, json.dumps(manifest).encode(), **options)


def test_everything_that_can_be_said() -> None:
    options = {
        "documentation": "text",
        "metadata": {"k": "v"},
        "inactivityTimeout": 1,
        "abortTimeout": 2,
        "journalRetention": 3,
        "idempotencyRetention": 4,
        "enableLazyState": True,
        "ingressPrivate": True,
        "retryPolicyInitialInterval": 5,
        "retryPolicyMaxInterval": 6,
        "retryPolicyExponentiationFactor": 1.5,
        "retryPolicyMaxAttempts": 0,
        "retryPolicyOnMaxAttempts": "KILL",
    }
    handler = options | {
        "name": "run",
        "ty": "WORKFLOW",
        "input": {"required": True, "contentType": "application/json", "jsonSchema": {"type": "string"}},
        "output": {"contentType": "text/plain; charset=utf-8", "setContentTypeIfEmpty": True, "jsonSchema": False},
        "workflowCompletionRetention": 7,
    }
    service = options | {"name": "My.flow-1", "ty": "WORKFLOW", "handlers": [handler]}
    manifest = parse(answer(services=[service], lambdaCompression="zstd"))
    assert manifest.bidirectional
    [parsed] = manifest.services
    assert (parsed.name, parsed.ty, parsed.metadata) == ("My.flow-1", "WORKFLOW", {"k": "v"})
    assert (parsed.inactivity_timeout, parsed.abort_timeout, parsed.journal_retention) == (1, 2, 3)
    assert (parsed.idempotency_retention, parsed.enable_lazy_state, parsed.ingress_private) == (4, True, True)
    assert (parsed.retry_policy_initial_interval, parsed.retry_policy_max_interval) == (5, 6)
    assert (parsed.retry_policy_exponentiation_factor, parsed.retry_policy_max_attempts) == (1.5, 0)
    [run] = parsed.handlers
    assert (run.ty, run.workflow_completion_retention, run.retry_policy_on_max_attempts) == ("WORKFLOW", 7, "KILL")
    assert run.input is not None
    assert (run.input.required, run.input.content_type) == (True, "application/json")
    assert run.output is not None
    assert (run.output.set_content_type_if_empty, run.output.json_schema) == (True, False)


def test_null_is_as_good_as_absent() -> None:
    [service] = parse(with_service(documentation=None, metadata=None, abortTimeout=None, enableLazyState=None)).services
    assert service.documentation is None
    [handler] = parse(with_handler(ty=None, input=None, output=None)).services[0].handlers
    assert (handler.ty, handler.input, handler.output) == (None, None, None)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_every_manifest_version_is_read_alike(version: int) -> None:
    content_type = f"application/vnd.restate.endpointmanifest.v{version}+json"
    assert parse(with_service(retryPolicyMaxAttempts=3), content_type).services[0].retry_policy_max_attempts == 3


@pytest.mark.parametrize(
    "manifest",
    [
        answer(services=[]),
        answer(maxProtocolVersion=100),
        answer(minProtocolVersion=1),
        answer(services=[with_service()["services"][0]] * 2),
        with_service(handlers=[{"name": "twice"}, {"name": "twice"}]),
        with_service(ty="WORKFLOW", handlers=[{"name": "a", "ty": "WORKFLOW"}, {"name": "b", "ty": "WORKFLOW"}]),
        with_service(ingressPrivate=True, handlers=[{"name": "a", "ingressPrivate": True}, {"name": "b"}]),
        with_service(name="_1a"),
    ],
)
def test_unusual_but_legal(manifest: dict[str, Any]) -> None:
    parse(manifest)


HANDLER_TYPES = {
    "SERVICE": {None, "SHARED"},
    "VIRTUAL_OBJECT": {None, "EXCLUSIVE", "SHARED"},
    "WORKFLOW": {None, "SHARED", "WORKFLOW"},
}


@pytest.mark.parametrize("service_ty", HANDLER_TYPES)
@pytest.mark.parametrize("handler_ty", [None, "EXCLUSIVE", "SHARED", "WORKFLOW"])
def test_which_handlers_fit_which_service(service_ty: str, handler_ty: str | None) -> None:
    manifest = with_handler(service_ty, ty=handler_ty)
    if handler_ty in HANDLER_TYPES[service_ty]:
        parse(manifest)
    else:
        with pytest.raises(ManifestError, match="is not possible in a service of type") as raised:
            parse(manifest)
        assert (raised.value.http_status, raised.value.restate_code) == (400, None)


@pytest.mark.parametrize(
    "content_type", [None, "application/json", CONTENT_TYPE + "; charset=utf-8", CONTENT_TYPE.replace("v4", "v5")]
)
def test_the_content_type_must_be_a_known_one(content_type: str | None) -> None:
    with pytest.raises(ManifestError, match="content type") as raised:
        parse(answer(), content_type)
    assert (raised.value.http_status, raised.value.restate_code) == (500, "META0013")


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (answer(protocolMode=...), "META0013"),
        (answer(protocolMode=None), "META0013"),
        (answer(minProtocolVersion=0), "META0013"),
        (answer(maxProtocolVersion=2**31), "META0013"),
        (answer(minProtocolVersion=7, maxProtocolVersion=6), "META0013"),
        (answer(minProtocolVersion=1, maxProtocolVersion=4), "META0012"),
        (answer(minProtocolVersion=8, maxProtocolVersion=9), "META0012"),
        (answer(minProtocolVersion=...), None),
        (answer(protocolMode="CARRIER_PIGEON"), None),
        (answer(services=...), None),
        (answer(unknown=1), None),
        (with_service(unknown=1), None),
        (with_handler(unknown=1), None),
        (with_handler(input={"unknown": 1}), None),
        (with_service(handlers=...), None),
        (with_service(ty="OBJECT"), None),
        (with_service(name="with space"), None),
        (with_service(name="Greeter\n"), None),
        (with_service(name=""), None),
        (with_handler(name="with.dot"), None),
        (with_service(metadata={"k": 1}), None),
        (with_service(abortTimeout=-1), None),
        (with_service(abortTimeout=2**63), None),
        (with_service(abortTimeout="1s"), None),
        (with_service(retryPolicyOnMaxAttempts="RETRY"), None),
        (with_service(retryPolicyExponentiationFactor=-1), None),
        ([], None),
    ],
)
def test_what_is_not_understood(manifest: Any, code: str | None) -> None:
    with pytest.raises(ManifestError) as raised:
        parse(manifest)
    assert (raised.value.http_status, raised.value.restate_code) == (500, code)


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff", b"[" * 100_000, b'{"services":' * 100_000])
def test_a_body_that_is_no_json(body: bytes) -> None:
    with pytest.raises(ManifestError, match="cannot be decoded"):
        decode_manifest(body)


def test_streaming_needs_a_transport_that_can() -> None:
    with pytest.raises(ManifestError) as raised:
        parse(answer(), can_stream=False)
    assert (raised.value.http_status, raised.value.restate_code) == (500, "META0015")
    assert not parse(answer(protocolMode="REQUEST_RESPONSE"), can_stream=False).bidirectional


@pytest.mark.parametrize("name", ["restate", "restate_x", "RestateThing", "openapi", "OpenAPI"])
def test_reserved_names(name: str) -> None:
    with pytest.raises(ManifestError, match="reserved name") as raised:
        parse(with_service(name=name))
    assert (raised.value.http_status, raised.value.restate_code) == (400, "META0005")


@pytest.mark.parametrize(
    "manifest",
    [
        with_handler(input={"contentType": "*/json"}),
        with_handler(input={"contentType": "json"}),
        with_handler(input={"contentType": ""}),
        with_handler(output={"contentType": "application/*"}),
        with_handler(output={"contentType": "text/plain\r\nx: y"}),
        with_handler(workflowCompletionRetention=1),
        with_handler("WORKFLOW", workflowCompletionRetention=1),
        with_service(ingressPrivate=True, handlers=[{"name": "h", "ingressPrivate": False}]),
    ],
)
def test_what_is_understood_and_wrong(manifest: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match="handler 'Greeter/") as raised:
        parse(manifest)
    assert (raised.value.http_status, raised.value.restate_code) == (400, None)


@pytest.mark.parametrize("content_type", ["*/*", "application/*", "application/vnd.x+json", "text/plain;charset=utf-8"])
def test_content_types_of_inputs(content_type: str) -> None:
    parse(with_handler(input={"contentType": content_type}))


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"$ref": "#/$defs/A~1B", "$defs": {"A/B": {"type": ["string", "null"]}}},
        {"$ref": "#name", "$defs": {"A": {"$anchor": "name"}}},
        {"$id": "https://example.com/root", "$ref": "https://example.com/root#/$defs/A", "$defs": {"A": {}}},
        {"$ref": "http://json-schema.org/draft-07/schema#"},
        {"properties": {"$ref": {"type": "string"}, "type": {"const": {"$ref": "anything"}}}},
        {"items": [{"type": "integer"}, True], "allOf": [{"$ref": "#"}]},
        {"default": {"$ref": 1}, "examples": [{"type": 5}]},
    ],
)
def test_schemas_that_stand_on_their_own(schema: Any) -> None:
    parse(with_handler(input={"contentType": "application/json", "jsonSchema": schema}))


@pytest.mark.parametrize(
    "schema",
    [
        "string",
        5,
        {"type": "text"},
        {"type": 5},
        {"properties": []},
        {"properties": {"a": 1}},
        {"anyOf": []},
        {"required": "a"},
        {"enum": "a"},
        {"$ref": 5},
        {"$ref": "#/$defs/Missing"},
        {"$ref": "#missing"},
        {"$ref": "#/anyOf/" + "9" * 5000, "anyOf": [{}]},
        {"$ref": "http://[/x"},
        {"$id": "http://["},
        {"$ref": "https://example.com/other.json"},
        {"items": {"properties": {"a": {"$ref": "other.json#/x"}}}},
    ],
)
@pytest.mark.parametrize("where", ["input", "output"])
def test_schemas_that_do_not(schema: Any, where: str) -> None:
    with pytest.raises(ManifestError, match=f"bad JSON schema of the {where}") as raised:
        parse(with_handler(**{where: {"contentType": "application/json", "jsonSchema": schema}}))
    assert (raised.value.http_status, raised.value.restate_code) == (400, None)
