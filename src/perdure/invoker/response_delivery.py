"""The response side that all transports share: what a `StreamHandler` may rely on is enforced here."""

import asyncio
from collections.abc import Iterable, Mapping

from perdure.invoker.transport import StreamHandler, TransportError


def header_dict(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower-case names; values of a repeated name joined with a comma, as HTTP allows."""
    result: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("latin-1")
        result[name] = f"{result[name]}, {value}" if name in result else value
    return result


class ResponseDelivery:
    """Hands one exchange's response to its handler.

    Nothing is delivered after the end, a failure or a reset. A handler that raises loses its own exchange and no
    other: the error goes to the loop's exception handler. Subclasses implement `_release`.
    """

    __slots__ = ("_handler",)

    def __init__(self, handler: StreamHandler) -> None:
        self._handler: StreamHandler | None = handler
        """None: the exchange is over. It usually holds this stream: in a cycle both would wait for the collector."""

    def _release(self, *, completed: bool) -> None:
        """Called once, when the exchange is over: give back what it holds, and abandon it at the peer unless
        the response was `completed`."""
        raise NotImplementedError

    def reset(self) -> None:
        """Abandons the exchange. No callback follows."""
        if self._handler is not None:
            self._end(completed=False)

    def deliver_head(self, status: int, headers: Mapping[str, str]) -> None:
        """headers: as of `header_dict`."""
        handler = self._handler
        if handler is None:
            return
        try:
            handler.head_received(status, headers)
        except Exception as error:
            self._handler_raised(error)

    def deliver_data(self, data: bytes) -> None:
        handler = self._handler
        if handler is None:
            return
        try:
            handler.data_received(data)
        except Exception as error:
            self._handler_raised(error)

    def deliver_end(self) -> None:
        handler = self._handler
        if handler is None:
            return
        self._end(completed=True)
        try:
            handler.end_received()
        except Exception as error:
            self._handler_raised(error)

    def deliver_failure(self, error: TransportError) -> None:
        handler = self._handler
        if handler is None:
            return
        self._end(completed=False)
        try:
            handler.stream_failed(error)
        except Exception as raised:
            self._handler_raised(raised)

    def _end(self, *, completed: bool) -> None:
        self._handler = None
        self._release(completed=completed)

    def _handler_raised(self, error: Exception) -> None:
        context = {"message": "a stream handler raised; its exchange is reset", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)
        self.reset()
