"""Reads requests: bodies, path and query parameters. What cannot be read is a `RequestError` in plain text."""

from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request

from perdure.admin.problems import ApiError, RequestError, bad_field, no_such_service
from perdure.ids import BadId, decode_deployment_id, decode_invocation_id
from perdure.model.durations import BadDuration, parse_duration
from perdure.model.records import Operator
from perdure.model.registry import Service
from perdure.partition.gateway import Gateway

BODY_LIMIT: Final = 2 * 1024 * 1024
"""The longest request body, in bytes."""

LONGEST_MS: Final = 2**53 - 1
"""The longest duration, as in manifests: added to any time, it still fits into the 64 bits of a stored one."""

T = TypeVar("T")


class Duration(int):
    """Milliseconds, written in JSON as words or ISO 8601."""


def _decode_hook(wanted: type, value: Any) -> Any:
    if wanted is not Duration:
        raise NotImplementedError
    if not isinstance(value, str):
        raise BadDuration("expected a duration as text, such as `90s`, `2 hours` or `PT30M`")
    milliseconds = parse_duration(value)
    if milliseconds > LONGEST_MS:
        raise BadDuration("it is too long")
    return Duration(milliseconds)


async def read_body(request: Request, wanted: type[T]) -> T:
    """The JSON body as that type; unknown fields are ignored."""
    if not _is_json(request.headers.get("content-type", "")):
        raise RequestError(415, "Expected request with `Content-Type: application/json`")
    body = await _read_limited(request)
    try:
        return msgspec.json.decode(body, type=wanted, dec_hook=_decode_hook)
    except (msgspec.ValidationError, BadDuration) as error:
        raise wrong_shape(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(400, f"Failed to parse the request body as JSON: {error}") from None


def wrong_shape(reason: str) -> RequestError:
    return RequestError(422, f"Failed to deserialize the JSON body into the target type: {reason}")


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


async def _read_limited(request: Request) -> bytes:
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT:
            raise RequestError(413, "Failed to buffer the request body: length limit exceeded")
        chunks.append(chunk)
    return b"".join(chunks)


def deployment_path(request: Request) -> str:
    value: str = request.path_params["deployment"]
    try:
        decode_deployment_id(value)
    except BadId as error:
        raise RequestError(400, f"Invalid URL: Cannot parse `deployment` with value `{value}`: {error}") from None
    return value


def invocation_path(request: Request) -> str:
    value: str = request.path_params["invocation_id"]
    try:
        decode_invocation_id(value)
    except BadId as error:
        raise bad_field("request field", "invocation_id", str(error)) from None
    return value


def flag(request: Request, name: str) -> bool:
    """A query parameter that is `true` or `false`, by default false."""
    value = request.query_params.get(name)
    if value in (None, "true", "false"):
        return value == "true"
    raise bad_query(name, "provided string was not `true` or `false`")


def bad_query(name: str, reason: str) -> RequestError:
    return RequestError(400, f"Failed to deserialize query string: {name}: {reason}")


def deployment_choice(request: Request, default: str) -> str:
    """Where to run from now on: `keep`, `latest` or a deployment id."""
    try:
        return read_deployment_choice(request.query_params.get("deployment", default))
    except BadId:
        raise bad_field("query parameter", "deployment", "bad format") from None


def path_service(request: Request, gateway: Gateway) -> Service:
    """The newest revision of the service in the path. Raises: ApiError 404."""
    name = request.path_params["service"]
    found = gateway.registry.services.get(name)
    if found is None:
        raise no_such_service(name)
    return found


def read_deployment_choice(value: str) -> str:
    """Raises: BadId."""
    if value in ("keep", "Keep", "latest", "Latest"):
        return value.lower()
    decode_deployment_id(value)
    return value


def operator(request: Request) -> Operator | None:
    """Who asks, and why, in a header or in the query; None: neither was told."""
    actor, reason = _told(request, "actor"), _told(request, "reason")
    return None if actor is None and reason is None else Operator(actor, reason)


def _told(request: Request, name: str) -> str | None:
    text = request.query_params.get(name)
    if text is None:
        header = request.headers.get(f"x-perdure-{name}")
        text = None if header is None else _unicode(header)
    if text is not None and len(text) > _TOLD_MAX:
        raise RequestError(400, f"The {name} has {len(text)} characters, more than {_TOLD_MAX}: shorten it.")
    return text or None


_TOLD_MAX: Final = 1000


def _unicode(header: str) -> str:
    """Header values are bytes; most clients that send more than ASCII send UTF-8."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeDecodeError:
        return header


def journal_index(request: Request, name: str) -> int:
    """A query parameter that counts from 0, by default 0."""
    value = request.query_params.get(name, "0")
    if not value:
        raise bad_query(name, "cannot parse integer from empty string")
    if not (value.isascii() and value.isdigit()):
        raise bad_query(name, "invalid digit found in string")
    if len(value) > _DIGITS_MAX or int(value) > _INDEX_MAX:
        raise bad_query(name, "number too large to fit in target type")
    return int(value)


_INDEX_MAX: Final = 2**32 - 1
_DIGITS_MAX: Final = 32


def api_version(request: Request) -> int | None:
    """The version named in the path (2 to 4); None for a bare path."""
    version: int | None = request.scope.get("perdure.admin_version")
    return version


def unsupported(message: str) -> ApiError:
    return ApiError(501, message)
