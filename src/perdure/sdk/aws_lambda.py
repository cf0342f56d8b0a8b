"""The app as an AWS Lambda function: one event is one request, its body in base64, and the result the response.

Lambda knows no streams, so attempts get their whole journal at once and answer at once. Events are those of a
server that invokes the function, or of a function URL or an API gateway in front of it.
"""

import asyncio
import base64
import binascii
import importlib
import os
import weakref
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from perdure.sdk.asgi import AsgiApp

COMPRESS_FROM_BYTES: Final = 3 * 1024 * 1024
"""Larger responses are compressed, if the request allows it: Lambda's own limit is 6 MiB."""

_ZSTD_MODULES: Final = ("compression.zstd", "backports.zstd", "zstandard")


def is_running_on_lambda() -> bool:
    """True in a Lambda function: where the environment has `AWS_LAMBDA_FUNCTION_NAME`."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def wrap_asgi_as_lambda_handler(asgi_app: AsgiApp) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """A Lambda handler for an app that `perdure.app` made. `perdure.app` does it by itself on Lambda.

    It takes an event of a function URL, an API gateway or a server that invokes the function, and returns a response
    whose body is base64. Bodies above 3 MiB are compressed with zstd where a package for it is installed and the
    request allows it; Lambda's own limit is 6 MiB. A body that cannot be read is answered with status 400.
    """
    zstd = _zstd()
    asgi_app.lambda_compression = zstd is not None
    # One loop for all events, as the process stays.
    runner = asyncio.Runner()

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return runner.run(_handle(asgi_app, event, zstd))

    weakref.finalize(handler, runner.close)
    return handler


def _zstd() -> Any:
    """What compresses and decompresses; None if nothing is installed that does. Python has it from 3.14 on."""
    for name in _ZSTD_MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


class _Answer:
    """Collects a response."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: dict[str, str] = {}
        self.body = bytearray()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")


async def _handle(asgi_app: AsgiApp, event: dict[str, Any], zstd: Any) -> dict[str, Any]:
    headers = {name.lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    answer = _Answer()
    try:
        body = _body(event, headers, zstd)
    except ValueError as error:
        answer.status, answer.body = 400, bytearray(f"the body cannot be read: {error}", "utf-8")
        answer.headers = {"content-type": "text/plain; charset=utf-8"}
        return _response(answer, "", zstd)
    pending: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> MutableMapping[str, Any]:
        if pending:
            return pending.pop()
        # Whoever waits for a disconnect waits until the response is complete.
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]  # never done

    await asgi_app(_scope(event, headers), receive, answer.send)
    return _response(answer, headers.get("accept-encoding", ""), zstd)


def _scope(event: dict[str, Any], headers: dict[str, str]) -> MutableMapping[str, Any]:
    gateway = event.get("requestContext", {}).get("http", {})
    path = str(event.get("path") or event.get("rawPath") or "/")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": event.get("httpMethod") or gateway.get("method") or "POST",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()],
        "client": None,
        "server": None,
        "extensions": {},
    }


def _body(event: dict[str, Any], headers: dict[str, str], zstd: Any) -> bytes:
    """Raises: ValueError."""
    text = event.get("body") or ""
    if event.get("isBase64Encoded", False):
        try:
            body = base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from None
    else:
        body = text.encode()
    if "zstd" in headers.get("content-encoding", ""):
        if zstd is None:
            raise ValueError("it is compressed with zstd, and no package here can decompress that")
        return bytes(zstd.decompress(body))
    return body


def _response(answer: _Answer, accepted: str, zstd: Any) -> dict[str, Any]:
    body = bytes(answer.body)
    if zstd is not None and "zstd" in accepted and len(body) > COMPRESS_FROM_BYTES:
        body = bytes(zstd.compress(body))
        answer.headers["content-encoding"] = "zstd"
    answer.headers.pop("content-length", None)
    return {
        "statusCode": answer.status,
        "headers": answer.headers,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
