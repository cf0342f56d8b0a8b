"""The engine's end of the worker link: many exchanges at once over one local socket."""

import asyncio
import socket
from functools import lru_cache

from perdure.invoker.body_queue import BodyQueue
from perdure.invoker.response_delivery import ResponseDelivery, header_dict
from perdure.invoker.transport import Request, StreamHandler, TransportError
from perdure.worker import frames
from perdure.worker.link_protocol import LinkProtocol

_STREAM_MAX = 0xFFFF_FFFF
_CLOSE_GRACE_S = 1.0


class WorkerFailed(TransportError):
    """The worker could not load or start the app. `str()` is the worker's own one-line reason."""


class _LinkStream(ResponseDelivery):
    """One exchange on the link."""

    __slots__ = ("_consumed", "_credit", "_link", "_number", "_queue", "_sent_all")

    def __init__(self, link: "LinkTransport", number: int, handler: StreamHandler) -> None:
        super().__init__(handler)
        self._link = link
        self._number = number
        self._credit = frames.WINDOW
        self._consumed = 0
        self._queue: BodyQueue | None = None
        self._sent_all = False

    @property
    def queued(self) -> int:
        """Bytes of request body that wait for the worker's credit."""
        return self._queue.size if self._queue is not None else 0

    def send(self, data: bytes) -> None:
        if self._handler is None or self._sent_all or not data:
            return
        size = len(data)
        if self._queue is None and size <= self._credit:
            self._credit -= size
            self._link.write_data(self._number, data)
            return
        if self._queue is None:
            self._queue = BodyQueue()
        self._queue.push(data)
        self._send_queued()

    def half_close(self) -> None:
        if self._handler is None or self._sent_all:
            return
        self._sent_all = True
        if self._queue is None:
            self._link.write(self._number, frames.END)

    def consumed(self, size: int) -> None:
        self._consumed += size
        if self._consumed >= frames.WINDOW // 4 and self._handler is not None:
            self._link.write(self._number, frames.CREDIT, frames.encode_credit(self._consumed))
            self._consumed = 0

    def add_credit(self, size: int) -> None:
        """The worker took `size` bytes of the request."""
        self._credit += size
        self._send_queued()

    def _send_queued(self) -> None:
        queue = self._queue
        if queue is None:
            return
        while queue.size and self._credit > 0:
            piece = queue.take(min(self._credit, frames.DATA_MAX))
            self._credit -= len(piece)
            self._link.write_data(self._number, piece)
        if not queue.size:
            self._queue = None
            if self._sent_all:
                self._link.write(self._number, frames.END)

    def _release(self, *, completed: bool) -> None:
        self._queue = None
        self._link.forget(self._number)
        if not completed:
            self._link.write(self._number, frames.RESET)


class LinkTransport(LinkProtocol):
    """Exchanges with one worker process. Build it with `connect_link`.

    ready: done when the worker has loaded the app; fails with `WorkerFailed` if it could not, with `TransportError`
    if the link was lost first. Streams may be opened before: the worker takes them up when it is ready.
    lost: set when the link is gone, whoever closed it.
    """

    bidirectional = True

    def __init__(self) -> None:
        super().__init__()
        self._streams: dict[int, _LinkStream] = {}
        self._last_number = 0
        self._asked_at: float | None = None
        self.ready: asyncio.Future[frames.Ready] = self._loop.create_future()
        # Whoever does not wait for `ready` sees the failure on the streams; asyncio need not complain.
        self.ready.add_done_callback(lambda ready: ready.cancelled() or ready.exception())
        self.lost = asyncio.Event()

    def open(self, request: Request, handler: StreamHandler) -> _LinkStream:
        number = self._next_number()
        stream = _LinkStream(self, number, handler)
        payload = frames.encode(frames.OpenPayload(request.method, request.path, request.headers))
        if not self.connected or len(payload) > frames.PAYLOAD_MAX:
            reason = "the request head is larger than 1 MiB" if self.connected else "the worker is not running"
            self._loop.call_soon(stream.deliver_failure, TransportError(reason))
            return stream
        self._streams[number] = stream
        if self._asked_at is None:
            self._asked_at = self._loop.time()
        self.write(number, frames.OPEN, payload)
        return stream

    async def close(self) -> None:
        """Closes the link; the worker ends. Open exchanges fail."""
        self._fail_all("the worker link was closed")
        self.hang_up()
        try:
            async with asyncio.timeout(_CLOSE_GRACE_S):
                await self.lost.wait()
        except TimeoutError:
            # A blocked worker does not read what is still to be written, and need not.
            self.abort("the worker link was closed")

    @property
    def open_streams(self) -> int:
        return len(self._streams)

    @property
    def silent_s(self) -> float:
        """How long the worker has had an exchange to answer without saying anything at all."""
        return 0.0 if self._asked_at is None else self._loop.time() - self._asked_at

    def fail_streams(self, error: TransportError) -> None:
        """Cuts all exchanges off; their handlers are told `error`."""
        for stream in list(self._streams.values()):
            stream.deliver_failure(error)

    def forget(self, number: int) -> None:
        """The stream is over: what the worker still sends on it is ignored."""
        self._streams.pop(number, None)

    def frame_received(self, stream: int, kind: int, payload: bytes) -> None:
        self._asked_at = None
        known = self._streams.get(stream)
        if kind == frames.DATA:
            if known is not None and payload:
                known.deliver_data(payload)
        elif kind == frames.CONTROL:
            self._control(frames.decode_control(payload))
        elif known is None:
            return
        elif kind == frames.HEAD:
            known.deliver_head(*(_known_head if len(payload) <= _KNOWN_HEAD_MAX else _head)(payload))
        elif kind == frames.END:
            known.deliver_end()
        elif kind == frames.CREDIT:
            known.add_credit(frames.decode_credit(payload))
        elif kind == frames.RESET:
            known.deliver_failure(TransportError(payload.decode(errors="replace") or "the worker reset the stream"))
        else:
            raise frames.FrameError(f"kind {kind} is not the worker's to send")

    def link_lost(self, reason: str) -> None:
        text = f"the worker is gone: {reason}" if reason else "the worker is gone: it closed the link or died"
        if not self.ready.done():
            self.ready.set_exception(TransportError(text))
        self._fail_all(text)
        self.lost.set()

    def _control(self, message: frames.Ready | frames.Failed) -> None:
        if self.ready.done():
            return
        if isinstance(message, frames.Ready):
            self.ready.set_result(message)
        else:
            self.ready.set_exception(WorkerFailed(message.reason))

    def _fail_all(self, reason: str) -> None:
        self.fail_streams(TransportError(reason))

    def _next_number(self) -> int:
        number = self._last_number
        while True:
            # Wraps after four billion exchanges; one that still runs then keeps its number.
            number = number % _STREAM_MAX + 1
            if number not in self._streams:
                self._last_number = number
                return number


def _head(payload: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers. Raises: FrameError."""
    head = frames.decode_head(payload)
    return head.status, header_dict(head.headers)


_KNOWN_HEAD_MAX = 1024
"""Bytes of a response head that is worth remembering."""
_known_head = lru_cache(maxsize=256)(_head)  # the same one for each attempt


async def connect_link(connected: socket.socket) -> LinkTransport:
    """The transport over a connected stream socket, for example one half of `socket.socketpair()`. Owns the socket."""
    connected.setblocking(False)
    _, transport = await asyncio.get_running_loop().create_connection(LinkTransport, sock=connected)
    return transport
