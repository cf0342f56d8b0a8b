"""What callers are answered: bodies, headers, cross-origin headers."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from perdure.model.invocation import Failure, Success
from perdure.model.registry import OutputRules

Headers = list[tuple[bytes, bytes]]

METHOD_NOT_ALLOWED: Final = "method not allowed"
NOT_FOUND: Final = "not found"

_JSON: Final = (b"content-type", b"application/json")
_FROM_INGRESS: Final = (b"x-restate-error-source", b"ingress")
_FROM_INVOCATION: Final = (b"x-restate-error-source", b"invocation")
_VARY: Final = (b"vary", b"origin, access-control-request-method, access-control-request-headers")
_CREDENTIALS: Final = (b"access-control-allow-credentials", b"true")
_ANY: Final = OutputRules(content_type="application/json", set_if_empty=False)
LATEST_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, where RFC 3339 ends."""


class IngressError(Exception):
    """A request the ingress itself turns down. status: HTTP status. `message` is for the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Answer(msgspec.Struct, gc=False):
    """One complete response, but for the headers every response has."""

    status: int
    headers: Headers
    body: bytes = b""


class _ErrorBody(msgspec.Struct, omit_defaults=True, gc=False):
    """Field order is the order on the wire."""

    code: int
    message: str
    stacktrace: str | None = None
    metadata: dict[str, str] | None = None
    source: str = ""


def refusal(status: int, message: str) -> Answer:
    """An error made by the server."""
    body = msgspec.json.encode(_ErrorBody(status, message, source="ingress"))
    return Answer(status, [_FROM_INGRESS, _JSON], body)


def outcome(
    invocation_id: str, result: Success | Failure, output: OutputRules | None, expires_at: int | None = None
) -> Answer:
    """The durable outcome of an invocation. output: None when the handler is not registered any more."""
    headers: Headers = [(b"x-restate-id", invocation_id.encode())]
    if expires_at is not None:
        headers.append((b"idempotency-expires", _rfc3339(expires_at, "+00:00").encode()))
    if isinstance(result, Success):
        rules = output or _ANY
        if rules.content_type is not None and (result.value or rules.set_if_empty):
            headers.append((b"content-type", rules.content_type.encode()))
        return Answer(200, headers, result.value)
    metadata = dict(result.metadata) or None
    body = _ErrorBody(result.code, result.message, result.stacktrace, metadata, "invocation")
    headers += (_FROM_INVOCATION, _JSON)
    return Answer(failure_status(result.code), headers, msgspec.json.encode(body))


def failure_status(code: int) -> int:
    """The HTTP status that shows a failure's code: the code itself where HTTP can carry it, else 500.

    1xx codes announce that a final response follows, so a client would wait for one for ever.
    """
    return code if 200 <= code <= 999 else 500


def accepted(invocation_id: str, created: bool, execution_time: int | None) -> Answer:
    """A send is durable. execution_time: ms since the epoch."""
    when = "" if execution_time is None else f'"executionTime":"{_rfc3339(execution_time, "000000Z")}",'
    status = "Accepted" if created else "PreviouslyAccepted"
    body = f'{{"invocationId":"{invocation_id}",{when}"status":"{status}"}}'
    return Answer(202, [_JSON, (b"x-restate-id", invocation_id.encode())], body.encode())


def json_answer(value: Any) -> Answer:
    return Answer(200, [_JSON], msgspec.json.encode(value))


def done() -> Answer:
    """Something asked for is durable, and there is nothing to tell."""
    return Answer(202, [])


def too_large() -> Answer:
    """The head announces a body above the limit. Sent before anything is looked at, hence plain text."""
    return Answer(413, [(b"content-type", b"text/plain; charset=utf-8")], b"length limit exceeded")


def preflight(request: dict[bytes, bytes]) -> Answer:
    """OPTIONS on any path. request: the headers."""
    headers: Headers = []
    if (method := request.get(b"access-control-request-method")) is not None:
        headers.append((b"access-control-allow-methods", method))
    if (names := request.get(b"access-control-request-headers")) is not None:
        headers.append((b"access-control-allow-headers", names))
    return Answer(200, headers)


def add_cross_origin(headers: Headers, origin: bytes | None) -> None:
    headers += (_VARY, _CREDENTIALS)
    if origin is not None:
        headers.append((b"access-control-allow-origin", origin))


def _rfc3339(time_ms: int, suffix: str) -> str:
    """`2026-11-20T10:17:25.587` and the suffix."""
    seconds, ms = divmod(min(time_ms, LATEST_MS), 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}{suffix}"
