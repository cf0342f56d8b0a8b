"""An engine inside of a program: handlers, store and surfaces in one process, and no port."""

import shutil
import tempfile
from collections.abc import Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import ClassVar, Self

from starlette.types import ASGIApp

from perdure.admin.problems import ApiError
from perdure.client.client import Client
from perdure.client.in_memory import InMemoryConnection
from perdure.errors import PerdureError
from perdure.http.asgi_bridge import App, LifespanFailed
from perdure.http.exchange import Answerable, Pending
from perdure.ingress.app import IngressApp
from perdure.invoker.asgi import AsgiTransport
from perdure.node.node import Core
from perdure.node.settings import Settings, load_settings
from perdure.partition.loop import BATCH_MAX
from perdure.storage.sqlite.store import SqliteStore

_NOWHERE = "http://embedded"
"""What the admin API says of where the ingress is."""


class CannotEmbed(PerdureError):
    """An app given to an embedded engine does not start, or its services cannot be registered."""

    code: ClassVar[str] = "E0620"
    hint: ClassVar[str] = (
        "Pass ASGI apps that serve handlers, such as `perdure.app([service])`, and correct what it says."
    )


class Embedded:
    """Engine and handlers in this process, and no port.

        async with perdure.Embedded(app) as engine:
            greeting = await engine.client.call(greet, "Ada")

    client: a `Client` for calls, sends and remote control, without a socket; while the engine is not running, its
    methods raise NoConnection.

    `start` and `stop` do what the `async with` does, as often as wanted.
    """

    def __init__(
        self,
        *apps: App,
        data: str | PathLike[str] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Starts nothing yet.

        apps: any ASGI apps that serve handlers; with `data`, keep their order, for invocations know them by it.
        data: the folder that keeps what happened; None: a temporary one, and everything is forgotten at the end.
        settings: the server's, by name, such as `{"retry.max_attempts": 3}`; environment and files are not read.
        """
        self._apps = apps
        self._data = data
        self._overrides = settings or {}
        self._temporary: Path | None = None
        self._core: Core | None = None
        self._admin: ASGIApp | None = None
        self.client = Client(
            InMemoryConnection(self._ingress_app, self._answer_directly), InMemoryConnection(self._admin_app)
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Recovers what was running, and registers the apps.

        Raises: CannotEmbed (E0620); BadSetting (E0201); StorageError (E0300) and what derives from it, such as
        StoreLocked (E0302) when another process has the folder.
        """
        assert self._core is None, "the engine is running"
        settings = load_settings(None, {**self._overrides, "data": self._folder()}, surroundings=False)
        self._core = core = self._make_core(settings)
        try:
            await self._serve(core)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Closes attempts, which go on after the next start on the same data, and the store. Idempotent."""
        core, self._core, self._admin = self._core, None, None
        if core is not None:
            await core.stop()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    async def _serve(self, core: Core) -> None:
        transports = {f"perdure-asgi://app-{number}": self._transport(app) for number, app in enumerate(self._apps, 1)}
        for uri, transport in transports.items():
            # Before the recovery, so that what it starts finds its code.
            core.add_local(uri, transport)
            try:
                await transport.start()
            except LifespanFailed as error:
                raise CannotEmbed(f"an app does not start: {error}") from error
        await core.start()
        for uri, transport in transports.items():
            try:
                await core.register_local(uri, transport)
            except ApiError as error:
                raise CannotEmbed(f"the services of an app cannot be registered: {error.message}") from error

    def _make_core(self, settings: Settings) -> Core:
        open_store = SqliteStore if self._temporary is None else partial(SqliteStore, survives_power_loss=False)
        # Nobody else works while a batch is applied, so that small ones would only cost more syncs.
        return Core(settings, open_store=open_store, quick_batch=BATCH_MAX)

    def _transport(self, app: App) -> AsgiTransport:
        return AsgiTransport(app)

    def _folder(self) -> Path:
        if self._data is not None:
            return Path(self._data)
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="perdure-"))
        return self._temporary

    def _ingress_app(self) -> IngressApp | None:
        return None if self._core is None else self._core.ingress

    def _answer_directly(self, request: Answerable, body: bytes) -> Pending | None:
        return None if self._core is None else self._core.ingress.answer_directly(request, body)

    def _admin_app(self) -> ASGIApp | None:
        if self._admin is None and self._core is not None:
            # When it is wanted: many programs never ask, and it takes a while to build.
            self._admin = self._core.admin_app(_NOWHERE)
        return self._admin
