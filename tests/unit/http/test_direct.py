"""Attempts without ASGI in between do what those with it do."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import perdure
from perdure.embedded import CannotEmbed, Embedded
from perdure.http.asgi_bridge import AsgiHost
from perdure.http.direct import DirectExchange

service = perdure.Service("Hosted")


@service.handler()
async def greet(ctx: perdure.Context, name: str) -> str:
    return await ctx.run_typed("greet", lambda: f"Hello, {name}")


@service.handler()
async def large(ctx: perdure.Context, size: int) -> str:
    return "x" * size


@service.handler()
async def leave(ctx: perdure.Context) -> None:
    sys.exit(3)


app = perdure.app([service])


async def through_asgi(scope: Any, receive: Any, send: Any) -> None:
    await app(scope, receive, send)


@pytest.mark.parametrize("hosted", [app, through_asgi], ids=["direct", "asgi"])
def test_both_ways_give_the_same(hosted: Any) -> None:
    async def main() -> None:
        async with Embedded(hosted) as engine:
            assert await engine.client.call(greet, "Ada") == "Hello, Ada"
            assert len(await engine.client.call(large, 5_000_000)) == 5_000_000

    asyncio.run(main())


def test_a_handler_that_exits_does_not_end_the_process() -> None:
    async def main() -> None:
        once = {"retry.max_attempts": 1, "retry.on_max_attempts": "kill"}
        async with Embedded(app, settings=once) as engine:
            with pytest.raises(perdure.TerminalError):
                await engine.client.call(leave)
            assert await engine.client.call(greet, "Ada") == "Hello, Ada"

    asyncio.run(main())


class Codec(perdure.JournalValueCodec):
    def encode(self, buf: bytes) -> bytes:
        return buf[::-1]

    def decode(self, buf: bytes) -> bytes:
        return buf[::-1]


def test_what_is_not_accepted_goes_through_asgi() -> None:
    async def main() -> None:
        for other in (perdure.app([service], journal_value_codec=Codec()), app):
            sink = Sink()
            exchange = AsgiHost(other).open("POST", "/invoke/Hosted/nobody", [], sink, credit=1000)
            assert not isinstance(exchange, DirectExchange)
            await sink.over.wait()
            assert sink.said[0] == 404

    asyncio.run(main())


def test_an_app_that_asks_for_signatures_still_does() -> None:
    key = "publickeyv1_w7YHemBctH5Ck2nQRQ47iBBqhNHy4FV7t2Usbye2A6f"

    async def main() -> None:
        with pytest.raises(CannotEmbed):
            await Embedded(perdure.app([service], identity_keys=[key])).start()

    asyncio.run(main())


class Sink:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.over = asyncio.Event()

    def head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.said.append(status)

    def data(self, data: bytes) -> None:
        self.said.append(data)

    def end(self) -> None:
        self.said.append("end")
        self.over.set()

    def failed(self, reason: str) -> None:
        self.said.append(reason)
        self.over.set()

    def request_taken(self, size: int) -> None:
        self.said.append(f"took {size}")


class Scripted:
    """An app whose only attempt does as the test says; also that attempt."""

    def __init__(self) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard: list[Any] = []
        self.send: Callable[[bytes], None] = lambda data: None

    def accept(self, path: str, headers: Mapping[str, str], send: Callable[[bytes], None], clock: Any) -> Any:
        self.send = send
        return self, []

    def feed(self, data: bytes) -> None:
        self.heard.append(data)

    def end_of_input(self) -> None:
        self.heard.append("end")

    def disconnected(self) -> None:
        self.heard.append("gone")
        if not self.done.done():
            self.done.set_result(None)

    async def run(self) -> None:
        await self.done


def exchange_with(test: Callable[[DirectExchange, Scripted, Sink], Any]) -> None:
    async def main() -> None:
        attempt, sink = Scripted(), Sink()
        running: set[asyncio.Task[None]] = set()
        exchange = DirectExchange(sink, running, credit=4)
        assert exchange.start(attempt, "/invoke/S/h", {}, None)
        assert running == {exchange.task}
        await asyncio.sleep(0)
        await test(exchange, attempt, sink)
        await asyncio.gather(exchange.task, return_exceptions=True)
        assert not running

    asyncio.run(main())


def test_no_more_is_sent_than_there_is_credit_for() -> None:
    async def test(exchange: DirectExchange, attempt: Scripted, sink: Sink) -> None:
        attempt.send(b"abc")
        attempt.send(b"defg")
        attempt.done.set_result(None)
        await asyncio.sleep(0)
        assert sink.said == [200, b"abc", b"d"]
        exchange.add_credit(2)
        exchange.add_credit(10)
        assert sink.said[3:] == [b"ef", b"g", "end"]

    exchange_with(test)


def test_what_is_fed_counts_as_taken() -> None:
    async def test(exchange: DirectExchange, attempt: Scripted, sink: Sink) -> None:
        exchange.feed(b"abc")
        exchange.end_request()
        assert attempt.heard == [b"abc", "end"]
        assert sink.said == [200, "took 3"]
        attempt.done.set_result(None)
        await sink.over.wait()

    exchange_with(test)


def test_after_a_disconnect_nothing_is_said_any_more() -> None:
    async def test(exchange: DirectExchange, attempt: Scripted, sink: Sink) -> None:
        exchange.disconnect()
        exchange.disconnect()
        attempt.send(b"abc")
        exchange.feed(b"x")
        await exchange.task
        assert attempt.heard == ["gone"]
        assert sink.said == [200]

    exchange_with(test)


def test_an_attempt_that_raises_or_is_stopped_breaks_the_exchange() -> None:
    async def raises(exchange: DirectExchange, attempt: Scripted, sink: Sink) -> None:
        attempt.done.set_exception(SystemExit(1))
        await sink.over.wait()
        assert sink.said == [200, "the app raised SystemExit before its response was complete"]

    async def stopped(exchange: DirectExchange, attempt: Scripted, sink: Sink) -> None:
        exchange.task.cancel()
        await sink.over.wait()
        assert sink.said == [200, "the app was stopped before its response was complete"]

    exchange_with(raises)
    exchange_with(stopped)
