"""Awakeables, signals and promises."""

from typing import Any

import perdure as restate
from perdure.protocol.messages import MessageType, signal_notification
from support.sdk_peer import (
    attempt,
    failed,
    signal,
    talk,
    value,
    void,
)

# ---- Awakeables and signals ----


def test_an_awakeable_has_an_id_and_needs_no_command() -> None:
    async def run(ctx: restate.Context, text: str) -> list[str]:
        first, _ = ctx.awakeable()
        second, future = ctx.awakeable(type_hint=str)
        return [first, second, await future]

    said = talk(run, signal(signal_notification(18, value=b'"done"')))
    assert said[0] == [
        "AwaitingOn awaiting_on { waiting_signals: 18 waiting_signals: 1 combinator_type: FIRST_COMPLETED }"
    ]
    assert "sign_1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXAAAAEQ" in said[1][0]
    assert '\\"done\\"' in said[1][0]


def test_awakeables_and_signals_are_completed_without_an_answer() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        ctx.resolve_awakeable("sign_1a", {"a": 1})
        ctx.reject_awakeable("sign_1a", "no", 499)
        ctx.resolve_signal("inv_1x", "go", 3)
        ctx.reject_signal("inv_1x", "go", "no")

    assert attempt(run)[:4] == [
        'CompleteAwakeable awakeable_id: "sign_1a" value { content: "{\\"a\\": 1}" }',
        'CompleteAwakeable awakeable_id: "sign_1a" failure { code: 499 message: "no" }',
        'SendSignal target_invocation_id: "inv_1x" name: "go" value { content: "3" }',
        'SendSignal target_invocation_id: "inv_1x" name: "go" failure { code: 500 message: "no" }',
    ]


def test_signals_of_one_name_queue_up() -> None:
    async def run(ctx: restate.Context, text: str) -> list[int]:
        unused = ctx.signal("go")
        return [await ctx.signal("go", type_hint=int), await ctx.signal("go", type_hint=int), await unused]

    journal = [signal(signal_notification("go", value=b"%d" % number)) for number in (1, 2, 3)]
    assert attempt(run, *journal)[0] == 'Output value { content: "[1, 2, 3]" }'


# ---- Promises ----


def test_promises_are_peeked_at_awaited_and_completed() -> None:
    async def run(ctx: restate.WorkflowContext, text: str) -> list[Any]:
        promise = ctx.promise("p", type_hint=str)
        return [await promise.peek(), await promise, await promise.value()]

    said = talk(
        run,
        void(MessageType.PEEK_PROMISE_COMPLETION, 1),
        value(MessageType.GET_PROMISE_COMPLETION, 2, b'"a"'),
        value(MessageType.GET_PROMISE_COMPLETION, 3, b'"a"'),
        kind="workflow",
    )
    assert [one[0] for one in said] == [
        'PeekPromise key: "p" result_completion_id: 1',
        'GetPromise key: "p" result_completion_id: 2',
        'GetPromise key: "p" result_completion_id: 3',
        'Output value { content: "[null, \\"a\\", \\"a\\"]" }',
    ]


def test_completing_a_promise_twice_is_refused_by_the_server() -> None:
    async def run(ctx: restate.WorkflowSharedContext, text: str) -> None:
        await ctx.promise("p").resolve(1)
        await ctx.promise("p").reject("no", 499)

    said = talk(
        run,
        void(MessageType.COMPLETE_PROMISE_COMPLETION, 1),
        failed(MessageType.COMPLETE_PROMISE_COMPLETION, 2),
        kind="promises",
    )
    assert [one[0] for one in said] == [
        'CompletePromise key: "p" completion_value { content: "1" } result_completion_id: 1',
        'CompletePromise key: "p" completion_failure { code: 499 message: "no" } result_completion_id: 2',
        'Output failure { code: 418 message: "no tea" }',
    ]
