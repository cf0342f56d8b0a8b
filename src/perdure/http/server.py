"""Serves an ASGI app on a TCP address, HTTP/1.1 and HTTP/2 with prior knowledge on the same port.

Runs inside the loop it is started in; any number of servers can share it. Why not a ready-made server:
docs/decisions/0003-http-server.md.
"""

import asyncio
import contextlib
import errno
import os
import socket
from typing import ClassVar, Final, cast

from perdure.clock import Clock
from perdure.errors import PerdureError
from perdure.http.connection import ServerLimits, Serving
from perdure.http.exchange import AnswerDirectly, App
from perdure.http.http1 import Http1Connection
from perdure.http.http2 import PREFACE, Http2Connection

_BACKLOG: Final = 1024
_SWEEP_SECONDS: Final = 5.0
_CANCEL_SECONDS: Final = 1.0
"""How long cancelled tasks may take to clean up before the stop goes on without them."""


class CannotListen(PerdureError):
    """A listen address cannot be used: taken, not allowed, or not of this machine."""

    code: ClassVar[str] = "E0204"
    hint: ClassVar[str] = "Stop the program that uses the address, or choose another one with --ingress or --admin."

    def __init__(self, host: str, port: int, error: OSError) -> None:
        if error.errno == errno.EADDRINUSE:
            reason = "another program listens there already"
        else:
            # The text of a failed look-up of a name has no number that the system knows.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
        super().__init__(f"cannot listen on {_address(host, port)}: {reason}")


class _Unknown(asyncio.Protocol):
    """A connection that has not shown yet which protocol it speaks."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._transport: asyncio.Transport | None = None
        self._seen = b""
        self.last_active = serving.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: the transports of uvloop are no subclasses.
        self._transport = cast("asyncio.Transport", transport)
        self._serving.connections.add(self)

    def data_received(self, data: bytes) -> None:
        seen = self._seen + data
        if len(seen) < len(PREFACE) and PREFACE.startswith(seen):
            self._seen = seen
            return
        transport = self._transport
        assert transport is not None
        known: Http1Connection | Http2Connection
        known = Http2Connection(self._serving) if seen.startswith(PREFACE) else Http1Connection(self._serving)
        self._serving.connections.discard(self)
        self._serving.connections.add(known)
        transport.set_protocol(known)
        known.connection_made(transport)
        known.data_received(seen)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._serving.connections.discard(self)

    def close_if_idle(self, now: float, silent_since: float) -> None:
        if self.last_active <= silent_since:
            self.stop()

    def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class HttpServer:
    """One listening address and its connections."""

    def __init__(self, serving: Serving, listeners: list[socket.socket]) -> None:
        """Use `HttpServer.start`."""
        self._serving = serving
        self._listeners = listeners
        self._servers: list[asyncio.Server] = []
        self._sweep: asyncio.TimerHandle | None = None

    @classmethod
    async def start(
        cls,
        app: App,
        host: str,
        port: int,
        clock: Clock,
        *,
        limits: ServerLimits | None = None,
        cancel_when_gone: bool = False,
        answer_directly: AnswerDirectly | None = None,
    ) -> "HttpServer":
        """Listens and serves. port: 0 lets the system choose. Raises: CannotListen (E0204).

        The app gets `http` scopes only, no `lifespan`. cancel_when_gone: its task is cancelled when the client
        goes away, which costs less than watching for `http.disconnect` and needs an app that may be cancelled.
        answer_directly: what the app offers for complete requests.
        """
        loop = asyncio.get_running_loop()
        listeners = await _bind(host, port, loop)
        serving = Serving(app, loop, clock, limits or ServerLimits(), cancel_when_gone, answer_directly)
        server = cls(serving, listeners)
        for listener in listeners:
            server._servers.append(await loop.create_server(lambda: _Unknown(serving), sock=listener, backlog=_BACKLOG))
        server._sweep = loop.call_later(_SWEEP_SECONDS, server._close_idle)
        return server

    @property
    def port(self) -> int:
        port: int = self._listeners[0].getsockname()[1]
        return port

    @property
    def address(self) -> str:
        """`host:port` of the first listener."""
        host, port = self._listeners[0].getsockname()[:2]
        return _address(host, port)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._serving.connections)

    async def stop(self, drain_seconds: float = 5.0) -> None:
        """Takes no more requests, lets what is being answered end, then cuts off the rest. Idempotent."""
        serving = self._serving
        serving.stopping = True
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for server in self._servers:
            server.close()
        for connection in tuple(serving.connections):
            connection.stop()
        deadline = serving.loop.time() + drain_seconds
        while serving.connections and serving.loop.time() < deadline:
            await asyncio.sleep(0.01)
        serving.cut_off = True
        for connection in tuple(serving.connections):
            connection.abort()
        # The transports tell their protocols in the next turns of the loop, which cancels the tasks.
        deadline = serving.loop.time() + _CANCEL_SECONDS
        while (serving.connections or serving.running) and serving.loop.time() < deadline:
            await asyncio.sleep(0.001)
        self._servers.clear()

    def _close_idle(self) -> None:
        serving = self._serving
        now = serving.loop.time()
        silent_since = now - serving.limits.idle_seconds
        for connection in tuple(serving.connections):
            connection.close_if_idle(now, silent_since)
        self._sweep = serving.loop.call_later(_SWEEP_SECONDS, self._close_idle)


async def _bind(host: str, port: int, loop: asyncio.AbstractEventLoop) -> list[socket.socket]:
    """One socket for each address of the host, all on one port. The first must work, the others may be missing."""
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotListen(host, port, error) from error
    listeners: list[socket.socket] = []
    for family, _, _, _, address in dict.fromkeys(found):
        try:
            listeners.append(_bind_one(family, address, listeners[0].getsockname()[1] if listeners else port))
        except OSError as error:
            if not listeners or error.errno == errno.EADDRINUSE:
                for listener in listeners:
                    listener.close()
                raise CannotListen(host, port, error) from error
    return listeners


def _bind_one(family: int, address: tuple[object, ...], port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Lets a restarted server have its port back at once; it does not let two servers share one.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with contextlib.suppress(OSError):
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address[0] == "::" else 1)
        listener.bind((address[0], port, *address[2:]))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
