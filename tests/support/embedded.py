"""A server inside of the test's own process, with an app that it calls in memory."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from support.client import Client

_T = TypeVar("_T")

STEP_S = 30.0
"""Time to start or to stop."""


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedded server")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs something on the loop and waits for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STEP_S)

    def close(self) -> None:
        """Cancels what is left and ends the thread."""
        self.run(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STEP_S)
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def embedded(data: Path, app: Any, admin: str = "127.0.0.1:0") -> Iterator[Client]:
    """A node that serves the ASGI app `app`. data: where it keeps its state. admin: its address for operators."""
    from perdure.node.node import Node
    from perdure.node.settings import load_settings

    settings = load_settings(None, {"ingress": "127.0.0.1:0", "admin": admin, "data": data})

    async def start() -> Node:
        node = Node(settings)
        await node.start()
        await node.add_app("interop", app)
        return node

    thread = LoopThread()
    try:
        node = thread.run(start())
        client = Client(node.ingress_url, node.admin_url)
        try:
            yield client
        finally:
            client.close()
            thread.run(node.stop())
    finally:
        thread.close()
