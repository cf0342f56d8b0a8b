"""Waits of one length."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Overdue(Generic[T]):
    """Calls `due(item)` for what is still here `seconds` after it was added. One timer for all: one each is dear."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, due: Callable[[T], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._due = due
        self._deadlines: dict[T, float] = {}  # in order, since all wait for the same time
        self._timer: asyncio.TimerHandle | None = None

    def add(self, item: T) -> None:
        """From now on; what is here already begins anew."""
        self._deadlines.pop(item, None)
        self._deadlines[item] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look)

    def discard(self, item: T) -> None:
        self._deadlines.pop(item, None)

    def close(self) -> None:
        """Nobody is told any more."""
        self._deadlines.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        now = self._loop.time()
        self._timer = None
        late = []
        for item, deadline in self._deadlines.items():
            if deadline > now:
                self._timer = self._loop.call_later(deadline - now, self._look)
                break
            late.append(item)
        for item in late:
            del self._deadlines[item]
        for item in late:
            self._due(item)
