"""What a blocked handler waits for, and when it wakes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.errors import AwaitTreeTooDeep, BadFrame
from perdure.protocol.framing import FrameDecoder
from perdure.protocol.futures import (
    AwaitTree,
    Combinator,
    LeafKind,
    LeafOutcome,
    Lookup,
    awaiting_on_tree,
    flat_tree,
    reduced,
    resolves,
    suspension_tree,
)
from perdure.protocol.messages import MessageType


def tree_of(future: pb.Future) -> AwaitTree:
    return suspension_tree(pb.SuspensionMessage(awaiting_on=future).SerializeToString(), 7)


def stored(**outcomes: LeafOutcome) -> Lookup:
    """`c1="success"` stores completion 1, `s17` signal 17, `n_go` the signal named go."""

    def lookup(kind: LeafKind, leaf: int | str) -> LeafOutcome | None:
        prefix = {"completion": "c", "signal": "s", "named_signal": "n_"}[kind]
        return outcomes.get(f"{prefix}{leaf}")

    return lookup


def wakes(future: pb.Future, **outcomes: LeafOutcome) -> bool:
    return resolves(tree_of(future), stored(**outcomes))


def nested(future: pb.Future) -> pb.Future:
    """The shape SDKs send: the cancel signal, or what is awaited."""
    return pb.Future(waiting_signals=[1], nested_futures=[future], combinator_type=pb.FIRST_COMPLETED)


@pytest.mark.parametrize("version", [5, 6])
def test_any_listed_notification_wakes_in_old_versions(version: int) -> None:
    message = pb.SuspensionMessage(waiting_completions=[1, 2], waiting_signals=[1], waiting_named_signals=["go"])
    tree = suspension_tree(message.SerializeToString(), version)
    assert tree == flat_tree([1, 2], [1], ["go"])
    assert not resolves(tree, stored(c3="success", s2="success", n_no="success"))
    for leaf in ("c1", "c2", "s1", "n_go"):
        assert resolves(tree, stored(**{leaf: "failure"}))


def test_first_completed() -> None:
    future = nested(pb.Future(waiting_completions=[1, 2], combinator_type=pb.FIRST_COMPLETED))
    assert not wakes(future)
    assert wakes(future, c2="failure")
    assert wakes(future, s1="success")


def test_all_completed() -> None:
    future = nested(pb.Future(waiting_completions=[1, 2], combinator_type=pb.ALL_COMPLETED))
    assert not wakes(future, c1="success")
    assert not wakes(future, c1="failure")
    assert wakes(future, c1="success", c2="failure")
    assert wakes(future, s1="success")


def test_first_succeeded_or_all_failed() -> None:
    future = nested(pb.Future(waiting_completions=[1, 2], combinator_type=pb.FIRST_SUCCEEDED_OR_ALL_FAILED))
    assert not wakes(future, c1="failure")
    assert wakes(future, c1="success")
    assert wakes(future, c1="failure", c2="failure")


def test_all_succeeded_or_first_failed() -> None:
    future = nested(pb.Future(waiting_completions=[1, 2], combinator_type=pb.ALL_SUCCEEDED_OR_FIRST_FAILED))
    assert not wakes(future, c1="success")
    assert wakes(future, c1="failure")
    assert wakes(future, c1="success", c2="success")


@pytest.mark.parametrize("combinator", [pb.FIRST_SUCCEEDED_OR_ALL_FAILED, pb.ALL_SUCCEEDED_OR_FIRST_FAILED])
def test_an_undetermined_child_wakes_at_once(combinator: pb.CombinatorType) -> None:
    mapped = pb.Future(waiting_completions=[2])
    future = nested(pb.Future(waiting_completions=[1], nested_futures=[mapped], combinator_type=combinator))
    assert not wakes(future)
    assert wakes(future, c2="failure")
    assert wakes(future, c2="success")


def test_a_node_without_leaves_neither_wakes_nor_holds_back() -> None:
    hollow = pb.Future(nested_futures=[pb.Future()], combinator_type=pb.ALL_COMPLETED)
    future = pb.Future(waiting_completions=[1], nested_futures=[hollow], combinator_type=pb.ALL_COMPLETED)
    assert not wakes(future)
    assert wakes(future, c1="success")


@pytest.mark.parametrize(
    "tree",
    [
        flat_tree([], [], []),
        suspension_tree(b"", 5),
        suspension_tree(b"", 7),
        suspension_tree(pb.SuspensionMessage(waiting_completions=[1]).SerializeToString(), 7),
        tree_of(pb.Future(nested_futures=[pb.Future(nested_futures=[pb.Future()])])),
    ],
)
def test_waiting_for_nothing(tree: AwaitTree) -> None:
    assert tree.is_empty
    assert list(tree.leaves()) == []
    assert not resolves(tree, lambda kind, leaf: "success")


def test_the_tree_of_every_recorded_suspension(recorded: dict[str, Any]) -> None:
    for frame in FrameDecoder(1 << 20).feed(bytes.fromhex(recorded["hex"])):
        if frame.type == MessageType.SUSPENSION:
            tree = suspension_tree(frame.payload, recorded["protocol_version"])
            json.loads(tree.to_json())
            assert not resolves(tree, lambda kind, leaf: None)
            assert tree.is_empty or resolves(tree, lambda kind, leaf: "success")
        if frame.type == MessageType.AWAITING_ON:
            tree, executing = awaiting_on_tree(frame.payload)
            assert tree == tree_of(pb.AwaitingOnMessage.FromString(frame.payload).awaiting_on)
            assert executing == pb.AwaitingOnMessage.FromString(frame.payload).executing_side_effects


def test_awaiting_on() -> None:
    message = pb.AwaitingOnMessage(awaiting_on=pb.Future(waiting_completions=[1]), executing_side_effects=True)
    tree, executing = awaiting_on_tree(message.SerializeToString())
    assert list(tree.leaves()) == [("completion", 1)]
    assert executing
    with pytest.raises(BadFrame, match="does not say what it awaits"):
        awaiting_on_tree(pb.AwaitingOnMessage(executing_side_effects=True).SerializeToString())


def test_the_text_operators_see() -> None:
    assert flat_tree([1], [1], []).to_json() == (
        '{"Unknown":[{"Single":{"CompletionId":1}},{"Single":{"SignalIndex":1}}]}'
    )
    future = pb.Future(
        waiting_named_signals=['g"o'],
        nested_futures=[pb.Future(waiting_completions=[1, 2], combinator_type=pb.ALL_COMPLETED)],
        combinator_type=pb.FIRST_COMPLETED,
    )
    assert json.loads(tree_of(future).to_json()) == {
        "FirstCompleted": [
            {"Single": {"SignalName": 'g"o'}},
            {"AllCompleted": [{"Single": {"CompletionId": 1}}, {"Single": {"CompletionId": 2}}]},
        ]
    }


# ---- Depth and hostile bytes ----


def chain(depth: int) -> bytes:
    """A suspension on a tree of `depth` levels with one leaf at the bottom, beyond what protobuf writes."""

    def length(size: int) -> bytes:
        head, rest = size & 0x7F, size >> 7
        return bytes([head | 0x80]) + length(rest) if rest else bytes([head])

    future = bytes([0x0A, 0x01, 0x01])
    for _ in range(depth - 1):
        future = b"\x22" + length(len(future)) + future
    return b"\x22" + length(len(future)) + future


def test_a_tree_at_the_depth_limit_is_read_shown_and_woken() -> None:
    tree = suspension_tree(chain(1000), 7)
    assert len(tree.nodes) == 1000
    assert tree.to_json().count("Unknown") == 1000
    assert resolves(tree, stored(c1="success"))
    assert not resolves(tree, stored())


@pytest.mark.parametrize("depth", [1001, 100_000])
def test_a_deeper_tree_is_refused(depth: int) -> None:
    with pytest.raises(AwaitTreeTooDeep, match="deeper than 1000"):
        suspension_tree(chain(depth), 7)


@pytest.mark.parametrize(
    "future",
    [
        b"\x0a\x05\x01",  # a list that goes beyond its message
        b"\x08",  # a number that is cut off
        b"\x08" + b"\xff" * 11,  # a number that does not end
        b"\x1a\x01\xff",  # a name that is not UTF-8
        b"\x0b",  # a group, which proto3 does not have
        b"\x00\x00",  # field number 0
    ],
)
def test_broken_bytes_are_a_bad_frame(future: bytes) -> None:
    with pytest.raises(BadFrame, match="cannot be decoded"):
        suspension_tree(b"\x22" + bytes([len(future)]) + future, 7)


def test_unknown_fields_and_combinators_are_tolerated() -> None:
    future = b"\x08\x01" + b"\x28\x63" + b"\xf8\x01\x01" + b"\xf9\x01" + bytes(8) + b"\xfd\x01" + bytes(4)
    tree = suspension_tree(b"\x22" + bytes([len(future)]) + future, 7)
    assert tree.nodes[-1].combinator is Combinator.UNKNOWN
    assert tree.nodes[-1].completions == (1,)


@given(st.binary(max_size=60))
def test_no_bytes_upset_the_reader(payload: bytes) -> None:
    for read in (lambda: suspension_tree(payload, 7), lambda: awaiting_on_tree(payload)):
        try:
            read()
        except BadFrame:
            pass


# ---- Against a second, naive reading of the rules ----

leaves = st.lists(st.integers(1, 4), max_size=3)


def futures_of(combinators: st.SearchStrategy[int]) -> st.SearchStrategy[pb.Future]:
    return st.recursive(
        st.builds(pb.Future, waiting_completions=leaves, waiting_signals=leaves, combinator_type=combinators),
        lambda inner: st.builds(
            pb.Future,
            waiting_completions=leaves,
            nested_futures=st.lists(inner, max_size=3),
            combinator_type=combinators,
        ),
        max_leaves=8,
    )


futures = futures_of(st.integers(0, 4))


def possible_outcomes(future: pb.Future, lookup: Lookup) -> set[str]:
    """The outcomes a node may have by now, empty while it is pending; more than one if it depends on the order."""
    children = [{outcome} if (outcome := lookup("completion", i)) else set() for i in future.waiting_completions]
    children += [{outcome} if (outcome := lookup("signal", i)) else set() for i in future.waiting_signals]
    children += [possible_outcomes(inner, lookup) for inner in future.nested_futures if has_leaves(inner)]
    arrived = set().union(*children)
    complete = all(children) and bool(children)
    match future.combinator_type:
        case pb.FIRST_COMPLETED:
            return arrived
        case pb.ALL_COMPLETED:
            return {"success"} if complete else set()
        case pb.FIRST_SUCCEEDED_OR_ALL_FAILED:
            return (
                {"success"}
                if {"success"} in children
                else uncertain(children) or ({"failure"} & arrived if complete else set())
            )
        case pb.ALL_SUCCEEDED_OR_FIRST_FAILED:
            return (
                {"failure"}
                if {"failure"} in children
                else uncertain(children) or ({"success"} & arrived if complete else set())
            )
        case _:
            return {"success", "failure"} if arrived else set()


def uncertain(children: list[set[str]]) -> set[str]:
    return {"success", "failure"} if any(len(child) > 1 for child in children) else set()


def has_leaves(future: pb.Future) -> bool:
    return bool(future.waiting_completions or future.waiting_signals) or any(map(has_leaves, future.nested_futures))


@given(
    futures,
    st.dictionaries(st.sampled_from(["c1", "c2", "c3", "c4", "s1", "s2"]), st.sampled_from(["success", "failure"])),
)
def test_waking_follows_the_rules(future: pb.Future, outcomes: dict[str, LeafOutcome]) -> None:
    tree = tree_of(future)
    assert tree.is_empty == (not has_leaves(future))
    assert resolves(tree, stored(**outcomes)) == bool(possible_outcomes(future, stored(**outcomes)))


outcomes_in_order = st.lists(
    st.tuples(
        st.sampled_from([*(("completion", number) for number in range(1, 5)), ("signal", 1), ("signal", 2)]),
        st.sampled_from(["success", "failure"]),
    ),
    unique_by=lambda arrived: arrived[0],
)


def reductions(future: pb.Future, arrivals: list[Any]) -> Iterator[tuple[AwaitTree | None, bool]]:
    """For each that arrives: what is left of the tree, and whether the whole one resolves with all of them."""
    tree = tree_of(nested(future))
    left: AwaitTree | None = tree
    came: dict[tuple[LeafKind, int | str], LeafOutcome] = {}
    for leaf, outcome in arrivals:
        came[leaf] = outcome
        assert left is not None
        left = reduced(left, {leaf: outcome})
        yield left, resolves(tree, lambda kind, name: came.get((kind, name)))
        if left is None:
            return
        assert not set(left.leaves()) & set(came), "what is there is waited for no more"


@given(futures_of(st.sampled_from([pb.FIRST_COMPLETED, pb.ALL_COMPLETED])), outcomes_in_order)
def test_a_tree_that_is_reduced_resolves_when_the_whole_one_does(future: pb.Future, arrivals: list[Any]) -> None:
    for left, resolved in reductions(future, arrivals):
        assert (left is None) is resolved


@given(futures, outcomes_in_order)
def test_where_the_outcome_counts_the_first_one_decides(future: pb.Future, arrivals: list[Any]) -> None:
    """The whole tree does not know who came first, and wakes where in doubt."""
    for left, resolved in reductions(future, arrivals):
        assert resolved or left is not None


def test_what_nobody_waits_for_changes_nothing() -> None:
    tree = tree_of(nested(pb.Future(waiting_completions=[1, 2], combinator_type=pb.ALL_COMPLETED)))
    assert reduced(tree, {("completion", 3): "success"}) is tree


def test_what_is_decided_is_waited_for_no_more() -> None:
    inner = pb.Future(waiting_completions=[1, 2], combinator_type=pb.FIRST_COMPLETED)
    tree = tree_of(pb.Future(waiting_completions=[3], nested_futures=[inner], combinator_type=pb.ALL_COMPLETED))
    left = reduced(tree, {("completion", 2): "success"})
    assert left is not None
    assert list(left.leaves()) == [("completion", 3)]
    assert left.to_json() == '{"AllCompleted":[{"Single":{"CompletionId":3}}]}'
