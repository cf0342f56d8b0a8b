"""The route that starts an invocation, for operators and the web page; callers use the ingress."""

from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message

from perdure.admin.problems import ApiError, no_such_handler
from perdure.admin.requests import bad_query, path_service
from perdure.model.invocation import ServiceKind
from perdure.partition.gateway import Gateway

_PASSED: Final = frozenset({b"content-type", b"content-length", b"idempotency-key"})
"""Headers of callers that are passed on. Those of a browser would become part of the input."""


class Sends:
    """Handles `/services/{service}/handlers/{handler}/send`: hands it to the ingress, whose checks hold here too.

    ingress: the callers' API.
    """

    def __init__(self, gateway: Gateway, ingress: ASGIApp) -> None:
        self._gateway = gateway
        self._ingress = ingress

    async def send(self, request: Request) -> Response:
        status, body = await self._hand_over(request, self._path(request))
        if status != 202:
            raise ApiError(status, msgspec.json.decode(body)["message"])
        return Response(body, status, media_type="application/json")

    def _path(self, request: Request) -> str:
        """The handler's path on the ingress."""
        service, handler = path_service(request, self._gateway), request.path_params["handler"]
        name = service.name
        if handler not in service.handlers:
            raise no_such_handler(name, handler)
        key = request.query_params.get("key")
        if service.kind is ServiceKind.SERVICE:
            if key is not None:
                raise bad_query("key", f"the service '{name}' has no keys")
            return f"/restate/send/{name}/{handler}"
        if key is None:
            raise bad_query("key", f"missing; '{name}' has keys")
        return f"/restate/send/{name}/{quote(key, safe='')}/{handler}"

    async def _hand_over(self, request: Request, path: str) -> tuple[int, bytes]:
        """Status and body of the ingress's answer. Raises: ClientDisconnect."""
        delay = request.query_params.get("delay")
        scope: dict[str, Any] = {
            **request.scope,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"" if delay is None else urlencode({"delay": delay}).encode(),
            "headers": [(name, value) for name, value in request.headers.raw if name in _PASSED],
        }
        answered: list[Message] = []

        async def keep(message: Message) -> None:
            answered.append(message)

        await self._ingress(scope, request.receive, keep)
        if not answered:
            raise ClientDisconnect
        head, *rest = answered
        return head["status"], b"".join(message.get("body", b"") for message in rest)
