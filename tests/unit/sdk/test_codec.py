"""A codec stands between every value and the journal, in both directions; failures pass it by."""

import asyncio
from typing import Any

import pytest

import perdure as restate
from support.client import Client


class Rotated(restate.JournalValueCodec):
    """Makes bytes unreadable, and notices what did not come from it."""

    MARK = b"\x01"

    def encode(self, buf: bytes) -> bytes:
        return self.MARK + bytes((byte + 13) % 256 for byte in buf)

    def decode(self, buf: bytes) -> bytes:
        assert buf.startswith(self.MARK), buf
        return bytes((byte - 13) % 256 for byte in buf[1:])


class Fetched(Rotated):
    """One that has to wait for what it decodes with."""

    async def decode(self, buf: bytes) -> bytes:
        await asyncio.sleep(0)
        return super().decode(buf)


service, entity, workflow = restate.Service("S"), restate.VirtualObject("O"), restate.Workflow("W")


@service.handler(accept="*/*")
async def every_operation(ctx: restate.Context, secret: str) -> list[Any]:
    seen: list[Any] = [await ctx.run_typed("run", lambda: secret)]
    seen.append(await ctx.service_call(echo, secret))
    seen.append(await ctx.object_call(keep, "k", secret))
    identifier, value = ctx.awakeable(type_hint=str)
    ctx.resolve_awakeable(identifier, secret)
    seen.append(await value)
    handle = ctx.service_send(wait_for_signal, secret)
    ctx.resolve_signal(await handle.invocation_id(), "go", secret)
    seen.append(await ctx.attach_invocation(await handle.invocation_id(), type_hint=str))
    ctx.workflow_send(promised, "w", secret)
    await ctx.workflow_call(keep_promise, "w", secret)
    seen.append(await ctx.workflow_call(look, "w", None))
    with pytest.raises(restate.TerminalError, match="not secret"):
        await ctx.service_call(fail, secret)
    return seen


@service.handler(accept="*/*")
async def echo(ctx: restate.Context, secret: str) -> str:
    return secret


@service.handler(accept="*/*")
async def fail(ctx: restate.Context, secret: str) -> None:
    raise restate.TerminalError("not secret")


@service.handler(accept="*/*")
async def wait_for_signal(ctx: restate.Context, secret: str) -> str:
    return await ctx.signal("go", type_hint=str)


@entity.handler(accept="*/*")
async def keep(ctx: restate.ObjectContext, secret: str) -> list[Any]:
    seen = [await ctx.get("kept", type_hint=str)]
    ctx.set("kept", secret)
    return [*seen, await ctx.get("kept", type_hint=str), await ctx.object_call(read, "k", None)]


@entity.handler(kind="shared")
async def read(ctx: restate.ObjectSharedContext) -> Any:
    return await ctx.get("kept", type_hint=str)


@workflow.main(accept="*/*")
async def promised(ctx: restate.WorkflowContext, secret: str) -> str:
    return await ctx.promise("p", type_hint=str).value()


@workflow.handler(accept="*/*")
async def keep_promise(ctx: restate.WorkflowSharedContext, secret: str) -> None:
    await ctx.promise("p", type_hint=str).resolve(secret)


@workflow.handler(accept="*/*")
async def look(ctx: restate.WorkflowSharedContext) -> Any:
    return await ctx.promise("p", type_hint=str).peek()


def journaled(admin_url: str, ingress_url: str) -> str:
    """Everything that the server has stored, as text."""
    client = Client(ingress_url, admin_url)
    try:
        return str(client.query("SELECT * FROM sys_journal")) + str(client.query("SELECT * FROM state"))
    finally:
        client.close()


@pytest.mark.parametrize("always_replay", [False, True])
@pytest.mark.parametrize(("codec", "provided"), [(Rotated(), False), (Rotated(), True), (Fetched(), False)])
def test_every_value_passes_it_both_ways(always_replay: bool, codec: restate.JournalValueCodec, provided: bool) -> None:
    made = 0

    async def provider() -> restate.JournalValueCodec:
        nonlocal made
        made += 1
        return codec

    async def talk() -> None:
        app = restate.app([service, entity, workflow], journal_value_codec=provider if provided else codec)
        harness = restate.create_test_harness(app, always_replay=always_replay, journal_value_codec=codec)
        async with harness as env:
            seen = await env.client.service_call(every_operation, "a secret")
            assert seen == ["a secret", "a secret", [None, "a secret", "a secret"], "a secret", "a secret", "a secret"]
            stored = await asyncio.to_thread(journaled, env.admin_api_url, env.ingress_url)
            assert "a secret" not in stored
            assert "not secret" in stored

    asyncio.run(talk())
    assert made == (1 if provided else 0)
