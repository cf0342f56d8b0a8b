"""Frames: an 8-byte header and a protobuf payload, back to back in both bodies of an exchange.

0        2        4                 8
| type   | flags  | payload length  | payload ...      big-endian; only bit 0x8000 of flags means something
"""

import struct
from typing import Final

import msgspec

from perdure.protocol.errors import FrameTooLarge

HEADER_SIZE: Final = 8
ACK_FLAG: Final = 0x8000
"""Set by an SDK that wants to hear when a command or a run's proposal is durable."""

_HEADER: Final = struct.Struct(">HHI")
_pack_header: Final = _HEADER.pack
_unpack_header: Final = _HEADER.unpack_from


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One message as it travels. type: see `MessageType`.  flags: 16 bits, unknown ones are to be ignored."""

    type: int
    flags: int
    payload: bytes


def encode_frame(type: int, payload: bytes, flags: int = 0) -> bytes:
    """The bytes of one frame."""
    return _pack_header(type, flags, len(payload)) + payload


class FrameDecoder:
    """Cuts a body into frames, however its bytes arrive.

    Work is linear in the bytes fed. At most one incomplete frame is kept, so `buffered` never exceeds
    the limit and a header.
    """

    def __init__(self, limit_bytes: int) -> None:
        """limit_bytes: the largest payload accepted, header not counted."""
        self._limit = limit_bytes
        self._buffer = bytearray()
        self._needed = HEADER_SIZE
        self._too_large: FrameTooLarge | None = None

    @property
    def buffered(self) -> int:
        """Bytes of an incomplete frame; not zero at the end of a body means that it was cut off."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order.

        Raises: FrameTooLarge, as soon as the header is seen. Frames in front of it are returned first:
        the error then comes with the next call, which `raise_pending` is if no more bytes arrive.
        """
        if self._too_large is not None:
            raise self._too_large
        if not self._buffer:
            return self._cut(data)
        self._buffer += data
        if len(self._buffer) < self._needed:
            # A large payload in small pieces: nothing to look at before it is complete.
            return []
        whole = bytes(self._buffer)
        self._buffer = bytearray()
        return self._cut(whole)

    def raise_pending(self) -> None:
        """Raises the FrameTooLarge that stands behind the frames `feed` returned, if there is one."""
        if self._too_large is not None:
            raise self._too_large

    def _cut(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        at = 0
        size = len(data)
        while size - at >= HEADER_SIZE:
            type_, flags, length = _unpack_header(data, at)
            if length > self._limit:
                self._too_large = FrameTooLarge(length, self._limit)
                if frames:
                    return frames
                raise self._too_large
            start = at + HEADER_SIZE
            end = start + length
            if end > size:
                self._needed = end - at
                break
            frames.append(Frame(type_, flags, data[start:end]))
            at = end
        else:
            self._needed = HEADER_SIZE
        if at < size:
            self._buffer += data[at:]
        return frames
