"""How the admin API says no: JSON from the API itself, plain text from the parsing of requests."""

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response


class ApiError(Exception):
    """A request was understood and cannot be done. code: `META0003` and the like, or None."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


class RequestError(Exception):
    """A request could not be read."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class ErrorBody(msgspec.Struct, frozen=True):
    """Every JSON error. restate_code: stable code, explained in docs/reference/errors.md; null when there is none."""

    message: str
    restate_code: str | None = None


def error_response(status: int, message: str, code: str | None = None) -> Response:
    body = msgspec.json.encode(ErrorBody(message, code))
    return Response(body, status, media_type="application/json")


async def answer_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_response(error.status, error.message, error.code)


async def answer_request_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return PlainTextResponse(error.text, error.status)


def no_such_service(service: str) -> ApiError:
    return ApiError(404, f"The requested service '{service}' does not exist")


def no_such_handler(service: str, handler: str) -> ApiError:
    return ApiError(404, f"The requested handler '{handler}' on service '{service}' does not exist")


def no_such_deployment(deployment: str) -> ApiError:
    return ApiError(404, f"The requested deployment '{deployment}' does not exist")


def not_in_registry(what: str) -> ApiError:
    """what: for example `service with name 'X'`."""
    return ApiError(404, f"not found in the schema registry: {what}")


def bad_field(kind: str, name: str, reason: str) -> ApiError:
    """kind: `request field` or `query parameter`."""
    return ApiError(400, f"The {kind} '{name}' is invalid. Reason: {reason}")
