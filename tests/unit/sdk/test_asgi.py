"""The ASGI app: routes, versions, identity, and the bytes of an attempt in both directions."""

import asyncio
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import perdure as restate
from perdure.protocol import identity, versions
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import FrameDecoder
from perdure.protocol.messages import MessageType
from perdure.sdk import asgi
from perdure.sdk.asgi import AsgiApp
from perdure.sdk.definition_errors import BadIdentityKey
from perdure.sdk.endpoint import Endpoint
from perdure.sdk.identity import RequestVerifier
from support.asgi import Answer, Exchange, ask
from support.sdk_peer import frame, input_command, opening, signal

V7 = versions.invocation_content_type(7)
NOW_S = 1_800_000_000


class FixedClock:
    def now(self) -> int:
        return NOW_S * 1000


def greeter() -> Any:
    service = restate.Service("Greeter")

    @service.handler()
    async def greet(ctx: restate.Context, name: str) -> str:
        return f"hello {name}"

    @service.handler()
    async def wait(ctx: restate.Context) -> str:
        _, answer = ctx.awakeable(type_hint=str)
        return f"got {await answer}"

    return service


def app(**options: Any) -> AsgiApp:
    made = restate.app([greeter()], **options)
    assert isinstance(made, AsgiApp)
    return made


def get(path: str, headers: dict[str, str] | None = None, **options: Any) -> Answer:
    return asyncio.run(ask(app(**options), path, headers))


@pytest.mark.parametrize("prefix", ["", "/mounted", "/a/b"])
def test_routes_count_from_the_end(prefix: str) -> None:
    assert get(f"{prefix}/health").status == 200
    assert get(f"{prefix}/discover").status == 200
    assert get(f"{prefix}/invoke/Greeter/greet").status == 415
    assert get(f"{prefix}/invoke/Greeter/gone").status == 404


@pytest.mark.parametrize(
    "path", ["/", "", "/nothing", "/invoke/Greeter", "/health/", "/invoke/Greeter/greet/", "/invoke"]
)
def test_other_paths_are_not_found(path: str) -> None:
    answer = get(path)
    assert answer.status == 404
    assert "/invoke/{service}/{handler}" in answer.body.decode()


def test_health() -> None:
    answer = get("/health")
    assert json.loads(answer.body) == {"status": "ok"}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("options", "http_version", "mode"),
    [
        ({}, "2", "BIDI_STREAM"),
        ({}, "1.1", "REQUEST_RESPONSE"),
        ({"protocol": "bidi"}, "1.1", "BIDI_STREAM"),
        ({"protocol": "request_response"}, "2", "REQUEST_RESPONSE"),
    ],
)
def test_discovery_announces_what_the_transport_can(options: dict[str, Any], http_version: str, mode: str) -> None:
    headers = {"accept": versions.MANIFEST_ACCEPT}
    answer = asyncio.run(ask(app(**options), "/discover", headers, http_version=http_version))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/vnd.restate.endpointmanifest.v4+json"
    assert answer.headers["x-restate-server"].startswith("perdure-sdk-python/")
    assert json.loads(answer.body)["protocolMode"] == mode


def test_discovery_of_what_an_old_server_cannot_take() -> None:
    assert get("/discover", {"accept": "text/html"}).status == 415
    private = restate.app([restate.Service("Private", ingress_private=True)])
    answer = asyncio.run(ask(private, "/discover"))
    assert answer.status == 500
    assert "E0349" in answer.body.decode()


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "application/vnd.restate.invocation.v4", f"{V7};charset=utf-8"]
)
def test_a_version_that_is_not_spoken(content_type: str) -> None:
    answer = get("/invoke/Greeter/greet", {"content-type": content_type} if content_type else {})
    assert answer.status == 415
    assert "5 to 7" in answer.body.decode()


def frames(body: bytes) -> list[int]:
    return [one.type for one in FrameDecoder(1 << 20).feed(body)]


def test_an_attempt_over_request_and_response() -> None:
    body = opening([input_command(b'"Sam"')])
    answer = asyncio.run(ask(app(), "/invoke/Greeter/greet", {"content-type": V7}, body, http_version="1.1"))
    assert answer.status == 200
    assert answer.headers["content-type"] == V7
    assert answer.complete
    assert frames(answer.body) == [MessageType.OUTPUT_COMMAND, MessageType.END]
    assert b"hello Sam" in answer.body


def test_an_attempt_that_waits_is_suspended_when_the_request_ends() -> None:
    body = opening([input_command(b"")])
    answer = asyncio.run(ask(app(), "/invoke/Greeter/wait", {"content-type": V7}, body))
    assert frames(answer.body)[-1] == MessageType.SUSPENSION


def test_an_attempt_with_both_directions_open() -> None:
    async def talk() -> Answer:
        exchange = Exchange(app(), "/invoke/Greeter/wait", {"content-type": V7})
        for byte in opening([input_command(b"")]):
            exchange.send(bytes([byte]))  # cut anywhere
        await exchange.wait_for(lambda answer: MessageType.AWAITING_ON in frames(answer.body))
        assert not exchange.answer.complete
        result = pb.NotificationMessage(signal_id=17, value=pb.Value(content=b'"news"')).SerializeToString()
        exchange.send(frame(signal(result)))
        await exchange.wait_for(lambda answer: MessageType.END in frames(answer.body))
        assert not exchange.answer.complete  # the client closes its half first
        exchange.send(b"", more=False)
        answer = await exchange.wait_for(lambda answer: answer.complete)
        await exchange.task
        return answer

    answer = asyncio.run(talk())
    assert frames(answer.body)[-2:] == [MessageType.OUTPUT_COMMAND, MessageType.END]
    assert b"got news" in answer.body


