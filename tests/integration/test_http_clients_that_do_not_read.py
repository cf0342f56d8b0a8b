"""Clients that ask and never read: what they can make the server hold is bounded, in bytes and in time."""

import asyncio
import contextlib
from typing import Any

import h2.config
import h2.connection
import pytest

from perdure.clock import SystemClock
from perdure.http.connection import ServerLimits
from perdure.http.server import HttpServer

ANSWER = b"z" * 1_000_000


class Big:
    """Answers a lot to a little."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": ANSWER})


def request_http1() -> bytes:
    return b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 500


def request_http2() -> bytes:
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    client.initiate_connection()
    client.increment_flow_control_window(2**31 - 1 - 65_535)
    client.update_settings({4: 2**31 - 1})
    for number in range(200):
        head = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "x")]
        client.send_headers(1 + 2 * number, head, end_stream=True)
    return client.data_to_send()


@pytest.mark.parametrize("requests", [request_http1, request_http2], ids=["http1", "http2"])
def test_it_is_held_back_and_then_cut_off(requests: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perdure.http.server._SWEEP_SECONDS", 0.05)

    async def main() -> None:
        app = Big()
        limits = ServerLimits(idle_seconds=0.2)
        server = await HttpServer.start(app, "127.0.0.1", 0, SystemClock(), limits=limits)
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.transport.pause_reading()
        writer.write(requests())
        async with asyncio.timeout(10):
            while not server.connections:
                await asyncio.sleep(0.01)
            while server.connections:
                await asyncio.sleep(0.01)
        assert app.asked <= 200
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        await server.stop(drain_seconds=0.0)

    asyncio.run(main())
