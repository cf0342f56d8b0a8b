"""The composition root: builds a server from its parts, starts and stops them in order."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import structlog
from starlette.types import ASGIApp

from perdure.admin.registrar import Registrar
from perdure.admin.settings import COMPATIBLE_VERSION, AdminSettings
from perdure.clock import Clock, SystemClock
from perdure.engine.lifecycle.purge import SWEEP_PER_TURN
from perdure.engine.tx import BuildRegistry
from perdure.errors import StoreUnavailable
from perdure.events.hub import Hub
from perdure.events.reader import Reader
from perdure.http.asgi_bridge import App
from perdure.http.server import HttpServer
from perdure.ids import random_unique
from perdure.ingress.app import IngressApp
from perdure.introspection.functions import Surroundings
from perdure.introspection.query import QueryEngine
from perdure.invoker.asgi import AsgiTransport
from perdure.invoker.discovery import Discovery
from perdure.invoker.endpoint import connect
from perdure.invoker.endpoints import Endpoints
from perdure.invoker.invoker import Invoker
from perdure.invoker.transport import Transport
from perdure.model.records import Sweep
from perdure.model.registry import Deployment, Registry, ServiceSettings
from perdure.node.settings import (
    Settings,
    ingress_settings,
    invoker_settings,
    listen_address,
    listens_on_loopback,
    registry_defaults,
)
from perdure.partition.loop import QUICK_BATCH_MAX, Partition
from perdure.protocol.identity import BadIdentityKey, RequestSigner
from perdure.registration.planning import Registration
from perdure.registration.services import build_registry
from perdure.storage.sqlite.store import SqliteStore
from perdure.ui.app import create_ui

log = structlog.get_logger()

OpenStore = Callable[[Path, BuildRegistry], SqliteStore]
"""Opens the partition's tables in a data folder."""


