"""What may stand between values as serdes write them and the journal, for example encryption."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TypeAlias


class JournalValueCodec(ABC):
    """Changes the bytes of every value on its way to the journal, and back.

    That is: inputs and results of handlers, results of runs, state, awakeables, promises, and what calls and sends
    carry. Failures are never changed.
    """

    @abstractmethod
    def encode(self, buf: bytes) -> bytes:
        """The bytes for the journal. It must give the same for the same, or replays would not fit."""

    @abstractmethod
    def decode(self, buf: bytes) -> bytes | Awaitable[bytes]:
        """The bytes that `encode` got; `async def` where something must be asked for that."""


JournalValueCodecProvider: TypeAlias = Callable[[], Awaitable[JournalValueCodec]]
"""Makes a codec, once, before the first invocation; it may fetch a key."""


async def decoded(codec: JournalValueCodec | None, value: bytes) -> bytes:
    """The bytes of a value as serdes wrote them."""
    if codec is None:
        return value
    found = codec.decode(value)
    return await found if inspect.isawaitable(found) else found
