"""Deployments for tests of the engine, described in one line per service."""

from collections.abc import Iterable, Mapping

import msgspec

from perdure.model.invocation import HandlerKind, ServiceKind
from perdure.model.registry import (
    Deployment,
    Handler,
    InputRules,
    OnMaxAttempts,
    OutputRules,
    Registry,
    RetryPolicy,
    Service,
    ServiceSettings,
)

DAY = 86_400_000
_MAIN_HANDLERS = {
    ServiceKind.SERVICE: HandlerKind.SERVICE,
    ServiceKind.VIRTUAL_OBJECT: HandlerKind.EXCLUSIVE,
    ServiceKind.WORKFLOW: HandlerKind.WORKFLOW,
}


class Declared(msgspec.Struct, frozen=True):
    """A service as its deployment declares it. handlers: names, `:shared` behind those that are. Times in ms."""

    name: str
    kind: ServiceKind
    handlers: list[str]
    retry: RetryPolicy = RetryPolicy()
    completion_retention: int = DAY
    journal_retention: int = DAY
    lazy: bool = False


def deployment(
    id: str, services: list[Declared], *, versions: tuple[int, int] = (5, 7), created_at: int = 0, revision: int = 1
) -> Deployment:
    return Deployment(
        id=id,
        uri="perdure-asgi://test",
        bidirectional=True,
        http_version="HTTP/2.0",
        min_version=versions[0],
        max_version=versions[1],
        sdk_version=None,
        created_at=created_at,
        manifest=msgspec.json.encode(services),
        revisions={service.name: revision for service in services},
    )


def build_registry(
    deployments: Iterable[Deployment], settings: Mapping[str, ServiceSettings], cancel_grace: int = 10_000
) -> Registry:
    by_id = {deployment.id: deployment for deployment in deployments}
    revisions: dict[tuple[str, str], Service] = {}
    newest: dict[str, Service] = {}
    for deployment in by_id.values():
        for declared in msgspec.json.decode(deployment.manifest, type=list[Declared]):
            revision = deployment.revisions[declared.name]
            service = _service(declared, deployment.id, revision, settings.get(declared.name))
            revisions[deployment.id, declared.name] = service
            if declared.name not in newest or newest[declared.name].revision < revision:
                newest[declared.name] = service
    return Registry(by_id, newest, revisions, cancel_grace=cancel_grace)


def _service(declared: Declared, deployment_id: str, revision: int, settings: ServiceSettings | None) -> Service:
    journal_retention = declared.journal_retention
    if settings is not None and settings.journal_retention is not None:
        journal_retention = settings.journal_retention
    handlers = {}
    for text in declared.handlers:
        name, _, shared = text.partition(":")
        handlers[name] = Handler(
            name=name,
            kind=HandlerKind.SHARED if shared else _MAIN_HANDLERS[declared.kind],
            public=True,
            input=InputRules(required=False, content_type="*/*", json=False),
            output=OutputRules(content_type=None, set_if_empty=False),
            inactivity_timeout=60_000,
            abort_timeout=600_000,
            lazy_state=declared.lazy,
            completion_retention=declared.completion_retention,
            journal_retention=journal_retention,
            retry_policy=declared.retry,
        )
    return Service(declared.name, declared.kind, revision, deployment_id, True, handlers)


def policy(max_attempts: int | None, *, kill: bool = False, initial: int = 500, factor: float = 2.0) -> RetryPolicy:
    """max_attempts: None for no end. initial: ms."""
    then = OnMaxAttempts.KILL if kill else OnMaxAttempts.PAUSE
    return RetryPolicy(initial, factor, max_attempts, on_max_attempts=then)
