"""Exchanges that cannot take place, because the code that should answer is not running."""

import asyncio

from perdure.invoker.transport import Request, Stream, StreamHandler, TransportError


class WorkerRestarts(TransportError):
    """There is no worker just now, and a new one is being started."""

    retry_after = 200


class Nowhere:
    """An exchange opened while no worker runs."""

    queued = 0

    def __init__(self, handler: StreamHandler, error: TransportError) -> None:
        self._handle = asyncio.get_running_loop().call_soon(handler.stream_failed, error)

    def send(self, data: bytes) -> None:
        pass

    def half_close(self) -> None:
        pass

    def reset(self) -> None:
        self._handle.cancel()

    def consumed(self, size: int) -> None:
        pass


class NotRunning:
    """The transport to code that this server should run and does not."""

    bidirectional = True

    def open(self, request: Request, handler: StreamHandler) -> Stream:
        return Nowhere(handler, TransportError("no worker is running"))

    async def close(self) -> None:
        pass
