"""Routes of services and their handlers."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from perdure.admin import schemas
from perdure.admin.problems import no_such_handler
from perdure.admin.registrar import Registrar
from perdure.admin.requests import path_service, read_body
from perdure.admin.responses import json_response
from perdure.admin.service_openapi import describe_service
from perdure.admin.views import handler_view, service_view
from perdure.model.registry import ServiceSettings
from perdure.partition.gateway import Gateway


class Services:
    """Handles `/services`."""

    def __init__(self, gateway: Gateway, registrar: Registrar, ingress_endpoint: str) -> None:
        self._gateway = gateway
        self._registrar = registrar
        self._ingress_endpoint = ingress_endpoint

    async def list(self, _: Request) -> Response:
        services = self._gateway.registry.services.values()
        return json_response(schemas.ListServicesResponse([service_view(service) for service in services]))

    async def get(self, request: Request) -> Response:
        return json_response(service_view(path_service(request, self._gateway)))

    async def modify(self, request: Request) -> Response:
        asked = await read_body(request, schemas.ModifyServiceRequest)
        # Converted, for a duration must be a plain number by the time that settings are stored.
        changes = msgspec.convert(asked, ServiceSettings, from_attributes=True)
        return json_response(
            service_view(await self._registrar.change_settings(request.path_params["service"], changes))
        )

    async def handlers(self, request: Request) -> Response:
        handlers = path_service(request, self._gateway).handlers.values()
        return json_response(schemas.ListHandlersResponse([handler_view(handler) for handler in handlers]))

    async def handler(self, request: Request) -> Response:
        service, name = request.path_params["service"], request.path_params["handler"]
        found = self._gateway.registry.handler(service, name)
        if found is None:
            raise no_such_handler(service, name)
        return json_response(handler_view(found))

    async def openapi(self, request: Request) -> Response:
        return json_response(describe_service(path_service(request, self._gateway), self._ingress_endpoint))
