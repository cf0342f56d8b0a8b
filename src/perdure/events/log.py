"""What was told lately, in order, so that a client that was cut off or reads slowly can go on."""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from perdure.events.filters import Row

KEPT: Final = 4096
KEPT_BYTES: Final = 16 * 1024 * 1024


class Change(msgspec.Struct, frozen=True):
    """One message, but for who gets it.

    sequence: its place in the stream. kind: the event's name. subject: invocation id, or service and key of a state.
    body: the JSON object of its data without the first brace. row: of `sys_invocation`, for lists to look at.
    newest_only: what came before of this kind and subject is not worth telling any more.
    """

    sequence: int
    kind: str
    subject: str
    body: bytes
    row: Row | None = None
    newest_only: bool = False


class ChangeLog:
    """The newest changes; older ones are forgotten when there are too many, or too many bytes."""

    def __init__(self, kept: int = KEPT, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._changes: deque[Change] = deque()
        self._bytes = 0
        self.last = 0
        """The number given last."""
        self.forgotten = 0
        """All up to this number are gone."""

    def append(
        self, kind: str, subject: str, document: Row, row: Row | None = None, *, newest_only: bool = False
    ) -> None:
        self.last += 1
        change = Change(self.last, kind, subject, msgspec.json.encode(document)[1:], row, newest_only)
        self._changes.append(change)
        self._bytes += len(change.body)
        while len(self._changes) > self._kept or self._bytes > self._kept_bytes:
            oldest = self._changes.popleft()
            self._bytes -= len(oldest.body)
            self.forgotten = oldest.sequence

    def forget(self) -> None:
        """Forgets all, and makes a gap that everybody notices; the numbers go on."""
        self._changes.clear()
        self._bytes = 0
        self.skip()
        self.forgotten = self.last

    def skip(self) -> int:
        """Makes a gap. Returns: its number."""
        self.last += 1
        return self.last

    def after(self, sequence: int) -> list[Change]:
        """What came later and is still worth telling, in order. sequence: not before `forgotten`."""
        assert self.forgotten <= sequence <= self.last
        found = [*self._newer(sequence)]
        newest: dict[tuple[str, str], int] = {}
        for change in found:
            if change.newest_only:
                newest.setdefault(_what(change), change.sequence)
        return [change for change in found if not change.newest_only or newest[_what(change)] == change.sequence][::-1]

    def _newer(self, sequence: int) -> Iterator[Change]:
        for change in reversed(self._changes):
            if change.sequence <= sequence:
                return
            yield change


def _what(change: Change) -> tuple[str, str]:
    # A row that is gone and one that is there again are the same thing.
    return ("invocation" if change.kind == "gone" else change.kind, change.subject)
