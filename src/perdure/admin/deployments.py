"""Routes of deployments."""

from starlette.requests import Request
from starlette.responses import Response

from perdure.admin import schemas
from perdure.admin.problems import ApiError, bad_field
from perdure.admin.registrar import Registered, Registrar
from perdure.admin.requests import api_version, deployment_path, flag, read_body, unsupported, wrong_shape
from perdure.admin.responses import json_response
from perdure.admin.views import deployment_view, registered, short_deployment_view
from perdure.partition.gateway import Gateway
from perdure.registration.planning import BadUri, Registration, RelativeUri, find_by_uri, normalise_uri

_LAMBDA = "AWS Lambda deployments are not supported. Serve the endpoint over HTTP and register its `uri`."


class Deployments:
    """Handles `/deployments`."""

    def __init__(self, gateway: Gateway, registrar: Registrar) -> None:
        self._gateway = gateway
        self._registrar = registrar

    async def register(self, request: Request) -> Response:
        asked = await read_body(request, schemas.RegisterDeploymentRequest)
        if asked.uri is None:
            raise _without_address(asked.arn)
        _refuse_auth(asked.auth)
        old_style = api_version(request) == 2
        force = old_style if asked.force is None else asked.force
        registration = Registration(
            uri=_uri(asked.uri),
            additional_headers=_headers(asked.additional_headers or {}),
            metadata=asked.metadata or {},
            force=force,
            breaking=asked.breaking,
        )
        known = find_by_uri(self._gateway.registry, registration.uri)
        if known is not None and old_style and not force:
            raise ApiError(409, f"Conflict: deployment {known.id} already exists")
        done = await self._registrar.register(registration, http11=asked.use_http_11, dry_run=asked.dry_run)
        status = 201 if done.created or old_style else 200
        view = registered(done.deployment, done.services)
        return json_response(view, status, {"location": f"deployments/{done.deployment.id}"})

    async def list(self, _: Request) -> Response:
        deployments = self._gateway.registry.deployments.values()
        return json_response(schemas.ListDeploymentsResponse([short_deployment_view(one) for one in deployments]))

    async def get(self, request: Request) -> Response:
        deployment = self._registrar.deployment(deployment_path(request))
        return json_response(deployment_view(deployment, self._registrar.services(deployment)))

    async def update(self, request: Request) -> Response:
        deployment_id = deployment_path(request)
        asked = await read_body(request, schemas.UpdateDeploymentRequest)
        if asked.arn is not None or asked.assume_role_arn is not None:
            raise unsupported(_LAMBDA)
        done = await self._registrar.update(
            deployment_id,
            None if asked.uri is None else _uri(asked.uri),
            None if asked.additional_headers is None else _headers(asked.additional_headers),
            http11=asked.use_http_11,
            overwrite=asked.overwrite,
            dry_run=asked.dry_run,
        )
        return json_response(deployment_view(done.deployment, done.services))

    async def replace(self, request: Request) -> Response:
        """The way of version 2 to say: update with overwrite."""
        if api_version(request) != 2:
            raise ApiError(405, "PUT deployment is deprecated, use PATCH instead")
        deployment_id = deployment_path(request)
        asked = await read_body(request, schemas.RegisterDeploymentRequest)
        if asked.uri is None:
            raise _without_address(asked.arn)
        _refuse_auth(asked.auth)
        done: Registered = await self._registrar.update(
            deployment_id,
            _uri(asked.uri),
            _headers(asked.additional_headers or {}),
            http11=asked.use_http_11,
            overwrite=True,
            dry_run=asked.dry_run,
        )
        return json_response(deployment_view(done.deployment, done.services))

    async def delete(self, request: Request) -> Response:
        deployment_id = deployment_path(request)
        await self._registrar.delete(deployment_id, force=flag(request, "force"))
        return Response(status_code=202)


def _without_address(arn: str | None) -> Exception:
    if arn is None:
        return wrong_shape("missing field `uri`: the address of the endpoint, such as http://localhost:9080")
    if arn.count(":") < 7:
        return bad_field("request field", "arn", "A qualified ARN must have 8 components delimited by `:`")
    return unsupported(_LAMBDA)


def _refuse_auth(auth: object) -> None:
    if auth is not None:
        raise unsupported("`auth` is not supported. Send a token in `additional_headers` instead.")


def _uri(text: str) -> str:
    try:
        return normalise_uri(text)
    except RelativeUri as error:
        raise bad_field("request field", "uri", str(error)) from None
    except BadUri as error:
        raise wrong_shape(f"uri: {error}") from None


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not name or not all("!" <= char <= "~" and char not in '",/:;<=>?@[\\]{}()' for char in name):
            raise wrong_shape(f"additional_headers: '{name}' is not a header name")
        if not all(" " <= char <= "~" for char in value):
            raise wrong_shape(f"additional_headers: the value of '{name}' is not printable ASCII")
    return {name.lower(): value for name, value in headers.items()}
