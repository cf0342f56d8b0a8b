"""A stream handler that a test can wait on."""

import asyncio

from perdure.invoker.transport import Request, Transport, TransportError

WAIT_S = 30.0


class Exchange:
    """One exchange. consume: give credit back as the data comes."""

    def __init__(self, transport: Transport, method: str, path: str, *, consume: bool = True) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.ended = False
        self.error: TransportError | None = None
        self._consume = consume
        self._changed = asyncio.Event()
        self.stream = transport.open(Request(method, path, [("content-type", "text/plain"), ("x-test", "1")]), self)

    def head_received(self, status: int, headers: dict[str, str]) -> None:
        assert self.status is None
        self.status, self.headers = status, headers
        self._changed.set()

    def data_received(self, data: bytes) -> None:
        assert self.status is not None
        assert data
        assert not self.over
        self.body += data
        if self._consume:
            self.stream.consumed(len(data))
        self._changed.set()

    def end_received(self) -> None:
        assert self.status is not None
        assert not self.over
        self.ended = True
        self._changed.set()

    def stream_failed(self, error: TransportError) -> None:
        assert not self.over
        self.error = error
        self._changed.set()

    @property
    def over(self) -> bool:
        return self.ended or self.error is not None

    def consume_from_now_on(self) -> None:
        self._consume = True
        self.stream.consumed(len(self.body))

    async def wait_for_head(self) -> None:
        await self._until(lambda: self.status is not None)

    async def wait_for(self, size: int) -> None:
        """Until `size` bytes of body are there."""
        await self._until(lambda: len(self.body) >= size)

    async def wait_for_end(self) -> bytes:
        """The whole body. Raises: TransportError."""
        await self._until(lambda: self.ended)
        return bytes(self.body)

    async def wait_for_failure(self) -> TransportError:
        async with asyncio.timeout(WAIT_S):
            while self.error is None:
                assert not self.ended, "the exchange ended without a failure"
                await self._next_change()
        return self.error

    async def _until(self, condition) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                if self.error is not None:
                    raise self.error
                await self._next_change()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


async def ask(transport: Transport, path: str) -> str:
    """The body of a GET."""
    exchange = Exchange(transport, "GET", path)
    exchange.stream.half_close()
    return (await exchange.wait_for_end()).decode()
