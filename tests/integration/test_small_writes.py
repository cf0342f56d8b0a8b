"""Connections that the HTTP server accepts send what they are given at once, on both event loops."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Callable
from typing import Any

import pytest
import uvloop

from perdure.clock import SystemClock
from perdure.http.server import HttpServer


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def accepted_from(client: tuple[str, int]) -> socket.socket:
    """This process' other end of a client's connection."""
    for number in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                found = socket.socket(fileno=os.dup(number))
                with contextlib.suppress(OSError):
                    if found.getpeername() == client:
                        return found
                found.close()
    raise AssertionError(f"nothing is connected to {client}")


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_small_writes_are_not_held_back(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Otherwise the kernel waits with the second small write for the other side to acknowledge the first: 40 ms."""

    async def main() -> None:
        server = await HttpServer.start(answer, "127.0.0.1", 0, SystemClock())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 204 No Content\r\n"
        with accepted_from(writer.get_extra_info("sockname")) as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        await writer.wait_closed()
        await server.stop(drain_seconds=0.0)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(asyncio.wait_for(main(), 30))
