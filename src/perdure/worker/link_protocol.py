"""What both ends of the worker link share: reading frames off the socket, and writing them in batches."""

import asyncio
from typing import cast

from perdure.worker import frames


class LinkProtocol(asyncio.Protocol):
    """One end of the link. Frames written during one iteration of the loop leave in one write.

    The socket's own back pressure is not looked at: what can be under way is bounded by the credit of the streams.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._decoder = frames.Decoder()
        self._socket: asyncio.Transport | None = None
        self._unsent: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        received = self.frame_received
        try:
            for stream, kind, payload in self._decoder.feed(data):
                received(stream, kind, payload)
        except frames.FrameError as error:
            self.abort(f"the peer broke the worker link's format: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._socket = None
        self._unsent.clear()
        self.link_lost("" if exc is None else str(exc))

    def frame_received(self, stream: int, kind: int, payload: bytes) -> None:
        """A whole frame came. Raises: FrameError."""
        raise NotImplementedError

    def link_lost(self, reason: str) -> None:
        """The socket is gone. reason: for people, may be empty. May be called twice."""
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """Whether frames can still be written."""
        return self._socket is not None

    def write(self, stream: int, kind: int, payload: bytes = b"") -> None:
        """Queues a frame; dropped when the link is gone. payload: at most `frames.PAYLOAD_MAX` bytes."""
        if self._socket is None:
            return
        unsent = self._unsent
        if not unsent:
            self._loop.call_soon(self._flush)
        unsent.append(frames.pack_header(stream, kind, len(payload)))
        unsent.append(payload)

    def write_data(self, stream: int, data: bytes) -> None:
        """Queues a body as DATA frames. The caller has checked the credit."""
        if len(data) <= frames.DATA_MAX:
            self.write(stream, frames.DATA, data)
            return
        for start in range(0, len(data), frames.DATA_MAX):
            self.write(stream, frames.DATA, data[start : start + frames.DATA_MAX])

    def hang_up(self) -> None:
        """Closes the socket after what is queued has been written."""
        self._flush()
        if self._socket is not None:
            self._socket.close()

    def abort(self, reason: str) -> None:
        """Closes the socket at once."""
        if self._socket is not None:
            self._socket.abort()
            self._socket = None
            self.link_lost(reason)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and self._socket is not None:
            self._socket.write(b"".join(unsent))
