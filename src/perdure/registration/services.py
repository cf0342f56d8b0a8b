"""Builds the registry: the settings in force for every service and handler of every deployment.

Who says it wins, in this order: the handler in the manifest, an operator (`ServiceSettings`), the service in the
manifest, the server (`Defaults`). An operator's `public` and workflow retention hold for all handlers.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeVar

from perdure.model.durations import format_duration
from perdure.model.invocation import HandlerKind, ServiceKind
from perdure.model.registry import (
    Defaults,
    Deployment,
    Handler,
    HandlerDescription,
    HandlerOverrides,
    InputRules,
    Note,
    OnMaxAttempts,
    OutputRules,
    Registry,
    RetryOverrides,
    RetryPolicy,
    Service,
    ServiceDefaults,
    ServiceSettings,
)
from perdure.protocol.manifest import HandlerManifest, Manifest, ServiceManifest, decode_manifest

T = TypeVar("T")

_NO_SETTINGS: Final = ServiceSettings()
_decode = lru_cache(maxsize=256)(decode_manifest)


def build_registry(
    deployments: Iterable[Deployment], settings: Mapping[str, ServiceSettings], defaults: Defaults
) -> Registry:
    """The snapshot of what is stored. The newest revision of a service is the highest that some deployment has."""
    by_id = {deployment.id: deployment for deployment in deployments}
    revisions: dict[tuple[str, str], Service] = {}
    newest: dict[str, Service] = {}
    for deployment in by_id.values():
        for service in _services(deployment, settings, defaults):
            revisions[deployment.id, service.name] = service
            known = newest.get(service.name)
            if known is None or known.revision < service.revision:
                newest[service.name] = service
    return Registry(by_id, newest, revisions, settings, defaults.cancel_grace)


def services_of(deployment: Deployment, settings: Mapping[str, ServiceSettings], defaults: Defaults) -> list[Service]:
    """The services of one deployment, as they would be in a registry; for dry runs."""
    return list(_services(deployment, settings, defaults))


def service_kind(service: ServiceManifest) -> ServiceKind:
    return ServiceKind(service.ty.lower())


def _services(deployment: Deployment, settings: Mapping[str, ServiceSettings], defaults: Defaults) -> Iterable[Service]:
    manifest: Manifest = _decode(deployment.manifest)
    # A name given twice: the last one counts.
    for declared in {service.name: service for service in manifest.services}.values():
        yield _service(deployment, declared, settings.get(declared.name, _NO_SETTINGS), defaults)


def _service(
    deployment: Deployment, declared: ServiceManifest, settings: ServiceSettings, defaults: Defaults
) -> Service:
    notes: list[Note] = []
    kind = service_kind(declared)
    in_force = _in_force(deployment, declared, settings, defaults, notes)
    public = _first(settings.public, not declared.ingress_private)
    handlers = {
        handler.name: _handler(deployment, kind, handler, in_force, public, settings, defaults)
        for handler in declared.handlers
    }
    return Service(
        name=declared.name,
        kind=kind,
        revision=deployment.revisions[declared.name],
        deployment_id=deployment.id,
        public=public,
        handlers=handlers,
        settings=in_force,
        documentation=declared.documentation,
        metadata=declared.metadata or {},
        notes=tuple(notes),
    )


def _in_force(
    deployment: Deployment,
    declared: ServiceManifest,
    settings: ServiceSettings,
    defaults: Defaults,
    notes: list[Note],
) -> ServiceDefaults:
    workflow_retention = None
    if declared.ty == "WORKFLOW":
        asked = [h.workflow_completion_retention for h in declared.handlers if h.ty == "WORKFLOW"]
        workflow_retention = _clamped(
            "workflow_completion_retention",
            _first(settings.workflow_completion_retention, *reversed(asked), defaults.workflow_completion_retention),
            defaults.max_workflow_completion_retention,
            notes,
        )
    idempotency_retention = _first(
        settings.idempotency_retention, declared.idempotency_retention, defaults.idempotency_retention
    )
    journal_retention = _first(settings.journal_retention, declared.journal_retention, defaults.journal_retention)
    asked_inactivity = _first_or_none(settings.inactivity_timeout, declared.inactivity_timeout)
    if asked_inactivity and not deployment.bidirectional:
        notes.append(_inactivity_note(asked_inactivity))
    inactivity = _first(asked_inactivity, defaults.inactivity_timeout) if deployment.bidirectional else 0
    return ServiceDefaults(
        idempotency_retention=_clamped(
            "idempotency_retention", idempotency_retention, defaults.max_idempotency_retention, notes
        ),
        workflow_completion_retention=workflow_retention,
        journal_retention=_clamped("journal_retention", journal_retention, defaults.max_journal_retention, notes),
        inactivity_timeout=inactivity,
        abort_timeout=_first(settings.abort_timeout, declared.abort_timeout, defaults.abort_timeout),
        lazy_state=bool(declared.enable_lazy_state),
        retry_policy=_retry_policy(_retry_overrides(declared), defaults.retry_policy, defaults.max_retry_attempts),
    )


def _handler(
    deployment: Deployment,
    service_kind_: ServiceKind,
    declared: HandlerManifest,
    in_force: ServiceDefaults,
    public: bool,
    settings: ServiceSettings,
    defaults: Defaults,
) -> Handler:
    kind = handler_kind(service_kind_, declared)
    overrides = HandlerOverrides(
        idempotency_retention=declared.idempotency_retention,
        journal_retention=declared.journal_retention,
        inactivity_timeout=declared.inactivity_timeout,
        abort_timeout=declared.abort_timeout,
        lazy_state=declared.enable_lazy_state,
        retry_policy=_retry_overrides(declared),
    )
    if kind is HandlerKind.WORKFLOW:
        completion = _first(in_force.workflow_completion_retention, defaults.workflow_completion_retention)
    else:
        asked = _first(declared.idempotency_retention, in_force.idempotency_retention)
        completion = _at_most(asked, defaults.max_idempotency_retention)
    journal = _first(declared.journal_retention, in_force.journal_retention)
    inactivity = _first(declared.inactivity_timeout, in_force.inactivity_timeout) if deployment.bidirectional else 0
    if settings.public is None and declared.ingress_private is not None:
        public = not declared.ingress_private
    return Handler(
        name=declared.name,
        kind=kind,
        public=public,
        input=_input_rules(declared),
        output=_output_rules(declared),
        inactivity_timeout=inactivity,
        abort_timeout=_first(declared.abort_timeout, in_force.abort_timeout),
        lazy_state=_first(declared.enable_lazy_state, in_force.lazy_state),
        completion_retention=completion,
        journal_retention=_at_most(journal, defaults.max_journal_retention),
        retry_policy=_retry_policy(overrides.retry_policy, in_force.retry_policy, defaults.max_retry_attempts),
        description=_description(declared, overrides),
    )


def handler_kind(service: ServiceKind, declared: HandlerManifest) -> HandlerKind:
    """How a handler runs. A workflow's handler without a type is a shared one."""
    match service:
        case ServiceKind.SERVICE:
            return HandlerKind.SERVICE
        case ServiceKind.VIRTUAL_OBJECT:
            return HandlerKind.SHARED if declared.ty == "SHARED" else HandlerKind.EXCLUSIVE
        case ServiceKind.WORKFLOW:
            return HandlerKind.WORKFLOW if declared.ty == "WORKFLOW" else HandlerKind.SHARED


