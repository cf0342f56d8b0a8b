"""The same invocation again and again, with a crash at another place each time."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from perdure import ids
from perdure.client.calls import NO_INPUT
from perdure.client.handle import InvocationHandle
from perdure.client.targets import target_of
from perdure.engine.tx import Tx
from perdure.http.asgi_bridge import App
from perdure.model.invocation import HandlerKind
from perdure.protocol.messages import MessageType
from perdure.sdk.exceptions import TerminalError
from perdure.testing.conditions import Conditions, Step
from perdure.testing.engine import SimulatedEngine
from perdure.testing.running import run_apart

Meanwhile = Callable[[SimulatedEngine, InvocationHandle[Any]], Awaitable[None]]

_KEY: Final = "crash-everywhere"
"""Of idempotency, so that the invocation has the same id, and draws the same random values, every time."""

_RUNS_MAX: Final = 2
"""How often one run may be executed when there is one crash."""


class CrashFailed(AssertionError):
    """After a crash, something was different: the result, or how often something was done."""


class Victim(Enum):
    """What dies, and when. The text is for people."""

    ENGINE_BEFORE = "the engine just before commit"
    ENGINE_AFTER = "the engine just after commit"
    HANDLER = "the handler's process while it says piece"


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """One place where something died; `str()` of it is for people.

    victim: what died, and when: the engine before or after a commit, or the handler's process.
    at: number of the commit, or of the piece of what handlers say, since the invocation was sent; from 1.
    """

    victim: Victim
    at: int

    def __str__(self) -> str:
        return f"a crash of {self.victim.value} {self.at}"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """result: the value, or code and message of the failure. journal: for people."""

    result: Any
    effects: dict[str, int]
    commits: int
    pieces: int
    journal: str


def crash_everywhere(
    *apps: App,
    handler: Any,
    arg: Any = NO_INPUT,
    key: str | None = None,
    effects: MutableMapping[str, int] | None = None,
    at_once: int = 1,
    meanwhile: Meanwhile | None = None,
) -> list[CrashPoint]:
    """Runs a handler undisturbed, then with a replay after each durable await, then with a crash at each place.

    The engine dies before and after each commit, and so at every journal index, and starts again on the same store;
    the handler's process dies at each piece of what it says. Each time the result must be the same, no run whose
    result was stored may be executed again, and none more than twice.

        crash_everywhere(app, handler=book, arg="Ada", effects=charges)

    apps, handler, arg, key: who serves, and what is called; as for `Client.call`.
    effects: counts what your code does to the world, by name; it is emptied before each time, and no count may come
    out lower than undisturbed, or higher by more than `at_once`.
    at_once: the most steps that are under way at the same time; a count.
    meanwhile: called with engine and handle beside the handler, after each start: answers what it waits for.
    Returns: the places.
    Raises: CrashFailed, with the journal; Stuck; HttpError if the call is refused.
    """
    counted: MutableMapping[str, int] = {} if effects is None else effects
    scene = _Scene(apps, handler, arg, key, counted, meanwhile)
    calm = run_apart(lambda: scene.play(None))
    try:
        _compare(calm, run_apart(lambda: scene.play(None, always_replay=True)), 0)
    except BaseException as error:
        error.add_note("without a crash, but with a replay after each durable await")
        raise
    points = [CrashPoint(victim, at) for victim in Victim for at in range(1, _places(calm, victim) + 1)]
    for point in points:
        try:
            _compare(calm, run_apart(lambda: scene.play(point)), at_once)  # noqa: B023  # called at once
        except BaseException as error:
            error.add_note(f"with {point}, of {len(points)} places")
            raise
    return points


def _places(calm: _Outcome, victim: Victim) -> int:
    return calm.pieces if victim is Victim.HANDLER else calm.commits


def _compare(calm: _Outcome, crashed: _Outcome, at_once: int) -> None:
    if crashed.result != calm.result:
        text = f"the result is {crashed.result!r}, and without a crash it is {calm.result!r}"
        raise CrashFailed(f"{text}\n{crashed.journal}")
    for name in sorted(calm.effects.keys() | crashed.effects.keys()):
        usual, seen = calm.effects.get(name, 0), crashed.effects.get(name, 0)
        if not usual <= seen <= usual + at_once:
            text = f"the effect `{name}` happened {seen} times, and without a crash {usual} times"
            raise CrashFailed(f"{text}; put it into a run, and only one effect into each\n{crashed.journal}")


class _Scene:
    """One invocation, played from the beginning as often as wanted."""

    def __init__(
        self,
        apps: tuple[App, ...],
        handler: Any,
        arg: Any,
        key: str | None,
        effects: MutableMapping[str, int],
        meanwhile: Meanwhile | None,
    ) -> None:
        self._apps = apps
        self._handler = handler
        self._arg = arg
        self._key = key
        self._effects = effects
        self._meanwhile = meanwhile

    async def play(self, point: CrashPoint | None, *, always_replay: bool = False) -> _Outcome:
        """Raises: CrashFailed."""
        self._effects.clear()
        lose_at = point.at if point is not None and point.victim is Victim.HANDLER else None
        conditions = Conditions(always_replay, lose_at=lose_at)
        with ids.drawn_from(random.Random(0).randbytes):
            async with SimulatedEngine(*self._apps, conditions=conditions) as engine:
                before = point is not None and point.victim is Victim.ENGINE_BEFORE
                engine.switch.arm(point.at if point is not None and lose_at is None else None, before=before)
                result, handle = await self._follow(engine)
                _check_steps(conditions.steps)
                return _Outcome(
                    result,
                    dict(self._effects),
                    engine.switch.commits,
                    conditions.pieces,
                    str(await engine.journal(handle.invocation_id)),
                )

    async def _follow(self, engine: SimulatedEngine) -> tuple[Any, InvocationHandle[Any]]:
        """What a caller sees who does not give up, over the crash if there is one."""
        asking = asyncio.create_task(self._ask(engine))
        off = asyncio.create_task(engine.switch.off.wait())
        await asyncio.wait((asking, off), return_when=asyncio.FIRST_COMPLETED)
        off.cancel()
        if not engine.switch.off.is_set():
            return await asking
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await engine.crash()
        engine.switch.arm(None, before=False)
        steps = engine.conditions.steps
        await engine.start()
        stored = await engine.read(lambda tx: _stored(tx, steps))
        executed = {step: steps[step] for step in stored}
        result = await self._ask(engine)
        for step, times in executed.items():
            if steps[step] > times:
                raise CrashFailed(f"the run {step[1]} of {step[0]} was executed again, although its result was stored")
        return result

    async def _ask(self, engine: SimulatedEngine) -> tuple[Any, InvocationHandle[Any]]:
        target = target_of(self._handler)
        found = await engine.read(lambda tx: tx.registry.handler(target.service, target.handler))
        # A workflow's key says already which run is meant.
        once = None if found is not None and found.kind is HandlerKind.WORKFLOW else _KEY
        handle = await engine.client.send(self._handler, self._arg, key=self._key, idempotency_key=once)
        helping = asyncio.ensure_future(self._help(engine, handle))
        try:
            return await handle.attach(), handle
        except TerminalError as error:
            return (error.status_code, str(error)), handle
        finally:
            helping.cancel()
            await asyncio.gather(helping, return_exceptions=True)

    async def _help(self, engine: SimulatedEngine, handle: InvocationHandle[Any]) -> None:
        if self._meanwhile is not None:
            await self._meanwhile(engine, handle)


def _stored(tx: Tx, steps: Counter[Step]) -> set[Step]:
    """Which of these runs have their result in the store."""
    stored = set()
    for invocation_id in {step[0] for step in steps}:
        invocation = tx.invocation_by_id(invocation_id)
        if invocation is not None:
            for entry in tx.entries(invocation.number):
                if entry.type == MessageType.RUN_COMPLETION and entry.completion_id is not None:
                    stored.add((invocation_id, entry.completion_id))
    return stored & steps.keys()


def _check_steps(steps: Counter[Step]) -> None:
    for (invocation_id, number), times in steps.items():
        if times > _RUNS_MAX:
            raise CrashFailed(f"the run {number} of {invocation_id} was executed {times} times")
