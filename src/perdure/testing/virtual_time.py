"""An event loop whose time passes only when there is nothing else to do, and then at once."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START_MS: Final = 1_750_000_000_000
"""When every simulation begins: in June 2025."""


class Stuck(AssertionError):
    """Nothing can happen any more, and somebody still waits; or a test took more virtual time than it may."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """When no callback is ready, the clock jumps to the next timer.

    It stands still as long as a thread works for the loop (`asyncio.to_thread`, `run_in_executor`): the loop then
    waits for it. Time that code takes to run is no time at all.
    """

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._threads_at_work = 0
        super().__init__(_Selector(self))
        # How much too early a timer may be called: more than the distance between two numbers after years.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Seconds since the simulation began."""
        return self._elapsed

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> "asyncio.Future[T]":
        """As any loop's; time stands still until the thread has done it."""
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        self._threads_at_work += 1
        future.add_done_callback(self._thread_done)
        return future

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        """As any loop's; time stands still meanwhile."""
        self._threads_at_work += 1
        try:
            await super().shutdown_default_executor(*arguments)
        finally:
            self._threads_at_work -= 1

    def idle(self, timeout: float | None, descriptors: int) -> bool:
        """Passes the time until the next timer; True: something real must be waited for instead.

        timeout: seconds until then, None: there is no timer. descriptors: number of those that somebody watches.
        Raises: Stuck.
        """
        if self._threads_at_work:
            return True
        if timeout is None:
            if descriptors > 1:  # one is the loop's own
                return True
            raise Stuck(f"nothing can happen any more, and these still wait: {_waiting(self)}")
        self._elapsed += timeout
        return False

    def _thread_done(self, _: "asyncio.Future[Any]") -> None:
        self._threads_at_work -= 1


class VirtualClock:
    """The wall clock of a simulation: it begins in June 2025, and goes with the time of its loop."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop

    def now(self) -> int:
        """Milliseconds since the Unix epoch."""
        return START_MS + int(self._loop.time() * 1000)


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        return super().select(None) if self._loop.idle(timeout, len(self.get_map())) else []


def _waiting(loop: asyncio.AbstractEventLoop) -> str:
    return ", ".join(sorted(task.get_name() for task in asyncio.all_tasks(loop))) or "nobody"
