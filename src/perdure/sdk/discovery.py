"""The discovery manifest: what the services of an app say of themselves, in the versions a server may ask for."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final, Literal

from perdure.model.invocation import HandlerKind
from perdure.protocol import versions
from perdure.sdk.binding import Payload
from perdure.sdk.definition_errors import ManifestTooOld
from perdure.sdk.definitions import HandlerDefinition, Options, ServiceDefinition

ProtocolMode = Literal["BIDI_STREAM", "REQUEST_RESPONSE"]

NEWEST: Final = 4
DEFAULT: Final = 2
"""The version for servers that name none."""

_SINCE_2: Final = frozenset({"documentation", "metadata"})
_SINCE_3: Final = frozenset(
    {
        "ingressPrivate",
        "enableLazyState",
        "inactivityTimeout",
        "abortTimeout",
        "journalRetention",
        "idempotencyRetention",
        "workflowCompletionRetention",
    }
)
_HANDLER_TYPES: Final = {
    HandlerKind.SERVICE: None,
    HandlerKind.EXCLUSIVE: "EXCLUSIVE",
    HandlerKind.SHARED: "SHARED",
    HandlerKind.WORKFLOW: "WORKFLOW",
}


def choose_version(accept: str | None) -> int | None:
    """The newest manifest version that an `accept` header names; None if it names none of ours."""
    if accept is None:
        return DEFAULT
    named = [versions.manifest_version(part.split(";")[0].strip()) for part in accept.split(",")]
    found = [version for version in named if version is not None]
    if found:
        return max(found)
    # Not what a server asks with, but what a curious person's client does.
    return DEFAULT if "*/*" in accept or "application/json" in accept else None


def content_type(version: int) -> str:
    return f"application/vnd.restate.endpointmanifest.v{version}+json"


def manifest(
    services: Iterable[ServiceDefinition], version: int, mode: ProtocolMode, *, lambda_compression: bool = False
) -> bytes:
    """The manifest as JSON.

    version: 1 .. 4.  lambda_compression: bodies may be compressed with zstd; left out below version 4.
    Raises: ManifestTooOld (E0349), BadHint (E0344), BadHandler (E0343).
    """
    whole: dict[str, Any] = {
        "protocolMode": mode,
        "minProtocolVersion": versions.MIN_VERSION,
        "maxProtocolVersion": versions.MAX_VERSION,
        "services": [_service(service, version) for service in services],
    }
    if lambda_compression and version >= NEWEST:
        whole["lambdaCompression"] = "zstd"
    return json.dumps(whole).encode()


def _service(service: ServiceDefinition, version: int) -> dict[str, Any]:
    said = {"name": service.name, "ty": service.kind.value.upper()}
    said |= _allowed(service.name, version, _options(service.options, service.options.description))
    return said | {"handlers": [_handler(handler, version) for handler in service.handlers.values()]}


def _handler(handler: HandlerDefinition[Any, Any], version: int) -> dict[str, Any]:
    binding = handler.binding
    accept, content_type = handler.accept, handler.content_type
    if binding.takes_bytes and accept == "application/json":
        accept = "*/*"
    if binding.gives_bytes and content_type == "application/json":
        content_type = "application/octet-stream"
    said: dict[str, Any] = {"name": handler.name}
    if (kind := _HANDLER_TYPES[handler.kind]) is not None:
        said["ty"] = kind
    said["input"] = _input(binding.input_payload(accept))
    said["output"] = _output(binding.output_payload(content_type))
    return said | _allowed(str(handler), version, _options(handler.options, handler.documentation))


def _input(payload: Payload) -> dict[str, Any]:
    if payload.content_type is None:
        return {}
    said = {"required": False, "contentType": payload.content_type}
    return said if payload.schema is None else said | {"jsonSchema": payload.schema}


def _output(payload: Payload) -> dict[str, Any]:
    said: dict[str, Any] = {"setContentTypeIfEmpty": False}
    if payload.content_type is not None:
        said["contentType"] = payload.content_type
    return said if payload.schema is None else said | {"jsonSchema": payload.schema}


def _options(options: Options, documentation: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "documentation": documentation,
        "metadata": options.metadata,
        "inactivityTimeout": _millis(options.inactivity_timeout),
        "abortTimeout": _millis(options.abort_timeout),
        "journalRetention": _millis(options.journal_retention),
        "idempotencyRetention": _millis(options.idempotency_retention),
        "workflowCompletionRetention": _millis(options.workflow_retention),
        "enableLazyState": options.enable_lazy_state,
        "ingressPrivate": options.ingress_private,
    }
    if (policy := options.invocation_retry_policy) is not None:
        said |= {
            "retryPolicyInitialInterval": _millis(policy.initial_interval),
            "retryPolicyMaxInterval": _millis(policy.max_interval),
            "retryPolicyExponentiationFactor": policy.exponentiation_factor,
            "retryPolicyMaxAttempts": policy.max_attempts,
            "retryPolicyOnMaxAttempts": policy.on_max_attempts and policy.on_max_attempts.upper(),
        }
    return {name: value for name, value in said.items() if value is not None}


def _allowed(where: str, version: int, said: dict[str, Any]) -> dict[str, Any]:
    """What a version can say: documentation is left out where it cannot, options must not be."""
    if version < 2:
        said = {name: value for name, value in said.items() if name not in _SINCE_2}
    for name in said:
        needs = 2 if name in _SINCE_2 else 3 if name in _SINCE_3 else NEWEST
        if version < needs:
            raise ManifestTooOld(f"{where}: {name} needs version {needs} of the manifest, asked for is {version}")
    return said


def _millis(span: timedelta | None) -> int | None:
    return None if span is None else span // timedelta(milliseconds=1)
