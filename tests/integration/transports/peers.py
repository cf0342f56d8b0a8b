"""What stands at the far end: an HTTP server, a worker process, and a proxy whose connections can be cut."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config

import perdure
from perdure.invoker.link import LinkTransport, connect_link

ECHO_APP = Path(__file__).with_name("echo_app.py")


@contextlib.asynccontextmanager
async def http_server(app, **options) -> AsyncIterator[int]:
    """Hypercorn in this process; it speaks HTTP/1.1 and HTTP/2. Yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]  # the server closes it
    config.errorlog = None
    config.graceful_timeout = 0.1
    config.shutdown_timeout = 1.0
    config.keep_alive_timeout = 1.0
    for name, value in options.items():
        setattr(config, name, value)
    stop = asyncio.Event()
    server = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))
    try:
        yield port
    finally:
        stop.set()
        await server


def worker_environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(perdure.__file__).parents[1])}


@contextlib.asynccontextmanager
async def worker(target: str) -> AsyncIterator[tuple[LinkTransport, subprocess.Popen[bytes]]]:
    """A worker process and the transport to it; not necessarily ready."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: ASYNC220 - quick, and the loop has nothing else to do
            [sys.executable, "-m", "perdure.worker", target, "--link-fd", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
            env=worker_environment(),
        )
    transport = await connect_link(ours)
    try:
        yield transport, process
    finally:
        await transport.close()
        await asyncio.to_thread(end, process)


def end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    finally:
        process.stderr.close()


class Proxy:
    """Forwards TCP connections until they are cut."""

    def __init__(self, port: int) -> None:
        self._target_port = port
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error) -> None:
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server.close()
        await self._server.wait_closed()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers += [writer, far_writer]
        self._tasks += [
            asyncio.create_task(self._pump(reader, far_writer)),
            asyncio.create_task(self._pump(far_reader, writer)),
        ]

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def raw_server(talk) -> AsyncIterator[int]:
    """A TCP server that runs `talk(reader, writer)` on each connection, then closes it. Yields the port."""
    tasks = []

    async def handle(reader, writer):
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await talk(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def accept(reader, writer):
        tasks.append(asyncio.create_task(handle(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
