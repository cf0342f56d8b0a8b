"""Discovery, against an endpoint that answers as told."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from perdure.invoker import discovery
from perdure.invoker.discovery import Discovery, DiscoveryError
from perdure.invoker.endpoint import connect
from perdure.invoker.transport import Request, StreamHandler, TransportError
from perdure.model.registry import Discovered

URI = "http://localhost:9080/"
V4 = "application/vnd.restate.endpointmanifest.v4+json"
MANIFEST = {"protocolMode": "BIDI_STREAM", "minProtocolVersion": 5, "maxProtocolVersion": 7, "services": []}
BODY = msgspec.json.encode(MANIFEST)

Answer = tuple[int, dict[str, str], bytes] | TransportError


class Endpoint:
    """A transport that gives its answers in turn; the last one again and again."""

    bidirectional = True

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.closed = False

    def open(self, request: Request, handler: StreamHandler) -> "Endpoint":
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        asyncio.get_running_loop().call_soon(self._answer, handler, answer)
        return self

    def _answer(self, handler: StreamHandler, answer: Answer) -> None:
        if isinstance(answer, TransportError):
            handler.stream_failed(answer)
            return
        status, headers, body = answer
        handler.head_received(status, headers)
        if body:
            handler.data_received(body)
        handler.end_received()

    def send(self, data: bytes) -> None:
        raise AssertionError("a discovery request has no body")

    def half_close(self) -> None: ...
    def reset(self) -> None: ...
    def consumed(self, size: int) -> None: ...

    async def close(self) -> None:
        self.closed = True


def manifest(**changes: Any) -> Answer:
    return 200, {"content-type": V4}, msgspec.json.encode(MANIFEST | changes)


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Discovered]:
    """Discovers an endpoint without waiting between tries."""
    monkeypatch.setattr(discovery, "RETRY_DELAYS", (0, 0))

    def discover(endpoint: Endpoint, **more: Any) -> Discovered:
        sign = more.pop("sign", None)
        return asyncio.run(Discovery(lambda uri, *, http11: endpoint, sign).discover(URI, **more))

    return discover


def test_what_is_asked_and_found(ask: Callable[..., Discovered]) -> None:
    endpoint = Endpoint((200, {"content-type": V4, "x-restate-server": "sdk/1"}, BODY))
    found = ask(endpoint, headers={"X-Auth": "y"}, sign=lambda path: [("signed", path)])
    assert found == Discovered(True, "HTTP/2.0", 5, 7, "sdk/1", BODY)
    [request] = endpoint.requests
    assert (request.method, request.path) == ("GET", "/discover")
    accept, *others = request.headers
    assert accept[0] == "accept"
    assert V4 in accept[1]
    assert others == [("x-auth", "y"), ("signed", "/discover")]
    assert endpoint.closed


def test_a_transport_that_is_given_stays_open() -> None:
    endpoint = Endpoint(manifest(protocolMode="REQUEST_RESPONSE"))
    found = asyncio.run(Discovery(connect).discover_over(endpoint, "perdure-worker://app"))
    assert not found.bidirectional
    assert not endpoint.closed


@pytest.mark.parametrize("trouble", [(503, {}, b"busy"), (429, {}, b""), TransportError("connection refused")])
def test_trouble_that_may_pass_is_tried_again(ask: Callable[..., Discovered], trouble: Answer) -> None:
    endpoint = Endpoint(trouble, trouble, manifest())
    assert ask(endpoint).max_version == 7
    assert len(endpoint.requests) == 3
    with pytest.raises(DiscoveryError) as refused:
        ask(Endpoint(trouble))
    assert (refused.value.code, refused.value.status) == ("META0003", 500)


@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [
        ((404, {}, b""), "META0003", 500),
        ((401, {}, b"who are you"), "META0003", 500),
        ((200, {}, BODY), "META0013", 500),
        ((200, {"content-type": "application/json"}, BODY), "META0013", 500),
        ((200, {"content-type": f"{V4}; charset=utf-8"}, BODY), "META0013", 500),
        ((200, {"content-type": V4}, b"{"), None, 500),
        ((200, {"content-type": V4}, b" " * (discovery.MANIFEST_LIMIT + 1)), "META0013", 500),
        (manifest(protocolMode=None), "META0013", 500),
        (manifest(minProtocolVersion=8, maxProtocolVersion=9), "META0012", 500),
        (manifest(unknown=1), None, 500),
        (manifest(services=[{"name": "openapi", "ty": "SERVICE", "handlers": []}]), "META0005", 400),
        (
            manifest(services=[{"name": "S", "ty": "SERVICE", "handlers": [{"name": "h", "ty": "EXCLUSIVE"}]}]),
            None,
            400,
        ),
    ],
)
def test_what_is_no_use_trying_again(ask: Callable[..., Discovered], answer: Answer, code: str, status: int) -> None:
    endpoint = Endpoint(answer)
    with pytest.raises(DiscoveryError) as refused:
        ask(endpoint)
    assert (refused.value.code, refused.value.status) == (code, status)
    assert len(endpoint.requests) == 1


def test_an_endpoint_that_only_speaks_http_1() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def discover() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await Discovery(connect).discover(f"http://127.0.0.1:{port}/")

    with pytest.raises(DiscoveryError, match="use_http_11") as refused:
        asyncio.run(discover())
    assert refused.value.code == "META0014"


def test_an_address_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "RETRY_DELAYS", (0,))

    async def discover() -> None:
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await Discovery(connect).discover(f"http://127.0.0.1:{port}/")

    with pytest.raises(DiscoveryError, match="error when calling"):
        asyncio.run(discover())
