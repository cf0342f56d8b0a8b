"""Routes that change the state of a key."""

from starlette.requests import Request
from starlette.responses import Response

from perdure.admin import schemas
from perdure.admin.problems import ApiError, no_such_service
from perdure.admin.requests import path_service, read_body
from perdure.admin.responses import json_response
from perdure.model.actions import Done, Refused
from perdure.model.invocation import ServiceKind
from perdure.model.records import EntryChange, ModifyState, StateMutation
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
        state = {name: _bytes(value) for name, value in asked.new_state.items()}
        await self._modify(StateMutation(service, asked.object_key, state, asked.version))
        return Response(status_code=202)

    async def change_entry(self, request: Request) -> Response:
        asked = await read_body(request, schemas.ChangeStateEntryRequest)
        service = path_service(request, self._gateway)
        if service.kind is ServiceKind.SERVICE:
            raise ApiError(400, "Cannot modify state for service type Service")
        before = None if asked.before is None else _bytes(asked.before)
        value = None if asked.value is None else _bytes(asked.value)
        change = EntryChange(asked.name, before, value)
        done = await self._modify(StateMutation(service.name, asked.object_key, {}, change=change))
        return json_response(schemas.ChangeStateEntryResponse(done.immediate), 200 if done.immediate else 202)

    async def _modify(self, mutation: StateMutation) -> Done:
        answer = await self._gateway.ask(lambda token: ModifyState(token, mutation=mutation))
        if isinstance(answer, Refused):
            raise ApiError(answer.status, answer.message, answer.code)
        assert isinstance(answer, Done)
        return answer


def _bytes(value: list[int] | str) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
