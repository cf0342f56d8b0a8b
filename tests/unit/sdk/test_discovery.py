"""The manifest: read by our own parser, and compared with the official SDK's for the same definitions."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest
import restate

from perdure.protocol.manifest import parse_manifest
from perdure.protocol.versions import MANIFEST_ACCEPT
from perdure.sdk import definitions, services
from perdure.sdk import serde as serdes
from perdure.sdk.definition_errors import ManifestTooOld
from perdure.sdk.discovery import choose_version, content_type, manifest
from support.asgi import ask


@dataclass
class Point:
    x: int


class Trip(pydantic.BaseModel):
    city: str
    nights: int = 1


class Ticket(msgspec.Struct):
    seat: str


class Message(TypedDict):
    role: str


class Ours:
    Service = services.Service
    VirtualObject = services.VirtualObject
    Workflow = services.Workflow
    InvocationRetryPolicy = definitions.InvocationRetryPolicy
    serde = serdes


def policy(sdk: Any) -> Any:
    return sdk.InvocationRetryPolicy(
        initial_interval=timedelta(milliseconds=10),
        exponentiation_factor=1.5,
        max_interval=timedelta(seconds=1),
        max_attempts=3,
        on_max_attempts="kill",
    )


TIMES: dict[str, Any] = {
    "inactivity_timeout": timedelta(milliseconds=1500),
    "abort_timeout": timedelta(seconds=3),
    "journal_retention": timedelta(days=1),
}


def with_every_option(sdk: Any) -> Any:
    service = sdk.Service(
        "S",
        description="what it does",
        metadata={"team": "a"},
        idempotency_retention=timedelta(days=2),
        ingress_private=True,
        invocation_retry_policy=policy(sdk),
        **TIMES,
    )

    @service.handler(
        metadata={"k": "v"},
        idempotency_retention=timedelta(hours=1),
        ingress_private=True,
        invocation_retry_policy=policy(sdk),
        **TIMES,
    )
    async def documented(ctx: Any, value: int) -> str:
        """One line.

        More.
        """

    return service


def with_every_hint(sdk: Any) -> Any:
    """Hints that both SDKs understand alike."""
    service = sdk.Service("Hints")

    @service.handler()
    async def nothing(ctx: Any): ...

    @service.handler()
    async def no_hints(ctx, value): ...

    @service.handler()
    async def anything(ctx: Any, value: Any) -> Any: ...

    @service.handler()
    async def no_result(ctx: Any, value: bool) -> None: ...

    @service.handler()
    async def model(ctx: Any, trip: Trip) -> Trip: ...

    @service.handler()
    async def struct(ctx: Any, ticket: Ticket) -> Ticket: ...

    @service.handler()
    async def numbers(ctx: Any, numbers: list[int]) -> list[float]: ...

    @service.handler("raw", input_serde=sdk.serde.BytesSerde(), output_serde=sdk.serde.BytesSerde())
    async def of_another_name(ctx: Any, body: bytes) -> bytes: ...

    @service.handler(accept="text/*", content_type="text/plain")
    async def text(ctx: Any, body: str) -> str: ...

    return service


def with_keys(sdk: Any) -> list[Any]:
    entity = sdk.VirtualObject("O", enable_lazy_state=True, metadata={})

    @entity.handler(enable_lazy_state=False)
    async def exclusive(ctx: Any, value: int) -> None: ...

    @entity.handler(kind="shared")
    async def shared(ctx: Any) -> int: ...

    @entity.handler(kind="exclusive", ingress_private=False)
    async def default(ctx: Any, value: int = 3) -> int: ...

    workflow = sdk.Workflow("W", idempotency_retention=timedelta(days=7))

    @workflow.main(workflow_retention=timedelta(days=3), **TIMES)
    async def run(ctx: Any, value: int) -> None: ...

    @workflow.handler(idempotency_retention=timedelta(days=3))
    async def look(ctx: Any) -> None: ...

    return [entity, workflow]


def make(sdk: Any) -> list[Any]:
    """The same definitions with either SDK."""
    return [with_every_option(sdk), with_every_hint(sdk), *with_keys(sdk)]


def ours(version: int) -> dict[str, Any]:
    body = manifest([service.definition for service in make(Ours)], version, "BIDI_STREAM")
    parse_manifest(content_type(version), body)
    found: dict[str, Any] = json.loads(body)
    return found


def test_as_the_official_sdk() -> None:
    answer = asyncio.run(ask(restate.app(make(restate)), "/discover", {"accept": content_type(4)}))
    assert ours(4) == json.loads(answer.body)


def test_both_directions_only_where_the_server_has_them() -> None:
    empty: list[definitions.ServiceDefinition] = []
    assert json.loads(manifest(empty, 4, "REQUEST_RESPONSE")) == {
        "protocolMode": "REQUEST_RESPONSE",
        "minProtocolVersion": 5,
        "maxProtocolVersion": 7,
        "services": [],
    }
    assert json.loads(manifest(empty, 4, "REQUEST_RESPONSE", lambda_compression=True))["lambdaCompression"] == "zstd"
    assert "lambdaCompression" not in json.loads(manifest(empty, 3, "REQUEST_RESPONSE", lambda_compression=True))


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (MANIFEST_ACCEPT, 4),
        ("application/vnd.restate.endpointmanifest.v3+json,application/vnd.restate.endpointmanifest.v2+json", 3),
        ("application/vnd.restate.endpointmanifest.v1+json", 1),
        ("application/vnd.restate.endpointmanifest.v9+json", None),
        (None, 2),
        ("*/*", 2),
        ("text/html", None),
    ],
)
def test_the_newest_version_that_is_asked_for(accept: str | None, version: int | None) -> None:
    assert choose_version(accept) == version


def test_options_that_an_old_manifest_has_no_place_for() -> None:
    private = services.Service("S", ingress_private=True, description="what it does")
    assert manifest([private.definition], 3, "BIDI_STREAM")
    with pytest.raises(ManifestTooOld, match="S: ingressPrivate needs version 3 of the manifest, asked for is 2"):
        manifest([private.definition], 2, "BIDI_STREAM")
    retried = services.Service("S", invocation_retry_policy=definitions.InvocationRetryPolicy(max_attempts=1))
    with pytest.raises(ManifestTooOld, match="needs version 4"):
        manifest([retried.definition], 3, "BIDI_STREAM")
    described = services.Service("S", description="what it does", metadata={"a": "b"})
    assert "documentation" in json.loads(manifest([described.definition], 2, "BIDI_STREAM"))["services"][0]
    assert json.loads(manifest([described.definition], 1, "BIDI_STREAM"))["services"] == [
        {"name": "S", "ty": "SERVICE", "handlers": []}
    ]


def payloads(handler: Any) -> tuple[Any, Any]:
    service = services.Service("S")
    service.handler(name="h")(handler)
    body = manifest([service.definition], 4, "BIDI_STREAM")
    parse_manifest(content_type(4), body)
    found = json.loads(body)["services"][0]["handlers"][0]
    return found["input"], found["output"]


def test_schemas_of_what_the_official_sdk_has_none_for() -> None:
    async def handler(ctx: Any, point: Point) -> list[Message]: ...

    taken, given = payloads(handler)
    assert taken["jsonSchema"]["$defs"]["Point"]["properties"] == {"x": {"type": "integer"}}
    assert given["jsonSchema"]["$defs"]["Message"]["properties"] == {"role": {"type": "string"}}


def test_the_schema_of_several_parameters() -> None:
    class Point(pydantic.BaseModel):
        """Another one of that name."""

        place: str

    first, second = globals()["Point"], Point

    async def handler(ctx: Any, here: first, there: second | None = None, *, note: str = "") -> None: ...  # type: ignore[valid-type]

    taken, _ = payloads(handler)
    schema = taken["jsonSchema"]
    assert schema["type"] == "object"
    assert schema["required"] == ["here"]
    assert schema["properties"]["here"] == {"$ref": "#/$defs/Point"}
    assert schema["properties"]["there"]["anyOf"] == [{"$ref": "#/$defs/there.Point"}, {"type": "null"}]
    assert schema["properties"]["note"] == {"type": "string"}
    assert set(schema["$defs"]["Point"]["properties"]) == {"x"}
    assert set(schema["$defs"]["there.Point"]["properties"]) == {"place"}


def test_bytes_are_not_json() -> None:
    async def handler(ctx: Any, body: bytes) -> bytes: ...

    taken, given = payloads(handler)
    assert taken["contentType"] == "*/*"
    assert given["contentType"] == "application/octet-stream"


def test_a_class_that_nobody_knows_is_any_value() -> None:
    class Strange: ...

    async def handler(ctx: Any, value: Strange) -> dict[str, Strange]: ...

    taken, given = payloads(handler)
    assert taken["jsonSchema"] is True
    assert given["jsonSchema"] is True
