"""The client and the test harness, against a real server in the test's own process."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

import perdure as restate

service, entity, workflow = restate.Service("S"), restate.VirtualObject("O"), restate.Workflow("W")


@service.handler()
async def greet(ctx: restate.Context, name: str) -> str:
    return f"hello {name} {ctx.request().headers.get('x-from', '')}".strip()


@service.handler()
async def nothing(ctx: restate.Context) -> None: ...


@service.handler()
async def fail(ctx: restate.Context, message: str) -> None:
    raise restate.TerminalError(message, status_code=418)


@service.handler()
async def book(ctx: restate.Context, city: str, nights: int = 1) -> dict[str, Any]:
    return {"city": city, "nights": nights}


@service.handler(accept="*/*", content_type="application/octet-stream")
async def raw(ctx: restate.Context, body: bytes) -> bytes:
    return body[::-1]


attempts: list[int] = []


@service.handler()
async def broken(ctx: restate.Context) -> None:
    attempts.append(1)
    raise ValueError("broken on purpose")


@service.handler()
async def replayed(ctx: restate.Context) -> list[str]:
    attempts.append(1)
    return [await ctx.run_typed("step", str, restate.RunOptions(), i) for i in range(2)]


@entity.handler()
async def add(ctx: restate.ObjectContext, amount: int) -> int:
    total = (await ctx.get("total", type_hint=int) or 0) + amount
    ctx.set("total", total)
    return total


@workflow.main()
async def run(ctx: restate.WorkflowContext, name: str) -> str:
    return f"{ctx.key()} {name}"


def harness(test: Callable[[Any], Awaitable[None]], **options: Any) -> None:
    async def body() -> None:
        async with restate.create_test_harness(restate.app([service, entity, workflow]), **options) as env:
            await test(env)

    asyncio.run(body())


def test_calls_and_sends() -> None:
    async def test(env: restate.HarnessEnvironment) -> None:
        client = env.client
        assert await client.service_call(greet, "Sam", headers={"x-from": "Ann"}) == "hello Sam Ann"
        assert await client.service_call(nothing, None) is None
        assert await client.service_call(book, {"city": "Rome"}) == {"city": "Rome", "nights": 1}
        assert await client.service_call(raw, b"abc") == b"cba"
        assert await client.object_call(add, "a/b ü", 2) == 2
        assert await client.object_call(add, "a/b ü", 3) == 5
        assert await client.workflow_call(run, "k", "x") == "k x"
        assert (
            await client.generic_call("O", "add", b"1", key="c", headers={"content-type": "application/json"}) == b"1"
        )
        first = await client.service_send(greet, "Sam", idempotency_key="once")
        again = await client.service_send(greet, "Sam", idempotency_key="once")
        assert first.status_code in (200, 202)
        assert first.invocation_id == again.invocation_id
        later = [
            await client.service_send(greet, "Sam", send_delay=timedelta(hours=1)),
            await client.object_send(add, "k", 1),
            await client.workflow_send(run, "other", "x"),
            await client.generic_send("S", "nothing", b""),
        ]
        assert all(one.invocation_id.startswith("inv_") for one in later)

    harness(test)


def test_errors() -> None:
    async def test(env: restate.HarnessEnvironment) -> None:
        with pytest.raises(restate.HttpError) as caught:
            await env.client.service_call(fail, "no coffee")
        assert caught.value.status_code == 418
        assert "no coffee" in (caught.value.body or "")
        with pytest.raises(restate.HttpError) as refused:
            await env.client.scope("s").service_call(greet, "Sam", limit_key="l")
        assert refused.value.status_code == 400

    harness(test)


def test_a_harness_that_tries_once() -> None:
    async def test(env: restate.HarnessEnvironment) -> None:
        attempts.clear()
        with pytest.raises(restate.HttpError):
            await env.client.service_call(broken, None)
        assert len(attempts) == 1

    harness(test, disable_retries=True)


def test_a_harness_that_always_replays() -> None:
    async def test(env: restate.HarnessEnvironment) -> None:
        attempts.clear()
        assert await env.client.service_call(replayed, None) == ["0", "1"]
        assert len(attempts) == 3

    harness(test, always_replay=True)
