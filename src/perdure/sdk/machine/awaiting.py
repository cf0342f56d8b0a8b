"""What an await point waits for: one leaf, or several and how they make one.

A node is told of its leaves as they come, so that a wait for very many costs no more for each than a wait for few.
What it still lacks is what versions 5 and 6 (a flat list) or 7 (a tree) tell the server.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal, Protocol, TypeAlias

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.futures import Combinator
from perdure.protocol.messages import CANCEL_SIGNAL
from perdure.sdk.machine.outcome import NotificationId, Outcome

_TYPES: Final = {
    Combinator.UNKNOWN: pb.COMBINATOR_UNKNOWN,
    Combinator.FIRST_COMPLETED: pb.FIRST_COMPLETED,
    Combinator.ALL_COMPLETED: pb.ALL_COMPLETED,
    Combinator.FIRST_SUCCEEDED_OR_ALL_FAILED: pb.FIRST_SUCCEEDED_OR_ALL_FAILED,
    Combinator.ALL_SUCCEEDED_OR_FIRST_FAILED: pb.ALL_SUCCEEDED_OR_FIRST_FAILED,
}

Settled: TypeAlias = Literal["success", "failure"]


class Taken(Protocol):
    """The notifications that the machine has taken from its queue."""

    @property
    def results(self) -> Mapping[NotificationId, Outcome]:
        """By id."""

    def take_signal(self, name: str) -> Outcome | None:
        """The first signal of that name which nobody has taken yet."""


class Leaf:
    """One notification with an id: a completion (positive) or a signal (negated)."""

    __slots__ = ("id", "key")

    def __init__(self, id: int) -> None:
        self.id = id
        self.key: NotificationId = id
        """Of the notification that brings it."""

    @property
    def pending(self) -> "Collection[AnyLeaf]":
        """What a wait for it lacks."""
        return (self,)

    def begin(self, taken: Taken) -> bool:
        """True if there is nothing to wait for."""
        return self.id in taken.results

    def arrived(self, leaf: "AnyLeaf", taken: Taken) -> bool:
        """The leaf has come. True: a wait for this node is over."""
        return True

    def outcome(self, taken: Taken) -> Outcome | None:
        """What it brought, None while it has not been taken."""
        return taken.results.get(self.id)

    def settled(self, taken: Taken) -> Settled | None:
        """How it ended, None while it has not."""
        return _settled(taken.results.get(self.id))

    def write(self, future: pb.Future) -> None:
        """Puts what is pending into a node of the tree."""
        if self.id > 0:
            future.waiting_completions.append(self.id)
        else:
            future.waiting_signals.append(-self.id)


class NamedLeaf:
    """The next signal of a name. It is claimed when somebody asks for it: a wait that ended otherwise eats none."""

    __slots__ = ("claimed", "key", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.key: NotificationId = name
        self.claimed: Outcome | None = None

    @property
    def pending(self) -> "Collection[AnyLeaf]":
        return (self,)

    def begin(self, taken: Taken) -> bool:
        return self.outcome(taken) is not None

    def arrived(self, leaf: "AnyLeaf", taken: Taken) -> bool:
        return True

    def outcome(self, taken: Taken) -> Outcome | None:
        if self.claimed is None:
            self.claimed = taken.take_signal(self.name)
        return self.claimed

    def settled(self, taken: Taken) -> Settled | None:
        return _settled(self.outcome(taken))

    def write(self, future: pb.Future) -> None:
        future.waiting_named_signals.append(self.name)


def _settled(outcome: Outcome | None) -> Settled | None:
    if outcome is None:
        return None
    return "failure" if outcome.kind == "failure" else "success"


AnyLeaf: TypeAlias = Leaf | NamedLeaf


class Combined:
    """Several leaves, and how they make one. It is waited for once."""

    __slots__ = ("combinator", "pending")

    def __init__(self, combinator: Combinator, leaves: Iterable[AnyLeaf]) -> None:
        self.combinator = combinator
        self.pending: dict[AnyLeaf, None] = dict.fromkeys(leaves)
        """What has not come, in the order given."""

    def begin(self, taken: Taken) -> bool:
        """In order and no further than needed, so that a later leaf is asked only if it can matter."""
        return any(leaf.outcome(taken) is not None and self.arrived(leaf, taken) for leaf in list(self.pending))

    def arrived(self, leaf: AnyLeaf, taken: Taken) -> bool:
        del self.pending[leaf]
        match self.combinator:
            case Combinator.ALL_COMPLETED:
                return not self.pending
            case Combinator.FIRST_SUCCEEDED_OR_ALL_FAILED:
                return not self.pending or leaf.settled(taken) == "success"
            case Combinator.ALL_SUCCEEDED_OR_FIRST_FAILED:
                return not self.pending or leaf.settled(taken) == "failure"
            case _:
                return True

    def write(self, future: pb.Future) -> None:
        nested = future.nested_futures.add(combinator_type=_TYPES[self.combinator])
        for leaf in self.pending:
            leaf.write(nested)


class Succession(Combined):
    """Leaves as they come. It is waited for again and again, each time for the first of those that are left."""

    __slots__ = ("_begun", "come", "signals")

    def __init__(self, leaves: Iterable[AnyLeaf]) -> None:
        super().__init__(Combinator.FIRST_COMPLETED, leaves)
        self.come: list[AnyLeaf] = []
        """Since somebody took them from here."""
        self.signals = dict.fromkeys(leaf for leaf in self.pending if isinstance(leaf, NamedLeaf))
        """Those of `pending` that are claimed only while somebody waits."""
        self._begun = False

    def begin(self, taken: Taken) -> bool:
        # Between two waits it is told of what comes, except of signals.
        for leaf in list(self.signals if self._begun else self.pending):
            if leaf.outcome(taken) is not None:
                self.arrived(leaf, taken)
        self._begun = True
        return bool(self.come)

    def arrived(self, leaf: AnyLeaf, taken: Taken) -> bool:
        del self.pending[leaf]
        if isinstance(leaf, NamedLeaf):
            del self.signals[leaf]
        self.come.append(leaf)
        return True


Node: TypeAlias = Leaf | NamedLeaf | Combined


def await_tree(nodes: Sequence[Node], *, cancel: bool) -> pb.Future:
    """The tree of version 7: the first of `nodes` to resolve, or a cancel if it still can come."""
    root = pb.Future(combinator_type=pb.FIRST_COMPLETED)
    for node in nodes:
        node.write(root)
    if cancel:
        root.waiting_signals.append(CANCEL_SIGNAL)
    return root


def flat_suspension(nodes: Sequence[Node], *, cancel: bool) -> pb.SuspensionMessage:
    """The lists of versions 5 and 6: the leaves of the tree, those of its root first."""
    message = pb.SuspensionMessage()
    _write_flat(message, (node for node in nodes if not isinstance(node, Combined)))
    if cancel:
        message.waiting_signals.append(CANCEL_SIGNAL)
    _write_flat(message, (node for node in nodes if isinstance(node, Combined)))
    return message


def _write_flat(message: pb.SuspensionMessage, nodes: Iterable[Node]) -> None:
    for node in nodes:
        for leaf in node.pending:
            if isinstance(leaf, NamedLeaf):
                message.waiting_named_signals.append(leaf.name)
            elif leaf.id > 0:
                message.waiting_completions.append(leaf.id)
            else:
                message.waiting_signals.append(-leaf.id)
