"""Routes that steer one invocation."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from perdure.admin.problems import ApiError
from perdure.admin.requests import bad_query, deployment_choice, invocation_path, journal_index, operator
from perdure.admin.responses import json_response
from perdure.admin.schemas import RestartAsNewResponse
from perdure.ids import random_unique, sibling_invocation_id
from perdure.model.actions import Done, Refused, Restarted
from perdure.model.records import Cancel, Kill, Pause, Purge, PurgeJournal, Record, RestartAsNew, Resume
from perdure.partition.gateway import Gateway

_MODES: Final[dict[str, type[Cancel | Kill | Purge]]] = {
    "Cancel": Cancel,
    "cancel": Cancel,
    "Kill": Kill,
    "kill": Kill,
    "Purge": Purge,
    "purge": Purge,
}


class Invocations:
    """Handles `/invocations/{invocation_id}`: 200 when it has happened, 202 when it will."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def cancel(self, request: Request) -> Response:
        target = invocation_path(request)
        by = operator(request)
        return await self._steer(lambda token: Cancel(token, id=target, operator=by))

    async def kill(self, request: Request) -> Response:
        target = invocation_path(request)
        by = operator(request)
        return await self._steer(lambda token: Kill(token, id=target, operator=by))

    async def pause(self, request: Request) -> Response:
        target = invocation_path(request)
        by = operator(request)
        return await self._steer(lambda token: Pause(token, id=target, operator=by))

    async def resume(self, request: Request) -> Response:
        target = invocation_path(request)
        deployment = deployment_choice(request, "keep")
        by = operator(request)
        return await self._steer(lambda token: Resume(token, id=target, deployment=deployment, operator=by))

    async def purge(self, request: Request) -> Response:
        target = invocation_path(request)
        by = operator(request)
        return await self._steer(lambda token: Purge(token, id=target, operator=by))

    async def purge_journal(self, request: Request) -> Response:
        target = invocation_path(request)
        by = operator(request)
        return await self._steer(lambda token: PurgeJournal(token, id=target, operator=by))

    async def restart_as_new(self, request: Request) -> Response:
        target = invocation_path(request)
        deployment = deployment_choice(request, "latest")
        from_index = journal_index(request, "from")
        key = request.query_params.get("key")
        by = operator(request)
        new_id = sibling_invocation_id(target, random_unique())
        answer = await self._gateway.ask(
            lambda token: RestartAsNew(
                token, id=target, new_id=new_id, from_index=from_index, deployment=deployment, key=key, operator=by
            )
        )
        if isinstance(answer, Refused):
            raise ApiError(answer.status, answer.message, answer.code)
        assert isinstance(answer, Restarted)
        return json_response(RestartAsNewResponse(answer.id, answer.id))

    async def delete(self, request: Request) -> Response:
        """The old way to do three of the above. It never tells what came of it."""
        target = invocation_path(request)
        mode = request.query_params.get("mode", "cancel")
        if mode not in _MODES:
            known = ", ".join(f"`{name}`" for name in _MODES)
            raise bad_query("mode", f"unknown variant `{mode}`, expected one of {known}")
        by = operator(request)
        await self._gateway.ask(lambda token: _MODES[mode](token, id=target, operator=by))
        return Response(status_code=202)

    async def _steer(self, build: Callable[[int], Record]) -> Response:
        answer = await self._gateway.ask(build)
        if isinstance(answer, Refused):
            raise ApiError(answer.status, answer.message, answer.code)
        assert isinstance(answer, Done)
        return Response(status_code=200 if answer.immediate else 202)
