"""Answers SQL queries about a partition, in a process of its own that is started with the first query.

In this process a long query would hold the interpreter's lock, and its memory could not be bounded. Over there it can
do neither harm: it runs at a lower priority, its memory is limited, and when it does not end in time it is killed.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from perdure.clock import Clock
from perdure.introspection.link import Answer, Ask, Attempts, Begin, Ready, Refusal, WantAttempts, pack, unpack_reply
from perdure.introspection.problems import QUERY_ERRORS, QueryError, QueryFailed, TooManyQueries
from perdure.introspection.result import QueryLimits, QueryResult, Shape, too_slow
from perdure.model.invocation import OpenAttempt
from perdure.model.registry import Registry

_START_S: Final = 60.0
"""So long may the process take to start, on a machine that has other things to do."""
_KILL_AFTER_S: Final = 2.0
"""How long after its time a query is given up: what SQLite or Python do in one step cannot be interrupted."""


class QueryEngine:
    """Call order: `query` as often as wanted, then `close`. Both from the event loop's thread."""

    def __init__(
        self,
        path: Path,
        registry: Callable[[], Registry],
        open_attempts: Callable[[], Collection[int]],
        clock: Clock,
        *,
        server_version: str,
        attempt: Callable[[int], OpenAttempt | None] = lambda _: None,
        limits: QueryLimits | None = None,
    ) -> None:
        """path: the partition file. registry: its snapshot. open_attempts: numbers of the invocations that have one.

        server_version: what `created_using_restate_version` shows. attempt: what is known of an open attempt. Both
        are asked on a thread of this engine, right before the query reads.
        """
        self._begin = Begin(str(path), server_version, limits or QueryLimits())
        self._limits = self._begin.limits
        self._registry = registry
        self._open_attempts = open_attempts
        self._attempt = attempt
        self._clock = clock
        # It does nothing but wait for the process.
        self._thread = ThreadPoolExecutor(1, "query")
        self._waiting = 0
        self._process: _Process | None = None
        self._closing = False

    async def query(self, text: str, shape: Shape = Shape.JSON) -> QueryResult:
        """Raises: QueryError."""
        if self._waiting >= self._limits.waiting:
            raise TooManyQueries("too many queries are waiting; try again in a moment")
        registry = self._registry()
        now = self._clock.now()
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._run, text, shape, registry, now)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Ends the process and the query that runs. Harmless when it is closed already."""
        if self._closing:
            return
        self._closing = True
        if self._process is not None:
            self._process.kill()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._end_process)
        self._thread.shutdown()

    def _run(self, text: str, shape: Shape, registry: Registry, now: int) -> QueryResult:
        try:
            if self._process is None:
                self._start_process()
            assert self._process is not None
            if self._closing:
                raise QueryFailed("the server stops")
            return self._exchange(self._process, text, shape, registry, now)
        except TimeoutError:
            self._end_process()
            raise too_slow(self._limits) from None
        except (EOFError, OSError) as error:
            self._end_process()
            if self._closing:
                raise QueryFailed("the server stops") from None
            reason = str(error) or "it ended"
            raise QueryFailed(f"the process that answers queries was lost ({reason}); ask again") from None

    def _exchange(self, process: "_Process", text: str, shape: Shape, registry: Registry, now: int) -> QueryResult:
        process.ask(text, shape, now, registry)
        deadline = time.monotonic() + self._limits.seconds + _KILL_AFTER_S
        while True:
            match unpack_reply(process.receive(deadline)):
                case WantAttempts():
                    process.send(Attempts({number: self._attempt(number) for number in list(self._open_attempts())}))
                case Refusal(code=code, message=message):
                    raise QUERY_ERRORS[code](message)
                case Answer(columns=columns, media_type=media_type):
                    return QueryResult(columns, process.receive(deadline), media_type)
                case unexpected:
                    raise AssertionError(unexpected)

    def _start_process(self) -> None:
        self._process = _Process(self._begin)
        if self._closing:
            return
        try:
            self._process.wait_until_ready()
        except QueryError:
            self._end_process()
            raise

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


class _Process:
    """The other process; see process.py. Raises: TimeoutError, EOFError, OSError when it is of no use any more."""

    def __init__(self, begin: Begin) -> None:
        ours, theirs = socket.socketpair()
        # -P: what lies in the working folder is not taken for a library.
        command = [sys.executable, "-P", "-m", "perdure.introspection.process", str(theirs.fileno())]
        with ours, theirs:
            self._popen = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
            self._connection = Connection(ours.detach())
        self._known: Registry | None = None
        self.send(begin)

    def wait_until_ready(self) -> None:
        """Raises: QueryError when it cannot read the file."""
        match unpack_reply(self.receive(time.monotonic() + _START_S)):
            case Ready():
                return
            case Refusal(code=code, message=message):
                raise QUERY_ERRORS[code](message)
            case unexpected:
                raise AssertionError(unexpected)

    def ask(self, text: str, shape: Shape, now: int, registry: Registry) -> None:
        """Sends the registry along when it has changed since it was last sent."""
        services = None if registry is self._known else dict(registry.services)
        self.send(Ask(text.encode("utf-8", "surrogatepass"), shape, now, services))
        self._known = registry

    def send(self, message: Begin | Ask | Attempts) -> None:
        self._connection.send_bytes(pack(message))

    def receive(self, deadline: float) -> bytes:
        if not self._connection.poll(max(0.0, deadline - time.monotonic())):
            raise TimeoutError
        return self._connection.recv_bytes()

    def kill(self) -> None:
        """From whatever thread."""
        self._popen.kill()

    def end(self) -> None:
        self._connection.close()
        self._popen.kill()
        self._popen.wait()
