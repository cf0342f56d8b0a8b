"""Routes that answer what invocations wait for, for operators and the web page; callers and handlers have their own."""

from starlette.requests import Request
from starlette.responses import Response

from perdure.admin import schemas
from perdure.admin.problems import ApiError, bad_field
from perdure.admin.requests import invocation_path, path_service, read_body
from perdure.ids import BadId, decode_awakeable_id
from perdure.model.actions import Refused
from perdure.model.invocation import Failure, Outcome, ServiceKind, Success
from perdure.model.records import CompletePromise, CompleteSignal
from perdure.partition.gateway import Gateway


class Answers:
    """Handles `/awakeables`, `/invocations/{invocation_id}/signals` and `/services/{service}/promises`.

    The first completion counts. Of an awakeable or a signal a later one is not told apart, as on the ingress.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def resolve_awakeable(self, request: Request) -> Response:
        asked = await read_body(request, schemas.ResolveAwakeableRequest)
        return await self._complete_awakeable(request, Success(bytes(asked.value)))

    async def reject_awakeable(self, request: Request) -> Response:
        asked = await read_body(request, schemas.RejectAwakeableRequest)
        return await self._complete_awakeable(request, Failure(500, asked.message))

    async def resolve_signal(self, request: Request) -> Response:
        asked = await read_body(request, schemas.ResolveSignalRequest)
        return await self._signal(invocation_path(request), None, asked.name, Success(bytes(asked.value)))

    async def reject_signal(self, request: Request) -> Response:
        asked = await read_body(request, schemas.RejectSignalRequest)
        return await self._signal(invocation_path(request), None, asked.name, Failure(500, asked.message))

    async def resolve_promise(self, request: Request) -> Response:
        asked = await read_body(request, schemas.ResolvePromiseRequest)
        return await self._complete_promise(request, asked.key, asked.name, Success(bytes(asked.value)))

    async def reject_promise(self, request: Request) -> Response:
        asked = await read_body(request, schemas.RejectPromiseRequest)
        return await self._complete_promise(request, asked.key, asked.name, Failure(500, asked.message))

    async def _complete_awakeable(self, request: Request, outcome: Outcome) -> Response:
        try:
            invocation_id, signal_id = decode_awakeable_id(request.path_params["awakeable_id"])
        except BadId as error:
            raise bad_field("request field", "awakeable_id", str(error)) from None
        return await self._signal(invocation_id, signal_id, None, outcome)

    async def _signal(
        self, invocation_id: str, signal_id: int | None, signal_name: str | None, outcome: Outcome
    ) -> Response:
        await self._gateway.ask(
            lambda token: CompleteSignal(
                token, id=invocation_id, signal_id=signal_id, signal_name=signal_name, outcome=outcome
            )
        )
        return Response(status_code=202)

    async def _complete_promise(self, request: Request, key: str, name: str, outcome: Outcome) -> Response:
        service = path_service(request, self._gateway)
        if service.kind is not ServiceKind.WORKFLOW:
            raise ApiError(400, f"The service '{service.name}' has no promises: only workflows do")
        answer = await self._gateway.ask(
            lambda token: CompletePromise(token, service=service.name, key=key, name=name, outcome=outcome)
        )
        if isinstance(answer, Refused):
            raise ApiError(answer.status, answer.message, answer.code)
        return Response(status_code=200)
