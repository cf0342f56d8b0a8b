"""One request and its response, between a connection and an ASGI app; the same for HTTP/1.1 and HTTP/2.

    connection ──feed, end_body, client_gone──▶ Exchange ──receive──▶ app
    connection ◀──start_response, write_body── Exchange ◀──send───── app

The connection part is callbacks and the app part one task. A small request is complete before its task
starts, so that it costs the app no waiting at all. An app may also offer to answer complete requests without a task
(`AnswerDirectly`), which is cheaper still.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import unquote

if TYPE_CHECKING:
    from perdure.http.connection import Serving

Headers = list[tuple[bytes, bytes]]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
App = Callable[[Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class Pending(Protocol):
    """A request that an app answers without a task."""

    def cancel(self) -> None:
        """The client is gone: nothing is to be answered any more."""


class Answerable(Protocol):
    """A request that is complete. raw_path, query: undecoded. headers: names in lower case."""

    method: str
    raw_path: bytes
    query: bytes
    headers: Headers

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """The whole response."""


AnswerDirectly = Callable[[Answerable, bytes], Pending | None]
"""Asked with each request that is complete, and its body, before a task is made for it. None: it goes through ASGI.

Else the app calls `Answerable.respond`, once, and not before it returned.
"""


def request_scope(request: Answerable, http_version: str, client: Any = None, server: Any = None) -> Scope:
    """What an ASGI app is told of a request. client, server: their addresses, if it came over a socket."""
    path = request.raw_path.decode("latin-1")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": http_version,
        "method": request.method,
        "scheme": "http",
        "path": unquote(path) if "%" in path else path,
        "raw_path": request.raw_path,
        "query_string": request.query,
        "root_path": "",
        "headers": request.headers,
        "client": client,
        "server": server,
        "state": {},
    }


READ_AHEAD: Final = 256 * 1024
"""Bytes of a body that may wait for the app before the client is made to wait."""

_log: Final = logging.getLogger(__name__)


class Exchange(ABC):
    """The ASGI side of one request. A connection kind says how bytes get out."""

    __slots__ = (
        "_begun",
        "_end_told",
        "_head",
        "_news",
        "_pending",
        "_pieces",
        "_serving",
        "_task",
        "_writable",
        "body_done",
        "buffered",
        "gone",
        "headers",
        "http_version",
        "method",
        "query",
        "raw_path",
        "response_done",
    )

    def __init__(
        self, serving: "Serving", http_version: str, method: str, target: tuple[bytes, bytes], headers: Headers
    ) -> None:
        """target: path and query, undecoded. headers: names in lower case."""
        self.http_version = http_version
        self.method = method
        self.raw_path, self.query = target
        self.headers = headers
        self._task: asyncio.Task[None] | None = None
        self._begun = False
        """The task has had its first step."""
        self._pending: Pending | None = None
        self.body_done = False
        self.buffered = 0
        self.gone = False
        self.response_done = False
        self._serving = serving
        self._end_told = False
        self._pieces: list[bytes] = []
        self._news: asyncio.Event | None = None
        self._writable: asyncio.Event | None = None
        self._head: tuple[int, Headers] | None = None

    # What the connection calls.

    def start(self) -> None:
        serving = self._serving
        serving.running += 1
        if serving.answer_directly is not None and self.body_done:
            body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pending = serving.answer_directly(self, body)
            if self._pending is not None:
                self._pieces.clear()
                return
        self._task = serving.loop.create_task(self._run(serving.app))

    def feed(self, data: bytes) -> None:
        """A piece of the request body."""
        self._pieces.append(data)
        self.buffered += len(data)
        if self._news is not None:
            self._news.set()

    def end_body(self) -> None:
        self.body_done = True
        if self._news is not None:
            self._news.set()

    def client_gone(self) -> None:
        """The client went away; nothing that is written will arrive."""
        if self.gone:
            return
        self.gone = True
        if self._news is not None:
            self._news.set()
        if self._writable is not None:
            self._writable.set()
        serving = self._serving
        if not (serving.cancel_when_gone or serving.cut_off) or self.response_done:
            return
        if self._task is not None:
            self._task.cancel()
            if not self._begun:
                # A task that is cancelled before its first step never gets to its end.
                serving.loop.call_soon(self._end)
        elif self._pending is not None:
            self._pending.cancel()
            # Later, as with a task: the connection is in the middle of something.
            serving.loop.call_soon(self._end)

    def hold_writing(self) -> None:
        """What is written piles up: let the app wait in its next `send`."""
        if self._writable is None:
            self._writable = asyncio.Event()
        self._writable.clear()

    def resume_writing(self) -> None:
        if self._writable is not None:
            self._writable.set()

    # What the connection kind implements.

    @property
    @abstractmethod
    def addresses(self) -> tuple[Any, Any]:
        """Of the client and of the server."""

    @abstractmethod
    def body_wanted(self) -> None:
        """The app waits for body bytes, and there are none."""

    @abstractmethod
    def body_taken(self, size: int) -> None:
        """The app took `size` body bytes."""

    @abstractmethod
    def start_response(self, status: int, headers: Headers, body: bytes, more: bool) -> None:
        """Writes the head and the first piece of the body."""

    @abstractmethod
    def write_body(self, body: bytes, more: bool) -> None:
        """Writes a further piece of the body."""

    @abstractmethod
    def abort(self) -> None:
        """The response cannot be finished."""

    @abstractmethod
    def finished(self) -> None:
        """The response is complete, or the app has failed and everything was told."""

    # What the app calls, if it answers directly.

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """The whole response."""
        if not self.gone:
            self.start_response(status, headers, body, False)
            self.response_done = True
        self._end()

    def _end(self) -> None:
        self._serving.running -= 1
        self.finished()

    # What the app calls through ASGI.

    async def receive(self) -> Message:
        while True:
            if self._pieces:
                data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
                self._pieces.clear()
                self.buffered = 0
                self._end_told = self.body_done
                self.body_taken(len(data))
                return {"type": "http.request", "body": data, "more_body": not self._end_told}
            if self.body_done and not self._end_told:
                self._end_told = True
                return {"type": "http.request", "body": b"", "more_body": False}
            if self.gone or self.response_done:
                return {"type": "http.disconnect"}
            if not self.body_done:
                self.body_wanted()
            if self._news is None:
                self._news = asyncio.Event()
            self._news.clear()
            await self._news.wait()

    async def send(self, message: Message) -> None:
        if self.gone:
            return
        kind = message["type"]
        if kind == "http.response.start":
            assert self._head is None, "the app started its response twice"
            self._head = (message["status"], message.get("headers", []))
            return
        assert kind == "http.response.body", f"the app sent an unknown message, {kind}"
        assert self._head is not None, "the app sent a body before a head"
        assert not self.response_done, "the app sent more than its response"
        more = message.get("more_body", False)
        body = message.get("body", b"")
        status, headers = self._head
        if status:
            self._head = (0, headers)
            self.start_response(status, headers, body, more)
        else:
            self.write_body(body, more)
        if not more:
            self.response_done = True
            if self._news is not None:
                self._news.set()
        elif self._writable is not None:
            await self._writable.wait()

    async def _run(self, app: App) -> None:
        self._begun = True
        try:
            await app(request_scope(self, self.http_version, *self.addresses), self.receive, self.send)
            if not self.response_done and not self.gone:
                if self._head is not None:
                    _log.error("the app ended before its response: %s %s", self.method, self.raw_path.decode("latin-1"))
                self._fail()
        except asyncio.CancelledError:
            if not self.gone:
                self.abort()
        except Exception:
            _log.exception("the app failed: %s %s", self.method, self.raw_path.decode("latin-1"))
            self._fail()
        finally:
            self._end()

    def _fail(self) -> None:
        if self.gone or self.response_done:
            return
        if self._head is not None and self._head[0] == 0:
            self.abort()
            return
        body = b"the server failed to handle this request; its log says why"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        self.start_response(500, headers, body, False)
        self.response_done = True
