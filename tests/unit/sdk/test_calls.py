"""Calls of other handlers, and of other invocations."""

from datetime import timedelta

import perdure as restate
from perdure.protocol.messages import MessageType, completion
from support.sdk_peer import (
    NOW,
    attempt,
    failed,
    talk,
    value,
)

callee = restate.Service("Callee")


@callee.handler()
async def greet(ctx: restate.Context, name: str) -> str:
    return f"hello {name}"


counter = restate.VirtualObject("Counter")


@counter.handler()
async def add(ctx: restate.ObjectContext, amount: int) -> int:
    return amount


flow = restate.Workflow("Flow")


@flow.main()
async def start_flow(ctx: restate.WorkflowContext, text: str) -> str:
    return text


def test_a_call_of_a_service() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        return await ctx.service_call(greet, text, idempotency_key="once", headers={"b": "1", "a": "2"})

    said = talk(
        run,
        (
            MessageType.CALL_INVOCATION_ID_COMPLETION,
            completion(MessageType.CALL_INVOCATION_ID_COMPLETION, 1, invocation_id="inv_1callee"),
        ),
        value(MessageType.CALL_COMPLETION, 2, b'"hello x"'),
    )
    assert said[0][0] == (
        'Call service_name: "Callee" handler_name: "greet" parameter: "\\"x\\"" '
        'headers { key: "b" value: "1" } headers { key: "a" value: "2" } idempotency_key: "once" '
        "invocation_id_notification_idx: 1 result_completion_id: 2"
    )
    assert said[2] == ['Output value { content: "\\"hello x\\"" }', "End"]


def test_calls_of_objects_and_workflows_have_a_key() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        ctx.object_call(add, "k1", 3)
        ctx.workflow_call(start_flow, "k2", "go")
        ctx.object_send(add, "k3", 4, send_delay=timedelta(seconds=1))
        ctx.workflow_send(start_flow, "k4", "go")

    sent = attempt(run)
    assert 'service_name: "Counter" handler_name: "add" parameter: "3" key: "k1"' in sent[0]
    assert 'service_name: "Flow" handler_name: "start_flow" parameter: "\\"go\\"" key: "k2"' in sent[1]
    assert f'parameter: "4" invoke_time: {NOW + 1000} key: "k3" invocation_id_notification_idx: 5' in sent[2]
    assert 'OneWayCall service_name: "Flow"' in sent[3]
    assert "invoke_time" not in sent[3]


def test_calls_by_name_carry_bytes() -> None:
    async def run(ctx: restate.Context, text: str) -> bytes:
        ctx.generic_send("S", "h", b"\x01", key="k", headers={"a": "b"})
        return await ctx.generic_call("S", "h", b"\x02", scope="tenant", limit_key="a/b")

    sent = attempt(run)
    assert sent[0] == (
        'OneWayCall service_name: "S" handler_name: "h" parameter: "\\001" headers { key: "a" value: "b" } '
        'key: "k" invocation_id_notification_idx: 1'
    )
    assert 'parameter: "\\002" scope: "tenant" limit_key: "a/b"' in sent[1]


def test_scopes_came_with_version_7() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        return await ctx.scope("tenant").service_call(greet, text, limit_key="l")

    assert 'scope: "tenant" limit_key: "l"' in attempt(run)[0]
    (error,) = attempt(run, version=6)
    assert error.startswith("Error code: 573")


def test_an_empty_idempotency_key_is_refused() -> None:
    async def run(ctx: restate.Context, text: str) -> None:
        ctx.service_send(greet, text, idempotency_key="")

    assert attempt(run)[0].startswith("Output failure { code: 400")


def test_a_one_way_call_has_an_id_and_can_be_cancelled() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        handle = ctx.service_send(greet, text)
        await handle.cancel_invocation()
        return await handle.invocation_id()

    type_id = MessageType.CALL_INVOCATION_ID_COMPLETION
    said = talk(run, (type_id, completion(type_id, 1, invocation_id="inv_1callee")))
    assert said[1] == [
        'SendSignal target_invocation_id: "inv_1callee" idx: 1 void { }',
        'Output value { content: "\\"inv_1callee\\"" }',
        "End",
    ]


def test_other_invocations_can_be_cancelled_and_attached_to() -> None:
    async def run(ctx: restate.Context, text: str) -> str:
        ctx.cancel_invocation("inv_1other")
        return await ctx.attach_invocation("inv_1other", type_hint=str)

    said = talk(run, failed(MessageType.ATTACH_INVOCATION_COMPLETION, 1))
    assert said[0][:2] == [
        'SendSignal target_invocation_id: "inv_1other" idx: 1 void { }',
        'AttachInvocation invocation_id: "inv_1other" result_completion_id: 1',
    ]
    assert said[1][0] == 'Output failure { code: 418 message: "no tea" }'
