"""Wakes the partition when its earliest timer is due. The timers themselves are in the store."""

import asyncio
from collections.abc import Callable

from perdure.clock import Clock, SystemClock

LOOK_AGAIN_MS = 60_000
"""At least that often the wall clock is looked at, in case it was set while we waited."""


class TimerShell:
    """Calls `fire` at or shortly after the earliest armed time."""

    def __init__(self, clock: Clock, fire: Callable[[], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._due: int | None = None
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, due: int) -> None:
        """due: ms since the epoch. Later than what is armed already: nothing to do, the store knows it."""
        if self._due is None or due < self._due:
            self._due = due
            self._schedule()

    def close(self) -> None:
        self._due = None
        if self._handle is not None:
            self._handle.cancel()

    def _schedule(self) -> None:
        assert self._due is not None
        if self._handle is not None:
            self._handle.cancel()
        delay = max(0, self._due - self._clock.now())
        if isinstance(self._clock, SystemClock):  # others go as the loop's timers do
            delay = min(delay, LOOK_AGAIN_MS)
        self._handle = asyncio.get_running_loop().call_later(delay / 1000, self._look)

    def _look(self) -> None:
        self._handle = None
        if self._due is None:
            return
        if self._clock.now() < self._due:
            self._schedule()
        else:
            self._due = None
            self._fire()
