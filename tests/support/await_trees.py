"""Await trees as text: `first(signal:1, all(1, 2), name:go)`. Numbers are completion ids."""

import re

from perdure.protocol.futures import AwaitNode, AwaitTree, Combinator

_COMBINATORS = {
    "unknown": Combinator.UNKNOWN,
    "first": Combinator.FIRST_COMPLETED,
    "all": Combinator.ALL_COMPLETED,
    "first-ok": Combinator.FIRST_SUCCEEDED_OR_ALL_FAILED,
    "all-ok": Combinator.ALL_SUCCEEDED_OR_FIRST_FAILED,
}
_TOKEN = re.compile(r"[a-z-]+\(|\)|signal:\d+|name:[\w-]+|\d+")


def parse_tree(text: str) -> AwaitTree:
    """A tree; a bare leaf stands for `unknown(leaf)`, the flat form of older versions."""
    tokens = _TOKEN.findall(text if "(" in text else f"unknown({text})")
    nodes: list[AwaitNode] = []
    _node(tokens, nodes)
    assert not tokens, f"left over in '{text}': {tokens}"
    return AwaitTree(tuple(nodes))


def _node(tokens: list[str], nodes: list[AwaitNode]) -> int:
    """Appends a node behind its children. Returns: its position."""
    combinator = _COMBINATORS[tokens.pop(0).rstrip("(")]
    completions: list[int] = []
    signals: list[int] = []
    names: list[str] = []
    nested: list[int] = []
    while (token := tokens[0]) != ")":
        if token.endswith("("):
            nested.append(_node(tokens, nodes))
            continue
        tokens.pop(0)
        kind, _, value = token.rpartition(":")
        if kind == "signal":
            signals.append(int(value))
        elif kind == "name":
            names.append(value)
        else:
            completions.append(int(value))
    tokens.pop(0)
    nodes.append(AwaitNode(combinator, tuple(completions), tuple(signals), tuple(names), tuple(nested)))
    return len(nodes) - 1
