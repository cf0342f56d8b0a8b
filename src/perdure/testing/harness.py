"""An engine in virtual time for a test, and the ways to run a test with it."""

import asyncio
import functools
import inspect
import random
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import ExitStack
from datetime import timedelta
from os import PathLike
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

from perdure import ids
from perdure.client.client import Client
from perdure.http.asgi_bridge import App
from perdure.testing.conditions import Conditions
from perdure.testing.engine import SimulatedEngine
from perdure.testing.virtual_time import Stuck, VirtualTimeLoop

P = ParamSpec("P")
T = TypeVar("T")

WITHIN: Final = timedelta(days=3660)
"""Virtual time that one `run` may take: far beyond what tests wait for, and soon over."""


class Harness:
    """A fresh engine that serves `apps`, on an event loop in virtual time.

        with Harness(app) as harness:
            assert harness.run(harness.client.call(greet, "Ada")) == "hello Ada"

    engine: a `SimulatedEngine`, which also shows journals and state, and can crash.
    """

    def __init__(
        self,
        *apps: App,
        seed: int | None = None,
        always_replay: bool = False,
        data: str | PathLike[str] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        """Starts nothing yet.

        seed: shuffles what happens at the same time, and repeats itself: any number, of which each is another order;
        None: nothing is shuffled.
        always_replay: every durable await ends the attempt, and the next one replays.
        data, settings: as for `Embedded`.
        """
        self._seed = seed
        chance = None if seed is None else random.Random(seed)
        self.engine = SimulatedEngine(*apps, data=data, settings=settings, conditions=Conditions(always_replay, chance))
        self._stack = ExitStack()

    @property
    def client(self) -> Client:
        """The engine's; its coroutines are for `run`."""
        return self.engine.client

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            # Ids are drawn from the seed, so that a run repeats itself to the byte.
            stack.enter_context(ids.drawn_from(random.Random(self._seed or 0).randbytes))
            self._runner = stack.enter_context(asyncio.Runner(loop_factory=VirtualTimeLoop))
            self.run(self.engine.start())
            stack.callback(lambda: self.run(self.engine.stop()))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, work: Coroutine[Any, Any, T], *, within: timedelta = WITHIN) -> T:
        """Runs it to its end, in virtual time. Returns: its result.

        within: virtual time after which it counts as stuck; ten years of 366 days, unless given.
        Raises: Stuck, and whatever `work` raises.
        """
        return self._runner.run(_bounded(work, within))


async def _bounded(work: Coroutine[Any, Any, T], within: timedelta) -> T:
    try:
        async with asyncio.timeout(within.total_seconds()) as bound:
            return await work
    except TimeoutError:
        if not bound.expired():
            raise
        raise Stuck(f"it is not over after {within} of virtual time") from None


Test = Callable[Concatenate[SimulatedEngine, P], Coroutine[Any, Any, None]]


def simulated(
    *apps: App, seeds: Iterable[int | None] = (None,), **options: Any
) -> Callable[[Test[P]], Callable[P, None]]:
    """Makes a plain test of an asynchronous one, which gets a fresh engine in virtual time as its first argument.

        @simulated(app)
        async def test_greeting(engine: SimulatedEngine) -> None:
            assert await engine.client.call(greet, "Ada") == "hello Ada"

    seeds: the test is run with each of them, see `Harness`; a failure names its seed.
    options: those of `Harness`.
    Raises: what the test raises, and Stuck after ten years of virtual time.
    """
    tried = list(seeds)

    def decorate(test: Test[P]) -> Callable[P, None]:
        @functools.wraps(test)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            for seed in tried:
                try:
                    with Harness(*apps, seed=seed, **options) as harness:
                        harness.run(test(harness.engine, *args, **kwargs))
                except BaseException as error:
                    if seed is not None:
                        error.add_note(f"with seed {seed}; `seeds=[{seed}]` repeats it")
                    raise

        signature = inspect.signature(test)
        # What a test runner sees: the arguments that it has to find.
        seen: Any = run
        seen.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])
        del seen.__wrapped__
        return run

    return decorate
