"""What a blocked handler waits for: the await tree, and when it wakes.

Versions 5 and 6 name a flat set of notifications, any of which wakes. Version 7 sends a tree whose
nodes combine leaves (notifications) and other nodes.

The tree comes from outside and may be as deep as a frame allows, so nothing here recurses: a tree is a
list of nodes in which children stand before their parents, and every walk is a loop over that list.
The protobuf library itself gives up at a nesting of 100, hence the small reader in `wire.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Final, Literal, TypeAlias, TypeVar

import msgspec

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.errors import AwaitTreeTooDeep, AwaitTreeTooLarge, BadFrame
from perdure.protocol.messages import MessageType, decode
from perdure.protocol.wire import WireError, read_field, read_fields, read_numbers

MAX_DEPTH: Final = 1000
MAX_SIZE: Final = 512 * 1024
"""Bytes of a message with a tree. Reading takes time in proportion, in which nobody else is served."""

LeafKind: TypeAlias = Literal["completion", "signal", "named_signal"]
LeafOutcome: TypeAlias = Literal["success", "failure"]
Lookup: TypeAlias = Callable[[LeafKind, int | str], LeafOutcome | None]
"""Says whether a notification is stored, and if so, how it ended (void and values are a success)."""

_Outcome: TypeAlias = Literal["success", "failure", "undetermined"]
_Leaf = TypeVar("_Leaf", int, str)


class Combinator(IntEnum):
    """How a node follows from its children."""

    UNKNOWN = 0
    FIRST_COMPLETED = 1
    ALL_COMPLETED = 2
    FIRST_SUCCEEDED_OR_ALL_FAILED = 3
    ALL_SUCCEEDED_OR_FIRST_FAILED = 4


_JSON_NAMES: Final = {
    Combinator.UNKNOWN: "Unknown",
    Combinator.FIRST_COMPLETED: "FirstCompleted",
    Combinator.ALL_COMPLETED: "AllCompleted",
    Combinator.FIRST_SUCCEEDED_OR_ALL_FAILED: "FirstSucceededOrAllFailed",
    Combinator.ALL_SUCCEEDED_OR_FIRST_FAILED: "AllSucceededOrFirstFailed",
}


class AwaitNode(msgspec.Struct, frozen=True, gc=False):
    """One combinator. nested: positions of child nodes in `AwaitTree.nodes`, all before this one's."""

    combinator: Combinator
    completions: tuple[int, ...] = ()
    signals: tuple[int, ...] = ()
    named_signals: tuple[str, ...] = ()
    nested: tuple[int, ...] = ()

    def leaves(self) -> Iterator[tuple[LeafKind, int | str]]:
        """This node's own leaves, in order."""
        for completion_id in self.completions:
            yield "completion", completion_id
        for signal_id in self.signals:
            yield "signal", signal_id
        for name in self.named_signals:
            yield "named_signal", name


