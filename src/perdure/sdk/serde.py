"""Values to bytes and back: what a handler takes and gives, state, results of runs, awakeables and promises."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

T = TypeVar("T")


class Serde(ABC, Generic[T]):
    """How values of one type become bytes and values again. Subclass it for a format of your own."""

    @abstractmethod
    def deserialize(self, buf: bytes) -> T | None:
        """The value of `buf`; no bytes at all usually mean None."""

    @abstractmethod
    def serialize(self, obj: T | None) -> bytes:
        """The bytes of `obj`; None usually has none."""
