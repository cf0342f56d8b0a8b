"""How many invocations a list has by status: counted now and then, on a thread of its own, because it may take long."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import apsw
import structlog

from perdure.events.filters import InvocationFilter

PAUSE_S: Final = 1.0
"""Between two counts."""
REST: Final = 10
"""So many times as long as counting took is rested before the next."""

Counts = dict[str, int]

log = structlog.get_logger()


class Counter(Protocol):
    """See `events.reader.Reader`."""

    def counts(self, wanted: InvocationFilter) -> Counts: ...
    def interrupt(self) -> None: ...
    def close(self) -> None: ...


class Counting:
    """Call order: `start` and `stop` as often as wanted, then `close`."""

    def __init__(
        self,
        counter: Counter,
        wanted: Callable[[], Iterable[InvocationFilter]],
        changed: Callable[[InvocationFilter, Counts], None],
    ) -> None:
        """wanted: the filters to count for. changed: told when there are other counts than before."""
        self._counter = counter
        self._wanted = wanted
        self._changed = changed
        self._news = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "counts")
        self._task: asyncio.Task[None] | None = None
        self.known: dict[InvocationFilter, Counts] = {}

    def touch(self) -> None:
        """Something may have changed, or is wanted anew."""
        self._news.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="counts")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.known.clear()

    async def close(self) -> None:
        self.stop()
        self._counter.interrupt()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._counter.close)
        self._thread.shutdown()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._news.wait()
            self._news.clear()
            began = loop.time()
            wanted = set(self._wanted())
            self.known = {filter: counts for filter, counts in self.known.items() if filter in wanted}
            for filter in wanted:
                try:
                    counts = await loop.run_in_executor(self._thread, self._counter.counts, filter)
                except apsw.Error as error:
                    log.warning("invocations could not be counted", reason=str(error))
                    continue
                if counts != self.known.get(filter):
                    self.known[filter] = counts
                    self._changed(filter, counts)
            await asyncio.sleep(max(PAUSE_S, REST * (loop.time() - began)))
