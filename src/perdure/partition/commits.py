"""Where commits are done: in place while the disk syncs quickly, on a thread of their own while it does not.

The way to a thread and back costs about 0.2 ms, which is as much as a quick sync; on a slow disk it is worth it, since
sockets are served meanwhile.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, thread_time
from typing import Final

QUICK_WAIT_MAX_S: Final = 0.001
"""A disk is quick as long as commits wait less than this for it, on the average."""

_MEMORY: Final = 0.9
"""Weight of the past in that average."""

_COUNTED_MAX: Final = 4
"""So many times the quick wait count of one wait at the most: one checkpoint does not make a disk slow."""

LOOKS_AGAIN_AFTER: Final = 16
"""On a slow disk so many commits after another are done on the thread; then one in place shows whether it still is."""


class Commits:
    """Knows how long commits wait for the disk, and chooses where the next one is done."""

    def __init__(self, *, measured: bool = True, quick_max_s: float = QUICK_WAIT_MAX_S) -> None:
        """measured: False takes the disk for a quick one, whatever it does. quick_max_s: see `QUICK_WAIT_MAX_S`."""
        self._measured = measured
        self._quick_max_s = quick_max_s
        self._average_s = 0.0
        self._on_thread = 0
        self._thread = ThreadPoolExecutor(1, "commit")

    @property
    def are_quick(self) -> bool:
        return self._average_s < self._quick_max_s

    async def run(self, commit: Callable[[], None]) -> None:
        """Calls `commit` and is done when that is. Raises what it raises."""
        if self.are_quick or self._on_thread == LOOKS_AGAIN_AFTER:
            self._on_thread = 0
            self._run_here(commit)
        else:
            # What it takes there says nothing: coming back, it waits for whatever this thread is doing.
            self._on_thread += 1
            await asyncio.get_running_loop().run_in_executor(self._thread, commit)

    def close(self) -> None:
        self._thread.shutdown()

    def _run_here(self, commit: Callable[[], None]) -> None:
        if not self._measured:
            commit()
            return
        # To wait is what is left of the time when the work is taken off: a big batch on a quick disk waits no longer.
        began, worked = perf_counter(), thread_time()
        commit()
        waited = (perf_counter() - began) - (thread_time() - worked)
        self._average_s = _MEMORY * self._average_s + (1 - _MEMORY) * min(waited, _COUNTED_MAX * self._quick_max_s)
