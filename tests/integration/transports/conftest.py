import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from perdure.invoker.asgi import AsgiTransport
from perdure.invoker.endpoint import connect
from perdure.invoker.transport import Transport

from . import echo_app, peers


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Rig:
    """A transport and the means to make its peer vanish."""

    def __init__(self, kind: str, transport: Transport, vanish: Callable[[], object]) -> None:
        self.kind = kind
        self.transport = transport
        self.vanish = vanish


@contextlib.asynccontextmanager
async def open_rig(kind: str, app, worker_target: str) -> AsyncIterator[Rig]:
    async with contextlib.AsyncExitStack() as stack:
        if kind == "memory":
            memory = AsgiTransport(app)
            stack.push_async_callback(memory.close)
            await memory.start()
            yield Rig(kind, memory, lambda: None)
            return
        if kind == "link":
            link, process = await stack.enter_async_context(peers.worker(worker_target))
            await link.ready
            yield Rig(kind, link, process.kill)
            return
        port = await stack.enter_async_context(peers.http_server(app))
        proxy = await stack.enter_async_context(peers.Proxy(port))
        transport = connect(f"http://127.0.0.1:{proxy.port}/", http11=kind == "http1")
        stack.push_async_callback(transport.close)
        yield Rig(kind, transport, proxy.cut)


@pytest.fixture(params=["memory", "link", "http2", "http1"])
async def rig(request, anyio_backend) -> AsyncIterator[Rig]:
    async with open_rig(request.param, echo_app.app, str(peers.ECHO_APP)) as opened:
        yield opened
