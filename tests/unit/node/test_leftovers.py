"""What an invocation leaves behind in memory: nothing that would have to wait for the garbage collector."""

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import perdure
from perdure.client.client import Client
from perdure.client.in_memory import InMemoryConnection
from perdure.http.asgi_bridge import AsgiHost
from perdure.http.direct import DirectExchange
from perdure.invoker.asgi import AsgiTransport
from perdure.invoker.exchange import Exchange
from perdure.invoker.link import LinkTransport, connect_link
from perdure.invoker.transport import Transport
from perdure.node.node import Core
from perdure.node.settings import load_settings
from perdure.sdk.attempt import Attempt
from perdure.worker.server import WorkerServer

CALLS = 3

# A short inactivity timeout, so that a handler that waits for another suspends.
steps = perdure.Service("Steps", inactivity_timeout=timedelta(milliseconds=1))
app = perdure.app([steps])


async def step(number: int) -> int:
    return number


@steps.handler()
async def run(ctx: perdure.Context, count: int) -> int:
    total = 0
    for number in range(count):
        total += await ctx.run_typed("step", step, number=number)
    return total


async def in_memory() -> AsgiTransport:
    transport = AsgiTransport(app)
    await transport.start()
    return transport


async def over_a_link() -> LinkTransport:
    ours, workers = socket.socketpair()
    workers.setblocking(False)
    host = AsgiHost(app)
    await host.start()
    await asyncio.get_running_loop().create_connection(lambda: WorkerServer(host), sock=workers)
    return await connect_link(ours)


@steps.handler()
async def relay(ctx: perdure.Context, count: int) -> int:
    return await ctx.service_call(run, count)


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("handler", [run, relay])
@pytest.mark.parametrize("connect", [in_memory, over_a_link])
def test_both_ends_of_an_attempt_go_with_it(
    handler: Any, connect: Callable[[], Awaitable[Transport]], tmp_path: Path
) -> None:
    def left() -> list[object]:
        return [one for one in gc.get_objects() if isinstance(one, (Attempt, DirectExchange, Exchange))]

    gc.collect()
    left_by_others = len(left())

    async def main() -> None:
        core = Core(load_settings(None, {"data": tmp_path}, surroundings=False))
        transport = await connect()
        core.add_local("perdure-test://app", transport)
        await core.start()
        await core.register_local("perdure-test://app", transport)
        client = Client(InMemoryConnection(lambda: core.ingress))
        assert await client.call(handler, 3) == 3
        with without_collector():
            for _ in range(CALLS):
                assert await client.call(handler, 3) == 3
            async with asyncio.timeout(30):
                # The caller is answered a moment before both ends have let go. One attempt may stay for a while:
                # a timer that all share keeps the context in which it was armed.
                while len(left()) >= left_by_others + CALLS:
                    await asyncio.sleep(0)
        await core.stop()

    asyncio.run(main())
