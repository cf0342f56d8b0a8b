"""Drives an ASGI app without an HTTP server: one exchange is one task, bytes go in and come out by callback.

Two users: the in-memory transport, and the worker process at the far end of the worker link. It stays light
to import, because a worker starts with every reload.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from perdure.clock import Clock
from perdure.http.direct import AcceptsAttempts, DirectExchange
from perdure.http.response_sink import ResponseSink

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

LIFESPAN_TIMEOUT_S = 60.0

_log = logging.getLogger("perdure.asgi")


def http_scope(method: str, path: str, headers: list[tuple[str, str]], state: dict[str, Any]) -> Message:
    """The ASGI scope of one request.

    The version is "2": both directions are open at once here, and apps choose their mode by it.
    """
    path, _, query = path.partition("?")
    raw_path = path.encode("ascii", "replace")
    if "%" in path:
        from urllib.parse import unquote  # rare, and slow to import

        path = unquote(path)
    scope: Message = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": raw_path,
        "query_string": query.encode("ascii", "replace"),
        "root_path": "",
        "headers": [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers],
        "client": None,
        "server": None,
        "extensions": {},
    }
    if state:
        scope["state"] = state.copy()
    return scope


def _wake(event: asyncio.Event | None) -> None:
    if event is not None:
        event.set()


class AsgiExchange:
    """One request, answered by an app that runs as a task.

    credit: bytes of response body the app may send before it has to wait for `add_credit`.
    """

    def __init__(self, app: App, scope: Message, sink: ResponseSink, *, credit: int) -> None:
        self._app = app
        self._scope = scope
        self._sink = sink
        self._credit = credit
        self._pieces: deque[bytes] = deque()
        self._request_ended = False
        self._request_end_told = False
        self._response_begun = False
        self._response_ended = False
        self._gone = False
        # Made when the app waits: most exchanges are over before it has to.
        self._incoming: asyncio.Event | None = None
        self._outgoing: asyncio.Event | None = None
        self.task = asyncio.get_running_loop().create_task(self._run())

    # Called by the owner.

    def feed(self, data: bytes) -> None:
        """Queues a piece of the request body."""
        if not self._request_ended and not self._gone:
            self._pieces.append(data)
            _wake(self._incoming)

    @property
    def unread(self) -> int:
        """Bytes of request body that the app has not taken."""
        return sum(map(len, self._pieces))

    def end_request(self) -> None:
        """The request body is complete. Idempotent."""
        self._request_ended = True
        _wake(self._incoming)

    def disconnect(self) -> None:
        """The caller is gone: the app is told so, and what it still sends is dropped. Idempotent."""
        self._gone = True
        self._pieces.clear()
        _wake(self._incoming)
        _wake(self._outgoing)

    def add_credit(self, size: int) -> None:
        """Lets the app send `size` bytes more of response body."""
        self._credit += size
        _wake(self._outgoing)

    # Called by the app.

    async def _receive(self) -> Message:
        while True:
            if self._gone:
                return {"type": "http.disconnect"}
            if self._pieces:
                return self._next_piece()
            if self._request_ended and not self._request_end_told:
                self._request_end_told = True
                return {"type": "http.request", "body": b"", "more_body": False}
            if self._response_ended:
                return {"type": "http.disconnect"}
            if self._incoming is None:
                self._incoming = asyncio.Event()
            self._incoming.clear()
            await self._incoming.wait()

    def _next_piece(self) -> Message:
        pieces = self._pieces
        body = pieces.popleft() if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._request_end_told = self._request_ended
        self._sink.request_taken(len(body))
        return {"type": "http.request", "body": body, "more_body": not self._request_ended}

    async def _send(self, message: Message) -> None:
        if self._gone:
            # As HTTP servers do: nothing is raised. Yield, so that a loop which only sends cannot hold the thread.
            await asyncio.sleep(0)
            return
        kind = message["type"]
        if self._response_ended:
            raise RuntimeError(f"the app sent {kind} after its response was complete")
        if kind == "http.response.start":
            if self._response_begun:
                raise RuntimeError("the app sent http.response.start twice")
            self._response_begun = True
            headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
            self._sink.head(int(message["status"]), headers)
        elif kind == "http.response.body":
            if not self._response_begun:
                raise RuntimeError("the app sent http.response.body before http.response.start")
            await self._send_body(bytes(message.get("body", b"")))
            if not message.get("more_body", False) and not self._gone:
                self._response_ended = True
                self._sink.end()
                _wake(self._incoming)

    async def _send_body(self, body: bytes) -> None:
        if len(body) <= self._credit:
            if body:
                self._credit -= len(body)
                self._sink.data(body)
            return
        start = 0
        while start < len(body) and not self._gone:
            if self._credit <= 0:
                if self._outgoing is None:
                    self._outgoing = asyncio.Event()
                self._outgoing.clear()
                await self._outgoing.wait()
                continue
            piece = body[start : start + self._credit]
            start += len(piece)
            self._credit -= len(piece)
            self._sink.data(piece)

    # The task.

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except asyncio.CancelledError:
            self._broken("the app was stopped before its response was complete")
        except (Exception, SystemExit) as error:
            # SystemExit too: a handler that calls sys.exit() must not end the process that serves the others.
            if not self._gone and not self._response_ended:
                _log.error("the app raised while serving %s", self._scope["path"], exc_info=error)
            self._broken(f"the app raised {type(error).__name__} before its response was complete")
        else:
            self._broken("the app returned before its response was complete")

    def _broken(self, reason: str) -> None:
        if self._gone or self._response_ended:
            return
        self._response_ended = True
        if self._response_begun:
            self._sink.failed(reason)
            return
        self._sink.head(500, [(b"content-type", b"text/plain; charset=utf-8")])
        body = b"Internal Server Error"
        if self._credit >= len(body):
            self._sink.data(body)
        self._sink.end()


class LifespanFailed(Exception):
    """The app said that it cannot start. `str()` is its own message."""


class Lifespan:
    """Startup and shutdown of an app; an app that does not support them is left alone."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._requests: asyncio.Queue[Message] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}

    async def startup(self) -> None:
        """Returns when the app is ready. Raises: LifespanFailed."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        await self._ask("lifespan.startup")
        if self._failure is not None:
            raise LifespanFailed(self._failure)

    async def shutdown(self) -> None:
        """Returns when the app has cleaned up, or at once if it did not start. Never raises for the app's errors."""
        if self._task is None:
            return
        if not self._task.done():
            self._answered.clear()
            try:
                await self._ask("lifespan.shutdown")
            except LifespanFailed as error:
                _log.error("the app's shutdown failed: %s", error)
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _ask(self, kind: str) -> None:
        self._requests.put_nowait({"type": kind})
        try:
            async with asyncio.timeout(LIFESPAN_TIMEOUT_S):
                await self._answered.wait()
        except TimeoutError:
            raise LifespanFailed(f"no answer to {kind} within {LIFESPAN_TIMEOUT_S:.0f} s") from None

    async def _run(self) -> None:
        scope: Message = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._requests.get, self._send)
        except (Exception, SystemExit) as error:
            # Raising is how an app says that it has no lifespan; after startup it is a defect worth a line.
            if self._answered.is_set():
                _log.error("the app's lifespan raised", exc_info=error)
        finally:
            self._answered.set()

    async def _send(self, message: Message) -> None:
        if message["type"] in ("lifespan.startup.failed", "lifespan.shutdown.failed"):
            self._failure = str(message.get("message", "")) or "the app gave no reason"
        self._answered.set()


