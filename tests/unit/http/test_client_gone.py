"""However early a client goes away, its request comes to an end."""

import asyncio
from typing import Any

import pytest

from perdure.clock import SystemClock
from perdure.http.connection import ServerLimits, Serving
from perdure.http.exchange import AnswerDirectly, Exchange
from perdure.http.http1 import Http1Connection

REQUEST = b"GET /x HTTP/1.1\r\nhost: x\r\n\r\n"


class NoSocket(asyncio.Transport):
    """Takes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data


class Unanswered:
    """A request that waits for ever, or until its client is gone."""

    def __init__(self) -> None:
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1


async def forever(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


def connect(serving: Serving) -> Http1Connection:
    connection = Http1Connection(serving)
    connection.connection_made(NoSocket())
    return connection


def serving(answer_directly: AnswerDirectly | None = None) -> Serving:
    return Serving(forever, asyncio.get_running_loop(), SystemClock(), ServerLimits(), True, answer_directly)


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_task_ends_whether_or_not_it_has_begun(turns: int) -> None:
    async def main() -> None:
        server = serving()
        connection = connect(server)
        connection.data_received(REQUEST)
        assert server.running == 1
        for _ in range(turns):
            await asyncio.sleep(0)
        connection.connection_lost(None)
        for _ in range(5):
            await asyncio.sleep(0)
        assert server.running == 0

    asyncio.run(main())


def test_a_request_without_a_task_is_cancelled_once_and_ends() -> None:
    async def main() -> None:
        waits = Unanswered()
        server = serving(lambda exchange, body: waits)
        connection = connect(server)
        connection.data_received(REQUEST + REQUEST)
        connection.connection_lost(None)
        connection.connection_lost(None)
        assert (waits.cancelled, server.running) == (1, 1)
        await asyncio.sleep(0)
        assert server.running == 0

    asyncio.run(main())


def test_an_answered_request_is_not_cancelled() -> None:
    async def main() -> None:
        waits = Unanswered()
        asked: list[Exchange] = []

        def answer(exchange: Exchange, body: bytes) -> Unanswered:
            asked.append(exchange)
            return waits

        server = serving(answer)
        connection = connect(server)
        connection.data_received(REQUEST)
        asked[0].respond(200, [(b"content-length", b"2")], b"ok")
        assert server.running == 0
        connection.connection_lost(None)
        await asyncio.sleep(0)
        assert (waits.cancelled, server.running) == (0, 0)

    asyncio.run(main())


def test_an_answer_after_the_client_is_gone_goes_nowhere() -> None:
    async def main() -> None:
        asked: list[Exchange] = []

        def answer(exchange: Exchange, body: bytes) -> Unanswered:
            asked.append(exchange)
            return Unanswered()

        server = Serving(forever, asyncio.get_running_loop(), SystemClock(), ServerLimits(), False, answer)
        connection = Http1Connection(server)
        connection.connection_made(transport := NoSocket())
        connection.data_received(REQUEST)
        connection.connection_lost(None)
        asked[0].respond(200, [], b"late")
        assert (transport.written, server.running) == (b"", 0)

    asyncio.run(main())
