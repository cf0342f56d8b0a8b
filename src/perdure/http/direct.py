"""Runs an app's attempts without ASGI in between: one task for each, and bytes by callback.

For apps that offer it (`AcceptsAttempts`). What they do not accept goes the usual way.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from perdure.clock import Clock
from perdure.http.response_sink import ResponseSink

_log = logging.getLogger("perdure.asgi")


class DirectAttempt(Protocol):
    """One attempt of a handler; see `sdk.attempt.Attempt`."""

    def feed(self, data: bytes) -> None: ...
    def end_of_input(self) -> None: ...
    def disconnected(self) -> None: ...
    async def run(self) -> None: ...


class AcceptsAttempts(Protocol):
    """An app that gives its attempts away; see `sdk.asgi.AsgiApp`."""

    def accept(
        self, path: str, headers: Mapping[str, str], send: Callable[[bytes], None], clock: Clock | None
    ) -> tuple[DirectAttempt, list[tuple[bytes, bytes]]] | None:
        """The attempt that a POST to `path` asks for, and the headers of its response, whose status is 200.

        None: the request must go through ASGI. send: takes bytes of the response, and does not block.
        clock: tells the attempt the time; None: as usual.
        """


class DirectExchange:
    """One attempt, with the interface of `asgi_bridge.AsgiExchange`.

    credit: bytes of response that may be sent on before they have to wait for `add_credit`.
    """

    unread = 0
    """Bytes that the attempt has not taken: it takes them at once."""

    def __init__(self, sink: ResponseSink, running: set[asyncio.Task[None]], *, credit: int) -> None:
        """running: holds the attempt's task until its end."""
        self._sink = sink
        self._running = running
        self._credit = credit
        self._attempt: DirectAttempt | None = None
        self._waiting = bytearray()
        self._over = False
        self._gone = False
        self.task: asyncio.Task[None]

    def start(self, app: AcceptsAttempts, path: str, headers: Mapping[str, str], clock: Clock | None) -> bool:
        """False: the app does not accept it, and this exchange is of no use."""
        accepted = app.accept(path, headers, self._write, clock)
        if accepted is None:
            return False
        self._attempt, head = accepted
        self.task = asyncio.get_running_loop().create_task(self._run(self._attempt, head))
        # The loop holds tasks weakly; without this a waiting attempt could be collected in the middle.
        self._running.add(self.task)
        return True

    # Called by the owner.

    def feed(self, data: bytes) -> None:
        """Gives the attempt a piece of the request body."""
        if self._attempt is not None and not self._gone:
            self._sink.request_taken(len(data))
            self._attempt.feed(data)

    def end_request(self) -> None:
        """The request body is complete. Idempotent."""
        if self._attempt is not None and not self._gone:
            self._attempt.end_of_input()

    def disconnect(self) -> None:
        """The caller is gone: the attempt ends, and what it still says is dropped. Idempotent."""
        if not self._gone:
            self._gone = True
            self._waiting.clear()
            if self._attempt is not None:
                self._attempt.disconnected()

    def add_credit(self, size: int) -> None:
        """Lets `size` bytes more of response through."""
        self._credit += size
        if self._waiting:
            self._flush()

    # The response.

    def _write(self, data: bytes) -> None:
        if self._gone:
            return
        if not self._waiting and len(data) <= self._credit:
            self._credit -= len(data)
            self._sink.data(data)
            return
        self._waiting += data
        self._flush()

    def _flush(self) -> None:
        size = min(self._credit, len(self._waiting))
        if size > 0:
            piece = bytes(self._waiting[:size])
            del self._waiting[:size]
            self._credit -= size
            self._sink.data(piece)
        if self._over and not self._waiting and not self._gone:
            self._gone = True
            self._sink.end()

    async def _run(self, attempt: DirectAttempt, head: list[tuple[bytes, bytes]]) -> None:
        if not self._gone:
            self._sink.head(200, head)
        reason = "the app was stopped before its response was complete"
        try:
            await attempt.run()
        except asyncio.CancelledError:
            self._broken(reason)
        except (Exception, SystemExit) as error:
            # SystemExit too: a handler that calls sys.exit() must not end the process that serves the others.
            _log.error("an attempt raised", exc_info=error)
            self._broken(f"the app raised {type(error).__name__} before its response was complete")
        else:
            self._over = True
            self._flush()
        finally:
            # Here, since a callback of the task would cost another turn of the loop.
            self._running.discard(self.task)

    def _broken(self, reason: str) -> None:
        if not self._gone:
            self._gone = True
            self._sink.failed(reason)
