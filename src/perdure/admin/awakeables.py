"""Routes that complete awakeables, for operators and the web page; callers use the ingress."""

from starlette.requests import Request
from starlette.responses import Response

from perdure.admin import schemas
from perdure.admin.problems import bad_field
from perdure.admin.requests import read_body
from perdure.ids import BadId, decode_awakeable_id
from perdure.model.invocation import Failure, Outcome, Success
from perdure.model.records import CompleteSignal
from perdure.partition.gateway import Gateway


class Awakeables:
    """Handles `/awakeables`. As on the ingress, the first completion counts, and a later one is not told apart."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def resolve(self, request: Request) -> Response:
        asked = await read_body(request, schemas.ResolveAwakeableRequest)
        return await self._complete(request, Success(bytes(asked.value)))

    async def reject(self, request: Request) -> Response:
        asked = await read_body(request, schemas.RejectAwakeableRequest)
        return await self._complete(request, Failure(500, asked.message))

    async def _complete(self, request: Request, outcome: Outcome) -> Response:
        try:
            invocation_id, signal_id = decode_awakeable_id(request.path_params["awakeable_id"])
        except BadId as error:
            raise bad_field("request field", "awakeable_id", str(error)) from None
        await self._gateway.ask(
            lambda token: CompleteSignal(
                token, id=invocation_id, signal_id=signal_id, signal_name=None, outcome=outcome
            )
        )
        return Response(status_code=202)
