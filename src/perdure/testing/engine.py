"""An embedded engine in virtual time that can crash, and that shows what it holds."""

import asyncio
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import TypeVar

from perdure.embedded import Embedded
from perdure.engine.tx import BuildRegistry, Tx
from perdure.http.asgi_bridge import App
from perdure.invoker.asgi import AsgiTransport
from perdure.node.node import Core
from perdure.node.settings import Settings
from perdure.storage.sqlite.store import SqliteStore
from perdure.testing.conditions import Conditions, SimulatedTransport
from perdure.testing.journals import Journal, record
from perdure.testing.virtual_time import VirtualClock, VirtualTimeLoop

T = TypeVar("T")

_DEFAULTS: Mapping[str, object] = {"cleanup_interval": "10 days"}


class PowerLoss(BaseException):
    """The engine dies here. No `Exception`, so that nothing on its way handles it."""


class PowerSwitch:
    """Turns the power off at one of the commits after `arm`: before it, or when it is durable and nobody knows.

    commits: how many there were since then.
    """

    def __init__(self) -> None:
        self.off = asyncio.Event()
        self.commits = 0
        self._at: int | None = None
        self._before = False

    def arm(self, at: int | None, *, before: bool) -> None:
        """at: number of the commit, from 1; None: the power stays on."""
        self.off.clear()
        self.commits, self._at, self._before = 0, at, before

    def around(self, commit: Callable[[], None]) -> None:
        """Raises: PowerLoss."""
        self.commits += 1
        here = self.commits == self._at
        if not (here and self._before):
            commit()
        if here:
            self.off.set()
            raise PowerLoss


class _SwitchedStore(SqliteStore):
    def __init__(self, data: Path, build_registry: BuildRegistry, switch: PowerSwitch) -> None:
        super().__init__(data, build_registry, survives_power_loss=False)
        self._switch = switch

    def commit(self) -> None:
        self._switch.around(super().commit)


class SimulatedEngine(Embedded):
    """An engine for tests: `Embedded`, and what only tests want. Runs on a `VirtualTimeLoop`; see `Harness`.

    data, settings: as for `Embedded`.
    conditions: how handlers run.
    switch: turns its power off.
    """

    def __init__(
        self,
        *apps: App,
        data: str | PathLike[str] | None = None,
        settings: Mapping[str, object] | None = None,
        conditions: Conditions | None = None,
    ) -> None:
        super().__init__(*apps, data=data, settings={**_DEFAULTS, **(settings or {})})
        self.conditions = conditions or Conditions()
        self.switch = PowerSwitch()

    async def journal(self, invocation_id: str) -> Journal:
        """What an invocation, `inv_…`, has recorded so far, to look at, or to keep for `assert_replays`.

        Raises: KeyError if it is unknown.
        """
        return await self.read(lambda tx: record(tx, invocation_id))

    async def state(self, service: str, key: str) -> dict[str, bytes]:
        """What a virtual object or workflow remembers under a key: names, and values as the bytes of their serdes."""
        return await self.read(lambda tx: {name.decode(): value for name, value in tx.state(service, key)})

    async def read(self, look: Callable[[Tx], T]) -> T:
        """What `look` makes of the tables, while nothing changes them."""
        assert self._core is not None, "the engine is not running"
        return await self._core.partition.read(look)

    async def crash(self) -> None:
        """Dies as a process that is killed: what is not durable is lost, and callers hear no more. Then `start` it."""
        assert self._core is not None, "the engine is not running"
        core, self._core, self._admin = self._core, None, None
        await core.abandon()

    def _make_core(self, settings: Settings) -> Core:
        def open_store(data: Path, build_registry: BuildRegistry) -> SqliteStore:
            return _SwitchedStore(data, build_registry, self.switch)

        return Core(settings, _clock(), open_store=open_store)

    def _transport(self, app: App) -> AsgiTransport:
        return SimulatedTransport(app, self.conditions, _clock())


def _clock() -> VirtualClock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop), "run this with `perdure.testing.Harness` or `@simulated`"
    return VirtualClock(loop)
