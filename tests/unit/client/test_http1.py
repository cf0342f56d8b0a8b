"""The client's HTTP: one socket serves many requests, and what breaks is told."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from perdure.client.failures import NoConnection
from perdure.client.http1 import HttpConnection

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Server:
    """connections: how many sockets were accepted."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.connections = 0

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def answer_always(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            await read_head(reader)
        except asyncio.IncompleteReadError:
            return
        writer.write(OK)
        await writer.drain()


def test_requests_share_a_connection() -> None:
    async def main() -> None:
        server = Server(answer_always)
        async with server as url:
            connection = HttpConnection(url)
            for _ in range(3):
                assert (await connection.request("GET", "/", {}, b"")).body == b"ok"
            assert server.connections == 1
            await connection.close()

    asyncio.run(main())


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(OK)
        await writer.drain()

    async def main() -> None:
        server = Server(answer_once)
        async with server as url:
            connection = HttpConnection(url)
            for _ in range(2):
                assert (await connection.request("GET", "/", {}, b"")).status == 200
                while connection.idle:
                    await asyncio.sleep(0)
            assert server.connections == 2
            await connection.close()

    asyncio.run(main())


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", b"SSH-2.0-nonsense\r\n\r\n"])
def test_an_answer_that_breaks_off(said: bytes) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(said)

    async def main() -> None:
        async with Server(break_off) as url:
            connection = HttpConnection(url)
            with pytest.raises(NoConnection, match="broke"):
                await connection.request("POST", "/", {}, b"x")
            await connection.close()

    asyncio.run(main())


def test_nobody_there() -> None:
    async def main() -> None:
        async with Server(answer_always) as url:
            pass
        connection = HttpConnection(url)
        with pytest.raises(NoConnection, match="no server answers") as failed:
            await connection.request("GET", "/", {}, b"")
        assert failed.value.code == "E0610"
        await connection.close()

    asyncio.run(main())


def test_a_closed_client_says_so() -> None:
    async def main() -> None:
        connection = HttpConnection("http://127.0.0.1:1")
        await connection.close()
        with pytest.raises(NoConnection, match="is closed"):
            await connection.request("GET", "/", {}, b"")

    asyncio.run(main())
