"""Worker processes of this server: started, watched, replaced. Together they are one transport."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

from perdure.invoker.link import LinkTransport, WorkerFailed, connect_link
from perdure.invoker.nowhere import Nowhere, WorkerRestarts
from perdure.invoker.transport import Request, Stream, StreamHandler, TransportError

STEADY_S = 5.0
"""A worker that lived that long died of something new: its successor starts at once."""

RESTART_DELAYS_S = (0.0, 0.5, 1.0, 2.0, 5.0)
"""Before the next start of a worker that keeps dying young; the last is repeated."""

SILENT_S = 0.2
"""A worker that leaves exchanges unanswered for so long is given others only if there is nobody else: a handler may
block it, and what was retried on account of that must not come back to it."""

OOM_SCORE = 500
"""When memory runs out, the kernel ends a worker rather than the engine."""


class WorkersReloaded(TransportError):
    """The exchange was cut because new code has taken over."""

    retry_after = 0


class _Worker:
    """One process and the link to it."""

    def __init__(self, process: subprocess.Popen[bytes], link: LinkTransport) -> None:
        self.process = process
        self.link = link
        self.retired = False

    async def end(self) -> int:
        """Closes the link and waits for the process; it is killed if it takes too long. Returns: its status."""
        self.retired = True
        await self.link.close()
        return await asyncio.to_thread(_wait_or_kill, self.process)


class WorkerPool:
    """`count` processes that serve one app. Implements `Transport`: each exchange goes to the least busy that answers.

    target: `FILE[:APP]` or `module:app`. say: prints one line for people.
    """

    bidirectional = True

    def __init__(self, target: str, count: int, say: Callable[[str], None]) -> None:
        self._target = target
        self._count = count
        self._say = say
        self._workers: list[_Worker] = []
        self._guards: set[asyncio.Task[None]] = set()
        self._closing = False

    async def start(self) -> None:
        """Returns when all workers are ready. Raises: WorkerFailed with a one-line reason; none runs then."""
        self._workers = await self._spawn_all()

    async def reload(self) -> None:
        """Puts new workers in the place of the old; what runs on the old is retried on the new at once.

        Raises: WorkerFailed, when the new code does not load; then the old goes on.
        """
        fresh = await self._spawn_all()
        old, self._workers = self._workers, fresh
        for worker in old:
            worker.retired = True
            worker.link.fail_streams(WorkersReloaded("the code was reloaded"))
        await asyncio.gather(*(worker.end() for worker in old))

    def open(self, request: Request, handler: StreamHandler) -> Stream:
        running = [worker.link for worker in self._workers if worker.link.connected]
        if not running:
            return Nowhere(handler, WorkerRestarts("the worker has died, and a new one is being started"))
        link = running[0] if len(running) == 1 else min(running, key=_reluctance)
        return link.open(request, handler)

    async def close(self) -> None:
        self._closing = True
        for guard in self._guards:
            guard.cancel()
        await asyncio.gather(*(worker.end() for worker in self._workers))
        self._workers.clear()

    async def _spawn_all(self) -> list[_Worker]:
        workers: list[_Worker] = []
        try:
            for _ in range(self._count):
                workers.append(await self._spawn())
            for worker in workers:
                await worker.link.ready
        except TransportError as error:
            await asyncio.gather(*(worker.end() for worker in workers))
            if isinstance(error, WorkerFailed):
                raise
            status = _describe_status(workers[0].process.returncode)
            raise WorkerFailed(f"the worker ended while it loaded {self._target}: {status}.") from None
        for worker in workers:
            self._guard(worker, attempt=0)
        return workers

    async def _spawn(self) -> _Worker:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "perdure.worker", self._target, "--link-fd", str(theirs.fileno())]
        with theirs:
            try:
                process = await asyncio.to_thread(
                    subprocess.Popen,
                    command,
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                )
            except OSError as error:
                ours.close()
                raise WorkerFailed(f"no process can be started for {self._target}: {error}") from None
        _offer_to_oom_killer(process.pid)
        return _Worker(process, await connect_link(ours))

    def _guard(self, worker: _Worker, attempt: int) -> None:
        task = asyncio.create_task(self._replace_when_lost(worker, attempt))
        self._guards.add(task)
        task.add_done_callback(self._guards.discard)

    async def _replace_when_lost(self, worker: _Worker, attempt: int) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await worker.link.lost.wait()
        if worker.retired or self._closing:
            return
        status = await worker.end()
        lived = loop.time() - started
        attempt = 0 if lived >= STEADY_S else attempt + 1
        self._say(
            f"worker {worker.process.pid} died: {_describe_status(status)}. "
            "What ran on it is retried; a new worker is started."
        )
        while worker in self._workers and not self._closing:
            await asyncio.sleep(RESTART_DELAYS_S[min(attempt, len(RESTART_DELAYS_S) - 1)])
            fresh: _Worker | None = None
            try:
                fresh = await self._spawn()
                await fresh.link.ready
            except TransportError as error:
                if fresh is not None:
                    await fresh.end()
                self._say(f"the worker does not start again: {error}")
                attempt += 1
                continue
            if worker not in self._workers:
                await fresh.end()  # reloaded meanwhile
                return
            self._workers[self._workers.index(worker)] = fresh
            self._guard(fresh, attempt)
            return


def _reluctance(link: LinkTransport) -> tuple[bool, int]:
    """Smallest for the worker that should get the next exchange."""
    return link.silent_s > SILENT_S, link.open_streams


def _offer_to_oom_killer(pid: int) -> None:
    try:
        with open(f"/proc/{pid}/oom_score_adj", "w", encoding="ascii") as score:
            score.write(str(OOM_SCORE))
    except OSError:
        pass  # not Linux, or not allowed: then the kernel decides alone


def _wait_or_kill(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


_END_S = 5.0


def _describe_status(status: int | None) -> str:
    if status is not None and status < 0:
        name = signal.Signals(-status).name
        hint = ", perhaps because memory ran out" if -status == signal.SIGKILL else ""
        return f"killed by {name}{hint}"
    return f"it exited with status {status}"