def test_a_client_that_never_closes_its_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_REQUEST_END_SECONDS", 0.0)

    async def talk() -> None:
        exchange = Exchange(app(), "/invoke/Greeter/greet", {"content-type": V7})
        exchange.send(opening([input_command(b'"Sam"')]))
        await exchange.wait_for(lambda answer: answer.complete)
        await exchange.task

    asyncio.run(talk())


def test_a_client_that_goes_away_ends_the_attempt() -> None:
    left: list[str] = []
    service = restate.Service("S")

    @service.handler()
    async def wait(ctx: restate.Context) -> None:
        try:
            await ctx.awakeable()[1]
        except BaseException as error:
            left.append(type(error).__name__)
            raise

    async def talk() -> Answer:
        exchange = Exchange(restate.app([service]), "/invoke/S/wait", {"content-type": V7})
        exchange.send(opening([input_command(b"")]))
        await exchange.wait_for(lambda answer: MessageType.AWAITING_ON in frames(answer.body))
        exchange.go_away()
        async with asyncio.timeout(10):
            await exchange.task
        return exchange.answer

    answer = asyncio.run(talk())
    assert len(left) == 1
    assert MessageType.END not in frames(answer.body)


def test_a_body_that_is_not_of_the_protocol_is_answered_inside_the_response() -> None:
    for body in (b"", b"garbage of some length", opening([input_command(b"")])[:20]):
        answer = asyncio.run(ask(app(), "/invoke/Greeter/greet", {"content-type": V7}, body))
        assert answer.status == 200
        assert answer.complete


def test_what_does_not_fit_the_handler_fails_the_invocation() -> None:
    answer = asyncio.run(ask(app(), "/invoke/Greeter/greet", {"content-type": V7}, opening([input_command(b"3")])))
    assert frames(answer.body) == [MessageType.OUTPUT_COMMAND, MessageType.END]
    output = pb.OutputCommandMessage.FromString(FrameDecoder(1 << 20).feed(answer.body)[0].payload)
    assert output.failure.code == 400
    assert "Greeter/greet: the parameter `name` is not a str" in output.failure.message


def test_lifespan() -> None:
    async def live() -> list[str]:
        events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        told: list[str] = []

        async def receive() -> Any:
            return events.pop(0)

        async def send(message: Any) -> None:
            told.append(message["type"])

        await app()({"type": "lifespan"}, receive, send)
        return told

    assert asyncio.run(live()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


# ---- Request identity ----


def signer() -> identity.RequestSigner:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return identity.RequestSigner(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def verified(keys: list[str]) -> AsgiApp:
    built = Endpoint().bind(greeter())
    for key in keys:
        built.identity_key(key)
    return AsgiApp(built, clock=FixedClock())


def test_signed_requests_are_answered_and_others_are_not() -> None:
    signed, app = signer(), verified([OTHER_KEY, signer().kid])
    for path, key in (("/discover", None), ("/invoke/Greeter/greet", None), ("/invoke/Greeter/greet", "a key")):
        headers = dict(signed.headers(path, key, NOW_S))
        assert asyncio.run(ask(app, path, headers)).status != 401
        assert asyncio.run(ask(app, f"/mounted{path}", headers)).status != 401
        assert asyncio.run(ask(app, path)).status == 401
    assert asyncio.run(ask(app, "/health")).status == 200


OTHER_KEY = "publickeyv1_" + identity.base58(
    Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"x-restate-signature-scheme": "unsigned"}, "not v1"),
        ({"x-restate-signature-scheme": "v2"}, "not v1"),
        ({"x-restate-jwt-v1": ""}, "no token"),
        ({"x-restate-jwt-v1": "a.b"}, "no token"),
        ({"x-restate-jwt-v1": "a.b.c"}, "cannot be read"),
        ({"x-restate-jwt-v1": "e30.e30.e30"}, "cannot be read"),
        ({"x-restate-jwt-v1": "x" * 20_000}, "no token"),
        (dict(signer().headers("/invoke/Greeter/greet", None, NOW_S)), "another path"),
        (dict(signer().headers("/discover", None, NOW_S - 60)), "not valid now"),
        (dict(signer().headers("/discover", None, NOW_S + 61)), "not valid now"),
    ],
)
def test_requests_that_are_refused(change: dict[str, str], reason: str) -> None:
    headers = dict(signer().headers("/discover", None, NOW_S)) | change
    answer = asyncio.run(ask(verified([signer().kid]), "/discover", headers))
    assert answer.status == 401
    assert reason in answer.body.decode()


def test_a_signature_of_somebody_else() -> None:
    headers = dict(signer().headers("/discover", None, NOW_S))
    answer = asyncio.run(ask(verified([OTHER_KEY]), "/discover", headers))
    assert answer.status == 401
    assert "none of the known keys" in answer.body.decode()


@pytest.mark.parametrize("key", ["", "nope", "publickeyv1_", "publickeyv1_0", "publickeyv1_111", OTHER_KEY + "1"])
def test_keys_that_are_none(key: str) -> None:
    with pytest.raises(BadIdentityKey, match="E0348"):
        RequestVerifier([key])
    with pytest.raises(BadIdentityKey, match="E0348"):
        app(identity_keys=[key])