class AsgiHost:
    """An app and its running exchanges. Attempts of apps that give them away are run without ASGI: for half the price.

    clock: tells such attempts the time; None: as usual.
    """

    def __init__(self, app: App, clock: Clock | None = None) -> None:
        self._app = app
        self._clock = clock
        self._direct: AcceptsAttempts | None = app if hasattr(app, "accept") else None
        self._lifespan = Lifespan(app)
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Runs the app's startup. Raises: LifespanFailed."""
        await self._lifespan.startup()

    def open(
        self, method: str, path: str, headers: list[tuple[str, str]], sink: ResponseSink, *, credit: int
    ) -> AsgiExchange | DirectExchange:
        """Starts the app on a request; the sink is first called from a later iteration of the loop."""
        exchange = self._open_directly(path, headers, sink, credit) if method == "POST" else None
        if exchange is None:
            scope = http_scope(method, path, headers, self._lifespan.state)
            exchange = AsgiExchange(self._app, scope, sink, credit=credit)
            # The loop holds tasks weakly; without this a waiting app could be collected in the middle.
            self._running.add(exchange.task)
            exchange.task.add_done_callback(self._running.discard)
        return exchange

    def _open_directly(
        self, path: str, headers: list[tuple[str, str]], sink: ResponseSink, credit: int
    ) -> AsgiExchange | DirectExchange | None:
        if self._direct is None:
            return None
        exchange = DirectExchange(sink, self._running, credit=credit)
        return exchange if exchange.start(self._direct, path, dict(headers), self._clock) else None

    async def stop(self) -> None:
        """Cancels what still runs, then runs the app's shutdown."""
        running = list(self._running)
        # A task that is cancelled before its first step does not get to tell that it is over.
        self._running.clear()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._lifespan.shutdown()