class Core:
    """Everything of a server but its sockets. Use inside a running event loop; `start` and `stop` once each.

    ingress, admin: the ASGI apps of the two surfaces.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        *,
        open_store: OpenStore = SqliteStore,
        quick_batch: int = QUICK_BATCH_MAX,
    ) -> None:
        """Opens the store. open_store: how. quick_batch: see `Partition`. Raises: StorageError, BadIdentityKey."""
        self._settings = settings
        self._clock = clock or SystemClock()
        defaults = registry_defaults(settings)
        signer = _signer(settings)

        def snapshot(deployments: Iterable[Deployment], changes: Mapping[str, ServiceSettings]) -> Registry:
            return build_registry(deployments, changes, defaults)

        self._store = open_store(settings.data, snapshot)
        self._endpoints = Endpoints(self._clock, signer)
        self.partition = Partition(self._store, self._clock, quick_batch)
        self.invoker = Invoker(self.partition, self._endpoints, self._clock, invoker_settings(settings))
        self._signer = signer
        self._sweeper: asyncio.Task[None] | None = None
        discovery = Discovery(connect, self._sign_discovery if signer is not None else None)
        self._registrar = Registrar(self.partition, discovery, self._clock, defaults)
        self._query_engine = QueryEngine(
            self._store.path,
            lambda: self.partition.registry,
            self.invoker.open_attempts,
            self._clock,
            server_version=COMPATIBLE_VERSION,
            attempt=self.invoker.attempt,
        )
        self.ingress = IngressApp(self.partition, ingress_settings(settings), self._clock)
        self._hub = Hub(
            self.partition, self.invoker, self._reader(), self._reader(), self._clock, epoch=random_unique().hex()
        )

    def add_local(self, uri: str, transport: Transport) -> None:
        """Makes code that runs beside the engine reachable; before `start`, so that what is recovered finds it."""
        self._endpoints.add_local(uri, transport)

    async def add_app(self, name: str, app: App) -> None:
        """Serves an ASGI app in this process and registers its services. After `start`."""
        uri = f"perdure-asgi://{name}"
        transport = AsgiTransport(app)
        await transport.start()
        self.add_local(uri, transport)
        await self.register_local(uri, transport)

    async def start(self) -> None:
        """Recovers what was running and begins to work. Raises: StoreUnavailable."""
        await self.partition.start(self.invoker)
        self._sweeper = asyncio.create_task(self._sweep(), name="sweeper")

    async def register_local(self, uri: str, transport: Transport) -> list[str]:
        """Registers the code behind a local address, or what has become of it. Returns: names of its services."""
        registered = await self._registrar.register(Registration(uri, force=True), transport=transport)
        return [service.name for service in registered.services]

    def admin_app(self, ingress_url: str) -> ASGIApp:
        """The operators' surface. ingress_url: what it says of where callers go."""
        # FastAPI takes longer to load than all the rest, and most embedded engines are never asked.
        from perdure.admin.app import create_app

        protocol_v7 = self._settings.highest_protocol_version >= 7
        admin = AdminSettings(
            ingress_endpoint=f"{ingress_url}/",
            protocol_v7=protocol_v7,
            loopback=listens_on_loopback(self._settings.admin),
            hosts=frozenset(self._settings.admin_hosts),
        )
        return create_app(
            self.partition, self._registrar, self._query_engine, admin, self._hub, self.ingress, create_ui()
        )

    async def stop(self) -> None:
        """Lets requests drain, closes attempts (they go on after the next start), and closes the store."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._hub.close()
        await self._close_surfaces()
        await self.invoker.stop()
        await self.partition.stop()
        await self._query_engine.close()
        self._store.close()

    async def abandon(self) -> None:
        """Ends as a crash of the process would: what is not durable is lost, nobody is told. For tests of recovery."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        await self._hub.close()
        await self.partition.abandon()
        await self.invoker.stop()
        await self._query_engine.close()
        self._store.abandon()

    async def _close_surfaces(self) -> None:
        """Lets requests drain; without sockets there is nobody to wait for."""

    def _reader(self) -> Reader:
        surroundings = Surroundings(COMPATIBLE_VERSION, self.invoker.attempt)
        surroundings.open_attempts = self.invoker.open_attempts()
        return Reader(self._store.path, surroundings, lambda: self.partition.registry)

    def _sign_discovery(self, path: str) -> list[tuple[str, str]]:
        assert self._signer is not None
        return self._signer.headers(path, None, self._clock.now() // 1000)

    async def _sweep(self) -> None:
        while True:
            removed = SWEEP_PER_TURN
            while removed == SWEEP_PER_TURN:
                try:
                    removed = await self.partition.ask(lambda token: Sweep(reply_to=token))
                except StoreUnavailable as error:
                    log.warning("sweep postponed", reason=str(error))
                    break
            await asyncio.sleep(self._settings.cleanup_interval / 1000)


class Node(Core):
    """A whole server in this process, with its addresses."""

    def __init__(self, settings: Settings, clock: Clock | None = None, *, open_store: OpenStore = SqliteStore) -> None:
        """Opens the store. Raises: StorageError, BadIdentityKey."""
        super().__init__(settings, clock, open_store=open_store)
        self._callers: HttpServer | None = None
        self._operators: HttpServer | None = None

    async def start(self) -> None:
        """Takes over the addresses, recovers what was running, serves. Raises: CannotListen, StoreUnavailable."""
        settings = self._settings
        host, port = listen_address(settings.ingress)
        ingress = self.ingress
        self._callers = await HttpServer.start(
            ingress, host, port, self._clock, cancel_when_gone=True, answer_directly=ingress.answer_directly
        )
        host, port = listen_address(settings.admin)
        self._operators = await HttpServer.start(self.admin_app(self.ingress_url), host, port, self._clock)
        await super().start()

    @property
    def ingress_url(self) -> str:
        assert self._callers is not None
        return self._settings.ingress_url or f"http://{_reachable(self._callers.address)}"

    @property
    def admin_url(self) -> str:
        assert self._operators is not None
        return f"http://{_reachable(self._operators.address)}"

    async def _close_surfaces(self) -> None:
        servers = [server for server in (self._callers, self._operators) if server is not None]
        drain = self._settings.shutdown_timeout / 1000
        await asyncio.gather(*(server.stop(drain) for server in servers))


def _signer(settings: Settings) -> RequestSigner | None:
    if settings.identity_key is None:
        return None
    try:
        pem = settings.identity_key.read_bytes()
    except OSError as error:
        raise BadIdentityKey(f"the identity key {settings.identity_key} cannot be read: {error.strerror}") from None
    return RequestSigner(pem)


def _reachable(address: str) -> str:
    """What a browser on this machine can open: the wildcard address is no destination."""
    host, _, port = address.rpartition(":")
    return f"localhost:{port}" if host in ("0.0.0.0", "[::]") else address