class AwaitTree(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Everything an await point waits for.

    nodes: children before parents, the root last. A node without any leaf below it is left out, except
    the root: waiting for nothing must neither wake nor hold back its siblings.
    seen: journal entries before this index were known to the handler when it began to wait.
    """

    nodes: tuple[AwaitNode, ...]
    seen: int = 0

    @property
    def is_empty(self) -> bool:
        """True if nothing could ever wake it; as a suspension that is a protocol violation."""
        root = self.nodes[-1]
        return not (root.completions or root.signals or root.named_signals or root.nested)

    def leaves(self) -> Iterator[tuple[LeafKind, int | str]]:
        """All leaves, in no particular order, possibly repeated."""
        for node in self.nodes:
            yield from node.leaves()

    def to_json(self) -> str:
        """The tree as operators see it, for example `{"Unknown":[{"Single":{"CompletionId":1}}]}`."""
        parts: list[str] = []
        # A stack of what is still to be written: finished text, or the position of a node.
        todo: list[str | int] = [len(self.nodes) - 1]
        while todo:
            item = todo.pop()
            if isinstance(item, str):
                parts.append(item)
                continue
            node = self.nodes[item]
            children: list[str | int] = [_leaf_json(kind, leaf) for kind, leaf in node.leaves()]
            children += node.nested
            todo.append("]}")
            for position in range(len(children) - 1, -1, -1):
                todo.append(children[position])
                if position:
                    todo.append(",")
            todo.append(f'{{"{_JSON_NAMES[node.combinator]}":[')
        return "".join(parts)


def _leaf_json(kind: LeafKind, leaf: int | str) -> str:
    name = {"completion": "CompletionId", "signal": "SignalIndex", "named_signal": "SignalName"}[kind]
    return f'{{"Single":{{"{name}":{msgspec.json.encode(leaf).decode()}}}}}'


# ---- Waking ----


def resolves(tree: AwaitTree, lookup: Lookup) -> bool:
    """True if the stored notifications are enough for the handler to go on."""
    outcomes: list[_Outcome | None] = []
    for node in tree.nodes:
        children: list[_Outcome | None] = [lookup(kind, leaf) for kind, leaf in node.leaves()]
        children += [outcomes[position] for position in node.nested]
        outcomes.append(_combine(node.combinator, children))
    return outcomes[-1] is not None


Stored: TypeAlias = Mapping[tuple[LeafKind, int | str], LeafOutcome]
"""Notifications that are there, by what names them."""


def reduced(tree: AwaitTree, stored: Stored) -> AwaitTree | None:
    """What the tree still waits for when these are there: it resolves with that exactly when the whole one would.

    A fan-in of thousands is looked at once for each that arrives; so each must cost no more than a walk over the tree.
    Where two children end differently, the one that was reduced away first has decided, as it has for the handler.
    Returns: None when the tree resolves; the same object when none of these is waited for.
    """
    nodes: list[AwaitNode] = []
    outcomes: list[_Outcome | None] = []
    changed = False
    for node in tree.nodes:
        found: list[_Outcome | None] = []
        left = AwaitNode(
            node.combinator,
            _without(node.completions, "completion", stored, found),
            _without(node.signals, "signal", stored, found),
            _without(node.named_signals, "named_signal", stored, found),
            tuple(position for position in node.nested if outcomes[position] is None),
        )
        found += [outcomes[position] for position in node.nested if outcomes[position] is not None]
        if not found:
            left = node
        elif left.completions or left.signals or left.named_signals or left.nested:
            found.append(None)
        changed = changed or left is not node
        nodes.append(left)
        outcomes.append(_combine(node.combinator, found) if found else None)
    if outcomes[-1] is not None:
        return None
    return _connected(nodes, tree.seen) if changed else tree


_FEW: Final = 8


def _without(
    leaves: tuple[_Leaf, ...], kind: LeafKind, stored: Stored, found: list[_Outcome | None]
) -> tuple[_Leaf, ...]:
    """The leaves that are not there; the outcomes of the others go to `found`."""
    if len(stored) <= _FEW:
        # Most often it is one, and looking for it is many times as quick as asking for each leaf.
        for (its_kind, name), outcome in stored.items():
            if its_kind == kind and name in leaves:
                found.append(outcome)
                leaves = tuple(leaf for leaf in leaves if leaf != name)
        return leaves
    there = [stored.get((kind, leaf)) for leaf in leaves]
    found += [outcome for outcome in there if outcome is not None]
    return tuple(leaf for leaf, outcome in zip(leaves, there, strict=True) if outcome is None)


def _connected(nodes: list[AwaitNode], seen: int) -> AwaitTree:
    """The tree of the last node, without the nodes that do not lead to it any more."""
    wanted = {len(nodes) - 1}
    for position in range(len(nodes) - 1, -1, -1):
        if position in wanted:
            wanted.update(nodes[position].nested)
    places = {position: place for place, position in enumerate(sorted(wanted))}
    return AwaitTree(
        tuple(
            msgspec.structs.replace(nodes[position], nested=tuple(places[child] for child in nodes[position].nested))
            for position in places
        ),
        seen,
    )


def _combine(combinator: Combinator, children: list[_Outcome | None]) -> _Outcome | None:
    """A node's outcome, None while it is pending. Where in doubt it wakes: the SDK can suspend again."""
    resolved = {outcome for outcome in children if outcome is not None}
    complete = bool(children) and None not in children
    match combinator:
        case Combinator.UNKNOWN:
            return "undetermined" if resolved else None
        case Combinator.FIRST_COMPLETED:
            # Which of several came first is not known here; it matters only if they differ.
            return resolved.pop() if len(resolved) == 1 else "undetermined" if resolved else None
        case Combinator.ALL_COMPLETED:
            return "success" if complete else None
        case Combinator.FIRST_SUCCEEDED_OR_ALL_FAILED:
            return _first_or_all(resolved, complete, first="success", every="failure")
        case Combinator.ALL_SUCCEEDED_OR_FIRST_FAILED:
            return _first_or_all(resolved, complete, first="failure", every="success")


def _first_or_all(resolved: set[_Outcome], complete: bool, first: _Outcome, every: _Outcome) -> _Outcome | None:
    if first in resolved:
        return first
    if "undetermined" in resolved:
        return "undetermined"
    return every if complete else None


# ---- Reading ----


def suspension_tree(payload: bytes, version: int) -> AwaitTree:
    """The tree in the payload of a SuspensionMessage. version: of the protocol.

    Raises: BadFrame; AwaitTreeTooDeep; AwaitTreeTooLarge. The result may be empty.
    """
    _check_size(payload)
    if version >= 7:
        try:
            return _future_tree(_embedded(payload, 4))
        except WireError as error:
            raise BadFrame(f"a SuspensionMessage cannot be decoded: {error}") from None
    message = decode(MessageType.SUSPENSION, payload)
    assert isinstance(message, pb.SuspensionMessage)
    return flat_tree(message.waiting_completions, message.waiting_signals, message.waiting_named_signals)


def awaiting_on_tree(payload: bytes) -> tuple[AwaitTree, bool]:
    """The tree in the payload of an AwaitingOnMessage, and whether closures of runs are executing.

    Raises: BadFrame, also if nothing is awaited at all; AwaitTreeTooDeep; AwaitTreeTooLarge.
    """
    return _usual_awaiting_on(payload) if len(payload) <= _USUAL_SIZE else _awaiting_on(payload)


_USUAL_SIZE: Final = 64


@lru_cache(maxsize=1024)
def _usual_awaiting_on(payload: bytes) -> tuple[AwaitTree, bool]:
    """Every invocation of a handler waits in the same places, where it says the same few bytes."""
    return _awaiting_on(payload)


def _awaiting_on(payload: bytes) -> tuple[AwaitTree, bool]:
    _check_size(payload)
    try:
        fields = list(read_fields(payload))
        tree = _future_tree(_embedded(payload, 1))
    except WireError as error:
        raise BadFrame(f"an AwaitingOnMessage cannot be decoded: {error}") from None
    if not any(number == 1 for number, _ in fields):
        raise BadFrame("an AwaitingOnMessage does not say what it awaits")
    executing = [value for number, value in fields if number == 2]
    return tree, bool(executing and executing[-1])


def _check_size(payload: bytes) -> None:
    if len(payload) > MAX_SIZE:
        text = f"the handler awaits so many results that naming them takes {len(payload)} bytes; {MAX_SIZE} are allowed"
        raise AwaitTreeTooLarge(text)


def flat_tree(completions: Iterable[int], signals: Iterable[int], named_signals: Iterable[str]) -> AwaitTree:
    """A tree that any of the given notifications wakes."""
    return AwaitTree((AwaitNode(Combinator.UNKNOWN, tuple(completions), tuple(signals), tuple(named_signals)),))


def _embedded(payload: bytes, field: int) -> bytes:
    """The content of an embedded message; nothing if absent, joined if repeated, as protobuf merges them."""
    return b"".join(
        payload[value[0] : value[1]]
        for number, value in read_fields(payload)
        if number == field and isinstance(value, tuple)
    )


class _OpenNode:
    """A node that is still being read: where to go on, where it ends, and what it holds so far."""

    __slots__ = ("at", "combinator", "completions", "end", "named_signals", "nested", "signals")

    def __init__(self, at: int, end: int) -> None:
        self.at = at
        self.end = end
        self.combinator = Combinator.UNKNOWN
        self.completions: list[int] = []
        self.signals: list[int] = []
        self.named_signals: list[str] = []
        self.nested: list[int] = []

    def close(self) -> AwaitNode:
        return AwaitNode(
            self.combinator,
            tuple(self.completions),
            tuple(self.signals),
            tuple(self.named_signals),
            tuple(self.nested),
        )

    @property
    def is_empty(self) -> bool:
        return not (self.completions or self.signals or self.named_signals or self.nested)


def _future_tree(data: bytes) -> AwaitTree:
    """Reads a Future message. Raises: WireError, AwaitTreeTooDeep."""
    nodes: list[AwaitNode] = []
    open_nodes = [_OpenNode(0, len(data))]
    while True:
        node = open_nodes[-1]
        if node.at < node.end:
            child = _read_member(data, node)
            if child is not None:
                if len(open_nodes) == MAX_DEPTH:
                    raise AwaitTreeTooDeep(f"the handler awaits results nested deeper than {MAX_DEPTH} levels")
                open_nodes.append(child)
            continue
        open_nodes.pop()
        if not open_nodes:
            nodes.append(node.close())
            return AwaitTree(tuple(nodes))
        if not node.is_empty:
            open_nodes[-1].nested.append(len(nodes))
            nodes.append(node.close())


def _read_member(data: bytes, node: _OpenNode) -> _OpenNode | None:
    """Reads the next field into `node`; a nested future is returned, to be read first."""
    number, value, node.at = read_field(data, node.at, node.end)
    match number, value:
        case 1, _:
            node.completions += read_numbers(data, value)
        case 2, _:
            node.signals += read_numbers(data, value)
        case 3, (int(start), int(end)):
            try:
                node.named_signals.append(data[start:end].decode())
            except UnicodeDecodeError:
                raise WireError("the name of a signal is not UTF-8") from None
        case 4, (int(start), int(end)):
            return _OpenNode(start, end)
        case 5, int(number):
            # A combinator from a newer version wakes on anything, which is always safe.
            node.combinator = Combinator(number) if number in _JSON_NAMES else Combinator.UNKNOWN
        case _:
            pass
    return None
