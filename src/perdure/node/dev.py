"""`perdure dev`: a server, the workers that run your code, and a reload whenever you save it."""

import ast
import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import watchfiles

from perdure.admin.problems import ApiError
from perdure.errors import PerdureError
from perdure.invoker.link import WorkerFailed
from perdure.node.node import Node
from perdure.node.workers import WorkerPool

Say = Callable[[str], None]


class CannotLoad(PerdureError):
    """The code that was to be served does not load. Only at the start: later on, the code that runs goes on."""

    code: ClassVar[str] = "E0205"
    hint: ClassVar[str] = "Correct that and start again."


class DevServer:
    """The code in `target` (`FILE[:APP]` or `module:app`) on a node. say: prints one line for people."""

    def __init__(self, node: Node, target: str, workers: int, say: Say) -> None:
        self._node = node
        self._target = target
        self._say = say
        self._path = source_path(target)
        self._uri = f"perdure-worker://{self._path.name if self._path else target}"
        self._pool = WorkerPool(target, workers, say)
        self.services: list[str] = []

    async def start(self) -> None:
        """Starts workers and node. Raises: CannotLoad, CannotListen."""
        self._node.add_local(self._uri, self._pool)
        try:
            await self._pool.start()
        except WorkerFailed as error:
            raise CannotLoad(str(error)) from None
        await self._node.start()
        await self._register()

    async def watch(self) -> None:
        """Reloads on every save, until cancelled."""
        folder = self._path.parent if self._path else Path.cwd()
        async for _changes in watchfiles.awatch(folder, watch_filter=watchfiles.PythonFilter(), step=50):
            await self._reload()

    async def _reload(self) -> None:
        try:
            await self._pool.reload()
        except WorkerFailed as error:
            self._say(f"{str(error).rstrip('. ')}. The old code goes on; save the file to try again.")
            return
        if await self._register():
            self._say("Reloaded. What was running is retried on the new code.")

    async def _register(self) -> bool:
        try:
            self.services = await self._node.register_local(self._uri, self._pool)
        except ApiError as error:
            self._say(f"The services in {self._target} cannot be registered: {error.message}")
            return False
        return True


def source_path(target: str) -> Path | None:
    """The file that a target names, or None for a module."""
    file = target.rpartition(":")[0] if not target.endswith(".py") else target
    path = Path(file or target)
    return path.resolve() if path.suffix == ".py" else None


def lines_to_try(path: Path | None) -> list[str]:
    """The `curl` lines in the docstring of the user's file, for printing. Reads the file and does not run it."""
    if path is None:
        return []
    try:
        docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    except (OSError, SyntaxError, ValueError):
        return []
    lines = docstring.splitlines()
    wanted = [number for number, line in enumerate(lines) if "curl " in line]
    return lines[wanted[0] : wanted[-1] + 1] if wanted else []


async def run_until(stop: asyncio.Event, dev: DevServer) -> None:
    """Watches until `stop` is set."""
    watching = asyncio.create_task(dev.watch())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((watching, stopping), return_when=asyncio.FIRST_COMPLETED)
    for task in (watching, stopping):
        task.cancel()
    if watching.done() and not watching.cancelled() and (error := watching.exception()):
        raise error
