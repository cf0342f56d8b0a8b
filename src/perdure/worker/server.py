"""The worker's end of the link: runs each stream against the app."""

import asyncio

from perdure.http.asgi_bridge import AsgiExchange, AsgiHost
from perdure.http.direct import DirectExchange
from perdure.worker import frames
from perdure.worker.link_protocol import LinkProtocol


class _Stream:
    """One stream: the sink of the app's response, and the way into its request."""

    __slots__ = ("_link", "_number", "_taken", "exchange")

    def __init__(self, link: "WorkerServer", number: int) -> None:
        self._link = link
        self._number = number
        self._taken = 0
        self.exchange: AsgiExchange | DirectExchange | None = None

    def disconnect(self) -> None:
        """The engine is gone, or does not want this stream any more."""
        # They hold each other: left in a cycle, both would wait for the garbage collector.
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.disconnect()

    def head(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        payload = frames.encode(frames.HeadPayload(status, headers))
        if len(payload) > frames.PAYLOAD_MAX:
            self._link.reset_stream(self._number, "the response head is larger than 1 MiB")
            return
        self._link.write(self._number, frames.HEAD, payload)

    def data(self, data: bytes) -> None:
        self._link.write_data(self._number, data)

    def end(self) -> None:
        self._link.write(self._number, frames.END)
        self._link.forget_stream(self._number)

    def failed(self, reason: str) -> None:
        self._link.reset_stream(self._number, reason)

    def request_taken(self, size: int) -> None:
        self._taken += size
        if self._taken >= frames.WINDOW // 4:
            self._link.write(self._number, frames.CREDIT, frames.encode_credit(self._taken))
            self._taken = 0


class WorkerServer(LinkProtocol):
    """Serves a host's app to the engine at the other end of the link.

    closed: done when the link is gone.
    """

    def __init__(self, host: AsgiHost) -> None:
        super().__init__()
        self._host = host
        self._streams: dict[int, _Stream] = {}
        self.closed = asyncio.Event()

    def announce(self, message: frames.Ready | frames.Failed) -> None:
        """Tells the engine how loading the app went."""
        self.write(0, frames.CONTROL, frames.encode(message))

    def frame_received(self, stream: int, kind: int, payload: bytes) -> None:
        if kind == frames.OPEN:
            self._open(stream, frames.decode_open(payload))
            return
        known = self._streams.get(stream)
        if known is None or known.exchange is None:
            return
        if kind == frames.DATA:
            known.exchange.feed(payload)
        elif kind == frames.END:
            known.exchange.end_request()
        elif kind == frames.CREDIT:
            known.exchange.add_credit(frames.decode_credit(payload))
        elif kind == frames.RESET:
            del self._streams[stream]
            known.disconnect()

    def link_lost(self, reason: str) -> None:
        self.disconnect_all()
        self.closed.set()

    def disconnect_all(self) -> None:
        """Tells every running handler that its caller is gone."""
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.disconnect()

    def reset_stream(self, number: int, reason: str) -> None:
        """Abandons a stream from the worker's side."""
        stream = self._streams.pop(number, None)
        if stream is not None:
            stream.disconnect()
        self.write(number, frames.RESET, reason.encode())

    def forget_stream(self, number: int) -> None:
        """The response is complete: what the engine still sends on this stream is ignored."""
        stream = self._streams.pop(number, None)
        if stream is not None:
            stream.exchange = None

    def _open(self, number: int, request: frames.OpenPayload) -> None:
        if number in self._streams or number == 0:
            raise frames.FrameError(f"stream {number} opened twice")
        stream = self._streams[number] = _Stream(self, number)
        stream.exchange = self._host.open(request.method, request.path, request.headers, stream, credit=frames.WINDOW)
