"""The handler's view of its state: what the server sent, changed by what the handler did since."""

from perdure.protocol import messages_pb2 as pb


class StateView:
    """Keys and values as far as they are known.

    Invariant: a key that is not in `_values` is known to be absent unless `partial` is set.
    """

    __slots__ = ("_values", "partial")

    def __init__(self, start: pb.StartMessage) -> None:
        self._values: dict[bytes, bytes | None] = {entry.key: entry.value for entry in start.state_map}
        self.partial = start.partial_state
        """There may be keys that are not in the view."""

    def knows(self, key: bytes) -> bool:
        """True if `get` can tell without asking the server."""
        return not self.partial or key in self._values

    def get(self, key: bytes) -> bytes | None:
        """The value of a key that is known, None if there is none."""
        assert self.knows(key)
        return self._values.get(key)

    def keys(self) -> list[bytes]:
        """All keys, sorted; only of a view that is not partial."""
        assert not self.partial
        return sorted(key for key, value in self._values.items() if value is not None)

    def set(self, key: bytes, value: bytes) -> None:
        self._values[key] = value

    def clear(self, key: bytes) -> None:
        self._values[key] = None

    def clear_all(self) -> None:
        self._values.clear()
        self.partial = False
