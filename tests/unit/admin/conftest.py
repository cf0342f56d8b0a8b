"""A gateway without an engine, and a discovery without a network."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from perdure.admin.app import create_app
from perdure.admin.registrar import Registrar
from perdure.admin.settings import AdminSettings
from perdure.ingress.app import IngressApp
from perdure.ingress.settings import IngressSettings
from perdure.introspection.result import QueryResult, Shape
from perdure.invoker.discovery import DiscoveryError
from perdure.model.actions import Done, Refused
from perdure.model.records import DeleteDeployment, Invoke, PutDeployment, PutServiceSettings, Record
from perdure.model.registry import Defaults, Deployment, Discovered, Registry, ServiceSettings
from perdure.protocol.manifest import ManifestError, parse_manifest
from perdure.registration.services import build_registry

NOW = 1_795_170_000_625


class FakeGateway:
    """Keeps deployments and settings; every other record is remembered and answered with `answer`."""

    def __init__(self, defaults: Defaults | None = None) -> None:
        self.defaults = defaults or Defaults()
        self.deployments: dict[str, Deployment] = {}
        self.settings: dict[str, ServiceSettings] = {}
        self.records: list[Record] = []
        self.answer: Done | Refused = Done()

    @property
    def registry(self) -> Registry:
        return build_registry(self.deployments.values(), self.settings, self.defaults)

    async def ask(self, build: Callable[[int], Record]) -> Any:
        match build(1):
            case PutDeployment() as record:
                self.deployments[record.deployment.id] = record.deployment
                if record.reset_settings:
                    for name in record.deployment.revisions:
                        self.settings.pop(name, None)
                return Done()
            case DeleteDeployment() as record:
                if record.if_drained and isinstance(self.answer, Refused):
                    return self.answer
                del self.deployments[record.id]
                return Done()
            case PutServiceSettings() as record:
                self.settings[record.service] = record.settings
                return Done()
            case record:
                self.records.append(record)
                return self.answer

    def new_token(self) -> int:
        return 1

    async def call(self, record: Invoke) -> Any:
        return await self.ask(lambda token: record)


class FakeDiscovery:
    """Knows manifests by address."""

    def __init__(self) -> None:
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []

    async def discover(self, uri: str, *, http11: bool = False, headers: Mapping[str, str] | None = None) -> Discovered:
        self.asked.append(uri)
        if uri not in self.endpoints:
            raise DiscoveryError(f"error when calling '{uri}': connection refused")
        found = self.endpoints[uri]
        try:
            parse_manifest("application/vnd.restate.endpointmanifest.v4+json", msgspec.json.encode(found))
        except ManifestError as error:
            raise DiscoveryError(str(error), error.restate_code, error.http_status) from None
        return discovered(found, http11=http11)


def discovered(manifest: dict[str, Any], *, http11: bool = False) -> Discovered:
    return Discovered(
        bidirectional=manifest["protocolMode"] == "BIDI_STREAM",
        http_version="HTTP/1.1" if http11 else "HTTP/2.0",
        min_version=manifest["minProtocolVersion"],
        max_version=manifest["maxProtocolVersion"],
        sdk_version="restate-sdk-python/1.2.0",
        manifest=msgspec.json.encode(manifest),
    )


def manifest(*services: dict[str, Any], mode: str = "BIDI_STREAM") -> dict[str, Any]:
    return {"protocolMode": mode, "minProtocolVersion": 5, "maxProtocolVersion": 7, "services": list(services)}


def service(name: str, ty: str, *handlers: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "ty": ty, "handlers": list(handlers), **more}


def json_handler(name: str, ty: str | None = None, kind: str = "string", **more: Any) -> dict[str, Any]:
    """A handler as the Python SDK describes one that takes and gives JSON."""
    schema = {"required": False, "contentType": "application/json", "jsonSchema": {"type": kind}}
    output = {"contentType": "application/json", "setContentTypeIfEmpty": False, "jsonSchema": {"type": kind}}
    return {"name": name, "ty": ty, "input": schema, "output": output, **more}


class FakeClock:
    def now(self) -> int:
        return NOW


class FakeQueryEngine:
    """Tells in which shape it was asked to answer."""

    async def query(self, text: str, shape: Shape) -> QueryResult:
        return QueryResult((), shape.value.encode(), f"x/{shape.value}")


class Admin:
    """The admin API over fakes."""

    def __init__(self, defaults: Defaults | None = None, query_engine: Any = None) -> None:
        self.gateway = FakeGateway(defaults)
        self.discovery = FakeDiscovery()
        registrar = Registrar(self.gateway, self.discovery, FakeClock(), self.gateway.defaults)
        settings = AdminSettings(ingress_endpoint="http://localhost:8080/")
        no_hub: Any = None
        ingress = IngressApp(self.gateway, IngressSettings(), FakeClock())
        self.app = create_app(self.gateway, registrar, query_engine or FakeQueryEngine(), settings, no_hub, ingress)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
                return await client.request(method, path, **more)

        return asyncio.run(send())

    service = staticmethod(service)
    handler = staticmethod(json_handler)

    def offer(self, uri: str, *services: dict[str, Any], mode: str = "BIDI_STREAM") -> None:
        """From now on discovery finds these services there."""
        self.discovery.endpoints[uri] = manifest(*services, mode=mode)

    def register(self, uri: str, *services: dict[str, Any], **options: Any) -> httpx.Response:
        self.offer(uri, *services)
        return self.request("POST", "/deployments", json={"uri": uri, **options})


@pytest.fixture
def admin() -> Admin:
    return Admin()


@pytest.fixture
def make_admin() -> type[Admin]:
    """For tests that need other defaults or a query engine."""
    return Admin
