"""What an await point waits for: leaves, and combinators of them.

A node answers two questions: has it resolved with what the machine has taken so far, and what is it still
waiting for, as versions 5 and 6 (a flat list) or 7 (a tree) tell the server.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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

    __slots__ = ("id",)

    def __init__(self, id: int) -> None:
        self.id = id

    def outcome(self, taken: Taken) -> Outcome | None:
        """What it brought, None while it has not been taken."""
        return taken.results.get(self.id)

    def settled(self, taken: Taken) -> Settled | None:
        outcome = taken.results.get(self.id)
        if outcome is None:
            return None
        return "failure" if outcome.kind == "failure" else "success"

    def pending(self, taken: Taken) -> "Iterator[Leaf | NamedLeaf]":
        """The leaves that have not resolved."""
        if self.id not in taken.results:
            yield self

    def write(self, future: pb.Future, taken: Taken) -> None:
        """Puts what is pending into a node of the tree."""
        if self.id in taken.results:
            return
        if self.id > 0:
            future.waiting_completions.append(self.id)
        else:
            future.waiting_signals.append(-self.id)


class NamedLeaf:
    """The next signal of a name. It is claimed when somebody asks for it: a wait that ended otherwise eats none."""

    __slots__ = ("claimed", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.claimed: Outcome | None = None

    def outcome(self, taken: Taken) -> Outcome | None:
        if self.claimed is None:
            self.claimed = taken.take_signal(self.name)
        return self.claimed

    def settled(self, taken: Taken) -> Settled | None:
        outcome = self.outcome(taken)
        if outcome is None:
            return None
        return "failure" if outcome.kind == "failure" else "success"

    def pending(self, taken: Taken) -> "Iterator[Leaf | NamedLeaf]":
        if self.outcome(taken) is None:
            yield self

    def write(self, future: pb.Future, taken: Taken) -> None:
        if self.outcome(taken) is None:
            future.waiting_named_signals.append(self.name)


class Combined:
    """Several nodes, and how they make one."""

    __slots__ = ("_unsettled", "children", "combinator")

    def __init__(self, combinator: Combinator, children: "Sequence[Node]") -> None:
        self.combinator = combinator
        self.children = tuple(children)
        # Of a node that needs all of its children: those that were not seen settled, the first one last.
        self._unsettled = list(reversed(self.children))

    def settled(self, taken: Taken) -> Settled | None:
        """In order and no further than needed, so that a later child is asked only if it can matter."""
        match self.combinator:
            case Combinator.ALL_COMPLETED:
                while self._unsettled and self._unsettled[-1].settled(taken) is not None:
                    self._unsettled.pop()
                return None if self._unsettled else "success"
            case Combinator.FIRST_SUCCEEDED_OR_ALL_FAILED:
                return self._first_or_all(taken, "success", "failure")
            case Combinator.ALL_SUCCEEDED_OR_FIRST_FAILED:
                return self._first_or_all(taken, "failure", "success")
            case _:
                return next((outcome for child in self.children if (outcome := child.settled(taken)) is not None), None)

    def _first_or_all(self, taken: Taken, first: Settled, every: Settled) -> Settled | None:
        complete = True
        for child in self.children:
            outcome = child.settled(taken)
            if outcome == first:
                return first
            complete = complete and outcome is not None
        return every if complete else None

    def pending(self, taken: Taken) -> "Iterator[Leaf | NamedLeaf]":
        for child in self.children:
            yield from child.pending(taken)

    def write(self, future: pb.Future, taken: Taken) -> None:
        if next(self.pending(taken), None) is not None:
            nested = future.nested_futures.add(combinator_type=_TYPES[self.combinator])
            for child in self.children:
                child.write(nested, taken)


Node: TypeAlias = Leaf | NamedLeaf | Combined


def await_tree(nodes: Sequence[Node], taken: Taken, *, cancel: bool) -> pb.Future:
    """The tree of version 7: the first of `nodes` to resolve, or a cancel if it still can come."""
    root = pb.Future(combinator_type=pb.FIRST_COMPLETED)
    for node in nodes:
        node.write(root, taken)
    if cancel:
        root.waiting_signals.append(CANCEL_SIGNAL)
    return root


def flat_suspension(nodes: Sequence[Node], taken: Taken, *, cancel: bool) -> pb.SuspensionMessage:
    """The lists of versions 5 and 6: the leaves of the tree, those of its root first."""
    message = pb.SuspensionMessage()
    _write_flat(message, (node for node in nodes if not isinstance(node, Combined)), taken)
    if cancel:
        message.waiting_signals.append(CANCEL_SIGNAL)
    _write_flat(message, (node for node in nodes if isinstance(node, Combined)), taken)
    return message


def _write_flat(message: pb.SuspensionMessage, nodes: Iterable[Node], taken: Taken) -> None:
    for node in nodes:
        for leaf in node.pending(taken):
            if isinstance(leaf, NamedLeaf):
                message.waiting_named_signals.append(leaf.name)
            elif leaf.id > 0:
                message.waiting_completions.append(leaf.id)
            else:
                message.waiting_signals.append(-leaf.id)
