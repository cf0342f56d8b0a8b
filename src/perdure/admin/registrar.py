"""Changes the registry: discovers, decides and stores, one change at a time."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from perdure.admin.problems import ApiError, no_such_deployment, not_in_registry
from perdure.clock import Clock
from perdure.ids import new_deployment_id
from perdure.invoker.discovery import Discovery, DiscoveryError
from perdure.invoker.transport import Transport
from perdure.model.actions import Refused
from perdure.model.invocation import ServiceKind
from perdure.model.records import DeleteDeployment, PutDeployment, PutServiceSettings, Record
from perdure.model.registry import Defaults, Deployment, Discovered, Service, ServiceSettings
from perdure.partition.gateway import Gateway
from perdure.registration.planning import (
    Planned,
    Registration,
    RegistrationError,
    find_by_uri,
    plan_registration,
    plan_update,
)
from perdure.registration.services import services_of


class Registered(msgspec.Struct, frozen=True):
    """A deployment as it is now, or would be after a dry run. created: its id is new."""

    deployment: Deployment
    services: list[Service]
    created: bool


class Registrar:
    """The one writer of the registry. All methods raise `ApiError`.

    A decision is made on the snapshot of the moment and stored before the next one is made: hence the lock, and
    hence the gateway must show the new snapshot by the time it answers a record. Discovery is not under the lock,
    because it may take seconds; what it found is held against the snapshot afterwards.
    """

    def __init__(self, gateway: Gateway, discovery: Discovery, clock: Clock, defaults: Defaults) -> None:
        self._gateway = gateway
        self._discovery = discovery
        self._clock = clock
        self._defaults = defaults
        self._lock = asyncio.Lock()

    async def register(
        self,
        request: Registration,
        *,
        http11: bool = False,
        dry_run: bool = False,
        transport: Transport | None = None,
    ) -> Registered:
        """Registers an endpoint, or finds it registered. transport: a way to it that is open already."""
        known = self._known(request)
        if known is not None:
            return known
        discovered = await self._discover(request.uri, http11, request.additional_headers, transport)
        async with self._lock:
            known = self._known(request)
            if known is not None:
                return known
            now = self._clock.now()
            try:
                planned = plan_registration(self._gateway.registry, discovered, request, new_deployment_id(now), now)
            except RegistrationError as error:
                raise _refusal(error) from None
            return await self._store(planned, dry_run)

    def _known(self, request: Registration) -> Registered | None:
        if request.force:
            return None
        known = find_by_uri(self._gateway.registry, request.uri)
        return None if known is None else Registered(known, self.services(known), created=False)

    async def update(
        self,
        deployment_id: str,
        uri: str | None,
        additional_headers: dict[str, str] | None,
        *,
        http11: bool | None = None,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Registered:
        """Changes where a deployment is, or what is sent along. None: as it was."""
        old = self.deployment(deployment_id)
        if uri is None and additional_headers is None and http11 is None and not overwrite:
            return Registered(old, self.services(old), created=False)
        new_uri = uri or old.uri
        new_headers = old.additional_headers if additional_headers is None else additional_headers
        over_http11 = old.http_version == "HTTP/1.1" if http11 is None else http11
        discovered = await self._discover(new_uri, over_http11, new_headers, None)
        async with self._lock:
            old = self.deployment(deployment_id)
            try:
                planned = plan_update(
                    self._gateway.registry, old, discovered, new_uri, new_headers, overwrite=overwrite
                )
            except RegistrationError as error:
                raise _refusal(error) from None
            return await self._store(planned, dry_run)

    async def delete(self, deployment_id: str, *, force: bool) -> None:
        """Removes a deployment; without force only a drained one."""
        async with self._lock:
            if deployment_id not in self._gateway.registry.deployments:
                raise not_in_registry(f"deployment with id '{deployment_id}'")
            await self._ask(lambda token: DeleteDeployment(token, id=deployment_id, if_drained=not force))

    async def change_settings(self, service: str, changes: ServiceSettings) -> Service:
        """Changes what is not None in `changes`."""
        async with self._lock:
            registry = self._gateway.registry
            found = registry.services.get(service)
            if found is None:
                raise not_in_registry(f"service with name '{service}'")
            if changes.workflow_completion_retention is not None and found.kind is not ServiceKind.WORKFLOW:
                shown = {ServiceKind.SERVICE: "Service", ServiceKind.VIRTUAL_OBJECT: "VirtualObject"}[found.kind]
                raise ApiError(400, f"modifying retention time for service type {shown} is unsupported")
            before = registry.settings.get(service, ServiceSettings())
            after = _merged(before, changes)
            if after != before:
                await self._ask(lambda token: PutServiceSettings(token, service=service, settings=after))
            deployment = registry.deployments[found.deployment_id]
            built = services_of(deployment, {service: after}, self._defaults)
            return next(candidate for candidate in built if candidate.name == service)

    def deployment(self, deployment_id: str) -> Deployment:
        found = self._gateway.registry.deployments.get(deployment_id)
        if found is None:
            raise no_such_deployment(deployment_id)
        return found

    def services(self, deployment: Deployment) -> list[Service]:
        """What a registered deployment offers, in the revisions it has there."""
        revisions = self._gateway.registry.revisions
        return [revisions[deployment.id, name] for name in deployment.revisions]

    async def _discover(
        self, uri: str, http11: bool, headers: Mapping[str, str], transport: Transport | None
    ) -> Discovered:
        try:
            if transport is not None:
                return await self._discovery.discover_over(transport, uri, headers=headers)
            return await self._discovery.discover(uri, http11=http11, headers=headers)
        except DiscoveryError as error:
            raise ApiError(error.status, _with_code(str(error), error.code), error.code) from None

    async def _store(self, planned: Planned, dry_run: bool) -> Registered:
        deployment = planned.deployment
        if not dry_run:
            await self._ask(
                lambda token: PutDeployment(token, deployment=deployment, reset_settings=planned.reset_settings)
            )
        settings = {} if planned.reset_settings else self._gateway.registry.settings
        return Registered(deployment, services_of(deployment, settings, self._defaults), planned.created)

    async def _ask(self, build: Callable[[int], Record]) -> None:
        answer = await self._gateway.ask(build)
        if isinstance(answer, Refused):
            raise ApiError(answer.status, answer.message, answer.code)


def _merged(before: ServiceSettings, changes: ServiceSettings) -> ServiceSettings:
    changed: dict[str, object] = {
        name: value for name, value in msgspec.structs.asdict(changes).items() if value is not None
    }
    return msgspec.structs.replace(before, **changed)


def _with_code(message: str, code: str | None) -> str:
    return f"[{code}] {message}" if code else message


def _refusal(error: RegistrationError) -> ApiError:
    return ApiError(error.status, _with_code(str(error), error.code), error.code)
