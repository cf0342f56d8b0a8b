"""The app as a Lambda function: one event, one attempt."""

import base64
import importlib
import json
from typing import Any

import pytest

import perdure as restate
from perdure.protocol import versions
from perdure.protocol.framing import FrameDecoder
from perdure.protocol.messages import MessageType
from perdure.sdk import aws_lambda
from support.sdk_peer import input_command, opening

V7 = versions.invocation_content_type(7)


class Packed:
    """Stands for a package that compresses: what it does can be seen."""

    @staticmethod
    def compress(body: bytes) -> bytes:
        return b"packed:" + body[:10]

    @staticmethod
    def decompress(body: bytes) -> bytes:
        assert body.startswith(b"packed:")
        return body.removeprefix(b"packed:")


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "greeter")
    service = restate.Service("Greeter")

    @service.handler()
    async def greet(ctx: restate.Context, name: str) -> str:
        return f"hello {name}"

    return restate.app([service])


def invoke(handler: Any, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
    event = {
        "path": path,
        "httpMethod": "POST" if body else "GET",
        "headers": headers,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    answer = handler(event, None)
    assert answer["isBase64Encoded"] is True
    return answer, base64.b64decode(answer["body"], validate=True)


def test_discovery(handler: Any) -> None:
    answer, body = invoke(handler, "/discover", {"accept": versions.MANIFEST_ACCEPT})
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/vnd.restate.endpointmanifest.v4+json"
    assert json.loads(body)["protocolMode"] == "REQUEST_RESPONSE"


def test_attempts_one_after_the_other(handler: Any) -> None:
    for _ in range(3):
        answer, body = invoke(
            handler, "/invoke/Greeter/greet", {"Content-Type": V7}, opening([input_command(b'"Sam"')])
        )
        assert answer["statusCode"] == 200
        assert answer["headers"]["content-type"] == V7
        assert [frame.type for frame in FrameDecoder(1 << 20).feed(body)] == [
            MessageType.OUTPUT_COMMAND,
            MessageType.END,
        ]


def test_events_of_a_gateway(handler: Any) -> None:
    answer = handler({"rawPath": "/stage/health", "requestContext": {"http": {"method": "GET"}}}, None)
    assert answer["statusCode"] == 200
    assert base64.b64decode(answer["body"]) == b'{"status":"ok"}'
    plain = {"path": "/invoke/Greeter/greet", "headers": {"content-type": "text/plain"}, "body": "text"}
    assert handler(plain, None)["statusCode"] == 415


def test_bodies_that_cannot_be_read(handler: Any) -> None:
    event = {"path": "/health", "headers": None, "body": "***", "isBase64Encoded": True}
    assert handler(event, None)["statusCode"] == 400


def with_zstd(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    def importing(name: str) -> Any:
        if module is None or name != "zstandard":
            raise ImportError(name)
        return module

    monkeypatch.setattr(importlib, "import_module", importing)


def test_without_zstd_nothing_is_compressed(handler: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with_zstd(monkeypatch, None)
    made = restate.app([restate.Service("S")])
    assert "lambdaCompression" not in json.loads(invoke(made, "/discover", {"accept": versions.MANIFEST_ACCEPT})[1])
    assert invoke(made, "/health", {"content-encoding": "zstd"}, b"packed:")[0]["statusCode"] == 400


def test_large_responses_are_compressed_where_the_request_allows_it(
    handler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_zstd(monkeypatch, Packed)
    app = restate.Service("S")

    @app.handler()
    async def large(ctx: restate.Context) -> str:
        return "x" * aws_lambda.COMPRESS_FROM_BYTES

    made = restate.app([app])
    manifest = json.loads(invoke(made, "/discover", {"accept": versions.MANIFEST_ACCEPT})[1])
    assert manifest["lambdaCompression"] == "zstd"
    request = b"packed:" + opening([input_command(b"")])
    sent = {"content-type": V7, "content-encoding": "zstd"}
    answer, body = invoke(made, "/invoke/S/large", sent | {"accept-encoding": "zstd"}, request)
    assert answer["headers"]["content-encoding"] == "zstd"
    assert body.startswith(b"packed:")
    answer, body = invoke(made, "/invoke/S/large", sent, request)
    assert "content-encoding" not in answer["headers"]
    assert len(body) > aws_lambda.COMPRESS_FROM_BYTES
