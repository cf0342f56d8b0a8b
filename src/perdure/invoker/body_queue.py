"""Request body that waits for credit."""

from collections import deque


class BodyQueue:
    """Bytes in order, taken out in pieces of a bounded size without copying the rest each time."""

    __slots__ = ("_offset", "_pieces", "size")

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._offset = 0
        self.size = 0
        """Bytes waiting."""

    def push(self, data: bytes) -> None:
        """Appends a piece, not empty."""
        self._pieces.append(data)
        self.size += len(data)

    def take(self, limit: int) -> bytes:
        """Removes and returns as much as there is, up to `limit` bytes; both must be above zero."""
        assert self.size > 0
        assert limit > 0
        piece = self._take_from_first(limit)
        if len(piece) == limit or not self.size:
            return piece
        pieces = [piece]
        missing = limit - len(piece)
        while missing and self.size:
            piece = self._take_from_first(missing)
            missing -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def clear(self) -> None:
        """Drops everything."""
        self._pieces.clear()
        self._offset = self.size = 0

    def _take_from_first(self, limit: int) -> bytes:
        first = self._pieces[0]
        end = min(self._offset + limit, len(first))
        piece = first[self._offset : end]
        if end == len(first):
            self._pieces.popleft()
            self._offset = 0
        else:
            self._offset = end
        self.size -= len(piece)
        return piece
