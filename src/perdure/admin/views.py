"""Turns the registry into the JSON of the admin API."""

from collections.abc import Iterable
from typing import Any, Final

from msgspec import UNSET, UnsetType

from perdure.admin.schemas import (
    DeploymentResponse,
    DetailedDeploymentResponse,
    HandlerMetadata,
    HandlerRetryPolicy,
    RegisterDeploymentResponse,
    SchemaInfo,
    ServiceMetadata,
    ServiceNameRevision,
    ServiceRetryPolicy,
)
from perdure.model.durations import format_duration
from perdure.model.invocation import HandlerKind, ServiceKind
from perdure.model.registry import Deployment, Handler, RetryOverrides, RetryPolicy, Service
from perdure.model.timestamps import format_time_ns

SERVICE_TYPES: Final = {
    ServiceKind.SERVICE: "Service",
    ServiceKind.VIRTUAL_OBJECT: "VirtualObject",
    ServiceKind.WORKFLOW: "Workflow",
}
_HANDLER_TYPES: Final = {
    HandlerKind.EXCLUSIVE: "Exclusive",
    HandlerKind.SHARED: "Shared",
    HandlerKind.WORKFLOW: "Workflow",
}


def registered(deployment: Deployment, services: Iterable[Service]) -> RegisterDeploymentResponse:
    return RegisterDeploymentResponse(
        id=deployment.id,
        services=[service_view(service) for service in services],
        min_protocol_version=deployment.min_version,
        max_protocol_version=deployment.max_version,
        sdk_version=deployment.sdk_version or UNSET,
    )


def short_deployment_view(deployment: Deployment) -> DeploymentResponse:
    services = [ServiceNameRevision(name, revision) for name, revision in deployment.revisions.items()]
    return DeploymentResponse(services=services, **_facts(deployment))


def deployment_view(deployment: Deployment, services: Iterable[Service]) -> DetailedDeploymentResponse:
    """services: those of this deployment."""
    return DetailedDeploymentResponse(services=[service_view(service) for service in services], **_facts(deployment))


def _facts(deployment: Deployment) -> dict[str, Any]:
    """The fields of `DeploymentFacts`."""
    return {
        "id": deployment.id,
        "uri": deployment.uri,
        "protocol_type": "BidiStream" if deployment.bidirectional else "RequestResponse",
        "http_version": deployment.http_version,
        "created_at": format_time_ns(deployment.created_at),
        "min_protocol_version": deployment.min_version,
        "max_protocol_version": deployment.max_version,
        "sdk_version": deployment.sdk_version or UNSET,
        "additional_headers": deployment.additional_headers,
        "metadata": deployment.metadata,
    }


def service_view(service: Service) -> ServiceMetadata:
    in_force = service.settings
    workflow_retention = in_force.workflow_completion_retention
    return ServiceMetadata(
        name=service.name,
        ty=SERVICE_TYPES[service.kind],
        handlers=[handler_view(handler) for handler in service.handlers.values()],
        deployment_id=service.deployment_id,
        revision=service.revision,
        public=service.public,
        idempotency_retention=format_duration(in_force.idempotency_retention),
        journal_retention=format_duration(in_force.journal_retention),
        inactivity_timeout=format_duration(in_force.inactivity_timeout),
        abort_timeout=format_duration(in_force.abort_timeout),
        enable_lazy_state=in_force.lazy_state,
        retry_policy=_service_retries(in_force.retry_policy),
        workflow_completion_retention=_duration(workflow_retention),
        documentation=service.documentation or UNSET,
        metadata=service.metadata,
        info=[SchemaInfo(note.code, note.message) for note in service.notes],
    )


def handler_view(handler: Handler) -> HandlerMetadata:
    told = handler.description
    own = told.overrides
    return HandlerMetadata(
        name=handler.name,
        public=handler.public,
        input_description=_describe(handler.input.content_type, told.input_schema),
        output_description=_describe(handler.output.content_type, told.output_schema),
        retry_policy=_handler_retries(own.retry_policy),
        ty=_HANDLER_TYPES.get(handler.kind, UNSET),
        documentation=told.documentation or UNSET,
        metadata=told.metadata,
        input_json_schema=UNSET if told.input_schema is None else told.input_schema,
        output_json_schema=UNSET if told.output_schema is None else told.output_schema,
        idempotency_retention=_duration(own.idempotency_retention),
        journal_retention=_duration(own.journal_retention),
        inactivity_timeout=_duration(own.inactivity_timeout),
        abort_timeout=_duration(own.abort_timeout),
        enable_lazy_state=UNSET if own.lazy_state is None else own.lazy_state,
    )


def _duration(milliseconds: int | None) -> str | UnsetType:
    return UNSET if milliseconds is None else format_duration(milliseconds)


def _describe(content_type: str | None, schema: Any) -> str:
    if content_type is None:
        return "none"
    kind = schema.get("type") if isinstance(schema, dict) else None
    if content_type == "application/json" and isinstance(kind, str):
        return f"JSON {kind}"
    return content_type


def _service_retries(policy: RetryPolicy) -> ServiceRetryPolicy:
    return ServiceRetryPolicy(
        initial_interval=format_duration(policy.initial_interval),
        exponentiation_factor=policy.factor,
        max_attempts=policy.max_attempts,
        max_interval=format_duration(policy.max_interval),
        on_max_attempts=policy.on_max_attempts.capitalize(),
    )


def _handler_retries(own: RetryOverrides) -> HandlerRetryPolicy:
    return HandlerRetryPolicy(
        max_attempts=own.max_attempts,
        initial_interval=_duration(own.initial_interval),
        exponentiation_factor=UNSET if own.factor is None else own.factor,
        max_interval=_duration(own.max_interval),
        on_max_attempts=own.on_max_attempts.capitalize() if own.on_max_attempts else UNSET,
    )