def _description(declared: HandlerManifest, overrides: HandlerOverrides) -> HandlerDescription:
    return HandlerDescription(
        documentation=declared.documentation,
        metadata=declared.metadata or {},
        input_schema=declared.input.json_schema if declared.input else None,
        output_schema=declared.output.json_schema if declared.output else None,
        overrides=overrides,
    )


def _input_rules(declared: HandlerManifest) -> InputRules:
    if declared.input is None:
        return InputRules(required=False, content_type="*/*", json=False)
    content_type = declared.input.content_type
    return InputRules(
        required=bool(declared.input.required),
        content_type=None if content_type is None else content_type.partition(";")[0].strip(),
        json=declared.input.json_schema is not None,
    )


def _output_rules(declared: HandlerManifest) -> OutputRules:
    if declared.output is None:
        return OutputRules(content_type="application/json", set_if_empty=False)
    return OutputRules(declared.output.content_type, bool(declared.output.set_content_type_if_empty))


def _first(*values: T | None) -> T:
    """The first that says something; the last one always does."""
    found = _first_or_none(*values)
    assert found is not None
    return found


def _first_or_none(*values: T | None) -> T | None:
    return next((value for value in values if value is not None), None)


def _at_most(value: int, limit: int | None) -> int:
    return value if limit is None else min(value, limit)


def _clamped(name: str, value: int, limit: int | None, notes: list[Note]) -> int:
    if limit is None or value <= limit:
        return value
    message = f"The configured {name} {format_duration(value)} was reduced to {format_duration(limit)}, "
    notes.append(Note("RT0022", message + "the most this server allows."))
    return limit


def _inactivity_note(asked: int) -> Note:
    message = f"The configured inactivity_timeout {format_duration(asked)} will not be applied because the service is "
    return Note("RT0021", message + "exposed in Request/Response mode.")


def _retry_overrides(declared: ServiceManifest | HandlerManifest) -> RetryOverrides:
    on_max_attempts = declared.retry_policy_on_max_attempts
    attempts = declared.retry_policy_max_attempts
    return RetryOverrides(
        initial_interval=declared.retry_policy_initial_interval,
        factor=declared.retry_policy_exponentiation_factor,
        max_attempts=None if attempts is None else max(attempts, 1),
        max_interval=declared.retry_policy_max_interval,
        on_max_attempts=OnMaxAttempts(on_max_attempts.lower()) if on_max_attempts else None,
    )


def _retry_policy(said: RetryOverrides, below: RetryPolicy, most: int | None) -> RetryPolicy:
    attempts = said.max_attempts if said.max_attempts is not None else below.max_attempts
    if most is not None:
        attempts = most if attempts is None else min(attempts, most)
    return RetryPolicy(
        initial_interval=_first(said.initial_interval, below.initial_interval),
        factor=_first(said.factor, below.factor),
        max_attempts=attempts,
        max_interval=_first(said.max_interval, below.max_interval),
        on_max_attempts=_first(said.on_max_attempts, below.on_max_attempts),
    )
