"""Running a coroutine in virtual time, wherever one is."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from perdure.testing.virtual_time import VirtualTimeLoop

T = TypeVar("T")


def run_apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """The result of `work()`, run on an event loop of its own; on another thread, if this one has a loop running."""

    def run() -> T:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(work())

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run()
    with ThreadPoolExecutor(1, "perdure-testing") as thread:
        return thread.submit(run).result()
