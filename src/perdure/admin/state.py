"""The route that replaces the state of a key."""

from starlette.requests import Request
from starlette.responses import Response

from perdure.admin import schemas
from perdure.admin.problems import ApiError, no_such_service
from perdure.admin.requests import read_body
from perdure.model.actions import Refused
from perdure.model.invocation import ServiceKind
from perdure.model.records import ModifyState, StateMutation
from perdure.partition.gateway import Gateway


class State:
    """Handles `/services/{service}/state`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def replace(self, request: Request) -> Response:
        service = request.path_params["service"]
        asked = await read_body(request, schemas.ModifyServiceStateRequest)
        found = self._gateway.registry.services.get(service)
        if found is None and asked.new_state:
            # An empty state is let through: it removes what a deleted service left behind.
            raise no_such_service(service)
        if found is not None and found.kind is ServiceKind.SERVICE:
            raise ApiError(400, "Cannot modify state for service type Service")
        if asked.scope:
            # Keys of a scope are apart from those without one, and none of them has state here.
            return Response(status_code=202)
        state = {
            name: value.encode() if isinstance(value, str) else bytes(value) for name, value in asked.new_state.items()
        }
        mutation = StateMutation(service, asked.object_key, state, asked.version)
        answer = await self._gateway.ask(lambda token: ModifyState(token, mutation=mutation))
        if isinstance(answer, Refused):
            raise ApiError(answer.status, answer.message, answer.code)
        return Response(status_code=202)
