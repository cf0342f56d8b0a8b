"""Deployments and the services they offer, with every setting in force."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from perdure.model.invocation import HandlerKind, ServiceKind


class OnMaxAttempts(StrEnum):
    PAUSE = "pause"
    KILL = "kill"


class RetryPolicy(msgspec.Struct, frozen=True, gc=False):
    """When a failed attempt is tried again. Intervals in ms; `max_attempts` counts the first, None = no end."""

    initial_interval: int = 500
    factor: float = 2.0
    max_attempts: int | None = 70
    max_interval: int = 60_000
    on_max_attempts: OnMaxAttempts = OnMaxAttempts.PAUSE


class InputRules(msgspec.Struct, frozen=True, gc=False):
    """What the ingress accepts as a body.

    content_type: None means that no body and no content type may come; else `type/subtype`, `type/*` or `*/*`.
    required: a content type must be present. json: an empty body is refused under that content type.
    """

    required: bool
    content_type: str | None
    json: bool


class OutputRules(msgspec.Struct, frozen=True, gc=False):
    """The content type of a result; None: none is set. `set_if_empty`: also on a body of no bytes."""

    content_type: str | None
    set_if_empty: bool


class RetryOverrides(msgspec.Struct, frozen=True, gc=False):
    """What a handler says about its own retries; None: as its service. Intervals in ms."""

    initial_interval: int | None = None
    factor: float | None = None
    max_attempts: int | None = None
    max_interval: int | None = None
    on_max_attempts: OnMaxAttempts | None = None


class HandlerOverrides(msgspec.Struct, frozen=True, gc=False):
    """What a handler says for itself at discovery; None: as its service. Times in ms."""

    idempotency_retention: int | None = None
    journal_retention: int | None = None
    inactivity_timeout: int | None = None
    abort_timeout: int | None = None
    lazy_state: bool | None = None
    retry_policy: RetryOverrides = RetryOverrides()


class HandlerDescription(msgspec.Struct, frozen=True):
    """What people and tools are told about a handler. The schemas are JSON Schemas; None: there is none."""

    documentation: str | None = None
    metadata: dict[str, str] = {}
    input_schema: Any = None
    output_schema: Any = None
    overrides: HandlerOverrides = HandlerOverrides()


class Note(msgspec.Struct, frozen=True, gc=False):
    """A remark about a service that works, though not quite as its author asked. code: `RT0021` or `RT0022`."""

    code: str
    message: str


class Handler(msgspec.Struct, frozen=True):
    """A handler of one service revision with the settings in force (server defaults filled in). Times in ms.

    completion_retention: for requests with an idempotency key, or the workflow retention of a workflow's main handler.
    inactivity_timeout: 0 towards endpoints that only speak request/response.
    """

    name: str
    kind: HandlerKind
    public: bool
    input: InputRules
    output: OutputRules
    inactivity_timeout: int
    abort_timeout: int
    lazy_state: bool
    completion_retention: int
    journal_retention: int
    retry_policy: RetryPolicy
    description: HandlerDescription = HandlerDescription()


class ServiceDefaults(msgspec.Struct, frozen=True, gc=False):
    """The settings in force for handlers of a service that say nothing themselves. Times in ms.

    workflow_completion_retention: None for anything but workflows.
    """

    idempotency_retention: int = 86_400_000
    workflow_completion_retention: int | None = None
    journal_retention: int = 86_400_000
    inactivity_timeout: int = 60_000
    abort_timeout: int = 600_000
    lazy_state: bool = False
    retry_policy: RetryPolicy = RetryPolicy()


class Service(msgspec.Struct, frozen=True):
    """One revision of a service, as one deployment offers it."""

    name: str
    kind: ServiceKind
    revision: int
    deployment_id: str
    public: bool
    handlers: Mapping[str, Handler]
    settings: ServiceDefaults = ServiceDefaults()
    documentation: str | None = None
    metadata: dict[str, str] = {}
    notes: tuple[Note, ...] = ()


class Deployment(msgspec.Struct, frozen=True):
    """An endpoint and its services; immutable but for its address and headers.

    uri: absolute, for HTTP endpoints; `perdure-worker://NAME` for code that this server runs over the worker link;
    `perdure-asgi://NAME` for an app in this process.
    bidirectional: request and response flow at once. http_version: `HTTP/2.0` or `HTTP/1.1`.
    manifest: the discovered document, raw JSON. revisions: service name to its revision here.
    """

    id: str
    uri: str
    bidirectional: bool
    http_version: str
    min_version: int
    max_version: int
    sdk_version: str | None
    created_at: int
    manifest: bytes
    revisions: dict[str, int]
    additional_headers: dict[str, str] = {}
    metadata: dict[str, str] = {}


class Discovered(msgspec.Struct, frozen=True, gc=False):
    """What an endpoint said of itself, checked. The fields are those of `Deployment`."""

    bidirectional: bool
    http_version: str
    min_version: int
    max_version: int
    sdk_version: str | None
    manifest: bytes


class ServiceSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an operator changed on a service; None: as discovered. Times in ms."""

    public: bool | None = None
    idempotency_retention: int | None = None
    workflow_completion_retention: int | None = None
    journal_retention: int | None = None
    inactivity_timeout: int | None = None
    abort_timeout: int | None = None


class Defaults(msgspec.Struct, frozen=True):
    """The server's own values, for what neither manifest nor operator says. Times in ms."""

    inactivity_timeout: int = 60_000
    abort_timeout: int = 600_000
    journal_retention: int = 86_400_000
    idempotency_retention: int = 86_400_000
    workflow_completion_retention: int = 86_400_000
    max_journal_retention: int | None = None
    max_idempotency_retention: int | None = None
    max_workflow_completion_retention: int | None = None
    retry_policy: RetryPolicy = RetryPolicy()
    max_retry_attempts: int | None = None
    highest_protocol_version: int = 7
    cancel_grace: int = 10_000


class Registry(msgspec.Struct, frozen=True):
    """An immutable snapshot of everything registered.

    services: the newest revision of each. revisions: every revision that some deployment offers, by (deployment, name).
    settings: what operators changed, by service; the services have it applied already.
    cancel_grace: how long a cancelled invocation waits for its callees before it is told, in ms; 0: not at all.
    """

    deployments: Mapping[str, Deployment]
    services: Mapping[str, Service]
    revisions: Mapping[tuple[str, str], Service]
    settings: Mapping[str, ServiceSettings] = {}
    cancel_grace: int = Defaults().cancel_grace

    def handler(self, service: str, handler: str) -> Handler | None:
        """The newest revision's handler, or None when either is unknown."""
        found = self.services.get(service)
        return found.handlers.get(handler) if found else None
