"""The worker link's wire format, without IO.

Both directions carry frames, one after another:

    | stream u32 | kind u8 | length u32 | payload: `length` bytes |      (big endian)

Stream 0 is the link itself and carries `CONTROL` only. The engine numbers the streams. Each direction of a
stream starts with `WINDOW` bytes of credit for `DATA`; `CREDIT` gives more. A stream is over when the response
has ended or either side has sent `RESET`; frames for a stream that is over are ignored.
"""

import struct
from typing import TypeVar

import msgspec

_T = TypeVar("_T")

WINDOW = 1024 * 1024
"""Bytes of DATA that each direction of a stream may have under way before credit comes back."""

DATA_MAX = 64 * 1024
"""Bytes in one DATA frame, so that a large body cannot hold up the other streams for long."""

JOINED_MAX = 4096
"""Bytes of DATA frames that are joined: what a handler says in one go comes in several."""

PAYLOAD_MAX = 1024 * 1024
"""Bytes in any frame. More means that the peer does not speak this format."""

OPEN = 1  # engine to worker: `OpenPayload`
HEAD = 2  # worker to engine: `HeadPayload`
DATA = 3
END = 4  # the sender's half is complete
RESET = 5  # the stream is abandoned; payload: UTF-8 reason, may be empty
CREDIT = 6  # payload: u32
CONTROL = 7  # worker to engine: `Ready` or `Failed`

_HEADER = struct.Struct(">IBI")
_HEADER_SIZE = _HEADER.size
pack_header = _HEADER.pack
"""What stands before a payload: stream, kind, length."""
_unpack_header = _HEADER.unpack_from
_U32 = struct.Struct(">I")


class OpenPayload(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The head of a request. headers: lower-case names."""

    method: str
    path: str
    headers: list[tuple[str, str]]


class HeadPayload(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The head of a response, as the app gave it."""

    status: int
    headers: list[tuple[bytes, bytes]]


class Ready(msgspec.Struct, tag="ready", frozen=True):
    """The app is loaded and streams may be opened."""

    pid: int


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """The app cannot be served. reason: one line, for people."""

    reason: str


class FrameError(Exception):
    """The peer broke the format; the link cannot go on."""


_encoder = msgspec.msgpack.Encoder()
_open_decoder = msgspec.msgpack.Decoder(OpenPayload)
_head_decoder = msgspec.msgpack.Decoder(HeadPayload)
_control_decoder: msgspec.msgpack.Decoder[Ready | Failed] = msgspec.msgpack.Decoder(Ready | Failed)


def frame(stream: int, kind: int, payload: bytes = b"") -> bytes:
    """One frame. payload: at most `PAYLOAD_MAX` bytes."""
    return pack_header(stream, kind, len(payload)) + payload


def encode_credit(size: int) -> bytes:
    """The payload of a CREDIT frame over `size` bytes."""
    return _U32.pack(size)


def encode(payload: OpenPayload | HeadPayload | Ready | Failed) -> bytes:
    """The payload of an OPEN, HEAD or CONTROL frame."""
    return _encoder.encode(payload)


def decode_open(payload: bytes) -> OpenPayload:
    """Raises: FrameError."""
    return _decode(_open_decoder, payload)


def decode_head(payload: bytes) -> HeadPayload:
    """Raises: FrameError."""
    return _decode(_head_decoder, payload)


def decode_control(payload: bytes) -> Ready | Failed:
    """Raises: FrameError."""
    return _decode(_control_decoder, payload)


def decode_credit(payload: bytes) -> int:
    """Raises: FrameError."""
    if len(payload) != 4:
        raise FrameError(f"a credit frame of {len(payload)} bytes instead of 4")
    size: int = _U32.unpack(payload)[0]
    return size


def _decode(decoder: "msgspec.msgpack.Decoder[_T]", payload: bytes) -> _T:
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise FrameError(f"a broken payload: {error}") from None


class Decoder:
    """Cuts a byte stream into frames; keeps what is not complete yet."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """The frames completed by `data`: (stream, kind, payload). Raises: FrameError.

        Small pieces of one body that stand next to each other are one frame.
        """
        if self._rest:
            data = self._rest + data
        frames: list[tuple[int, int, bytes]] = []
        at, size = 0, len(data)
        last = -1  # the stream that the last frame brought a piece of
        while size - at >= _HEADER_SIZE:
            stream, kind, length = _unpack_header(data, at)
            if length > PAYLOAD_MAX or not OPEN <= kind <= CONTROL:
                raise FrameError(f"not a frame of the worker link: kind {kind}, length {length}")
            start = at + _HEADER_SIZE
            at = start + length
            if at > size:
                at = start - _HEADER_SIZE
                break
            payload = data[start:at]
            if kind != DATA:
                last = -1
            elif stream != last:
                last = stream
            elif len(frames[-1][2]) + length <= JOINED_MAX:
                frames[-1] = (stream, kind, frames[-1][2] + payload)
                continue
            frames.append((stream, kind, payload))
        self._rest = data[at:]
        return frames
