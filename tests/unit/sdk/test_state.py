"""State: what is known, what is asked for, and what the journal says."""

from typing import Any

import perdure as restate
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.messages import MessageType, completion
from support.sdk_peer import (
    attempt,
    talk,
    value,
    void,
)


def test_state_that_is_known_is_read_at_once() -> None:
    async def run(ctx: restate.ObjectContext, text: str) -> list[Any]:
        seen = [await ctx.get("a", type_hint=int), await ctx.get("b"), await ctx.state_keys()]
        ctx.set("b", [1])
        ctx.clear("a")
        seen += [await ctx.get("a"), await ctx.get("b"), await ctx.state_keys()]
        ctx.clear_all()
        return [*seen, await ctx.get("b"), await ctx.state_keys(), ctx.key()]

    state = [pb.StartMessage.StateEntry(key=b"a", value=b"1")]
    sent = attempt(run, kind="exclusive", state_map=state, partial_state=False, key="k")
    assert sent == [
        'GetEagerState key: "a" value { content: "1" }',
        'GetEagerState key: "b" void { }',
        'GetEagerStateKeys value { keys: "a" }',
        'SetState key: "b" value { content: "[1]" }',
        'ClearState key: "a"',
        'GetEagerState key: "a" void { }',
        'GetEagerState key: "b" value { content: "[1]" }',
        'GetEagerStateKeys value { keys: "b" }',
        "ClearAllState",
        'GetEagerState key: "b" void { }',
        "GetEagerStateKeys value { }",
        'Output value { content: "[1, null, [\\"a\\"], null, [1], [\\"b\\"], null, [], \\"k\\"]" }',
        "End",
    ]


def test_state_that_is_not_known_is_asked_for() -> None:
    async def run(ctx: restate.ObjectSharedContext, text: str) -> list[Any]:
        return [await ctx.get("a"), await ctx.get("b"), await ctx.state_keys()]

    keys = MessageType.GET_LAZY_STATE_KEYS_COMPLETION
    said = talk(
        run,
        value(MessageType.GET_LAZY_STATE_COMPLETION, 1, b"1"),
        void(MessageType.GET_LAZY_STATE_COMPLETION, 2),
        (keys, completion(keys, 3, state_keys=[b"a"])),
        kind="shared",
    )
    assert [one[0] for one in said] == [
        'GetLazyState key: "a" result_completion_id: 1',
        'GetLazyState key: "b" result_completion_id: 2',
        "GetLazyStateKeys result_completion_id: 3",
        'Output value { content: "[1, null, [\\"a\\"]]" }',
    ]


def test_what_was_read_eagerly_is_read_again_from_the_journal() -> None:
    async def run(ctx: restate.ObjectContext, text: str) -> list[Any]:
        return [await ctx.get("a"), await ctx.state_keys()]

    read = pb.GetEagerStateCommandMessage(key=b"a", value=pb.Value(content=b"1"))
    listed = pb.GetEagerStateKeysCommandMessage(value=pb.StateKeys(keys=[b"a", b"z"]))
    # This attempt knows another state, and would have to ask for it.
    assert attempt(run, read, listed, kind="exclusive")[0] == 'Output value { content: "[1, [\\"a\\", \\"z\\"]]" }'
