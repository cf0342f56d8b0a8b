"""Any handler, cut anywhere: every prefix of its journal leads to the commands that follow in the whole one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import perdure as restate
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import Frame
from perdure.protocol.messages import is_command
from perdure.sdk.definitions import HandlerDefinition
from support.programs import make_function, own_programs, server_for
from support.sdk_peer import Entry, Peer, handler, say
from support.sdk_server import Server

SECOND = timedelta(seconds=1)


def commands(entries: list[Entry] | list[Frame]) -> list[str]:
    found = []
    for entry in entries:
        if isinstance(entry, pb.InputCommandMessage):
            continue
        one = entry if isinstance(entry, Frame) else Frame(entry[0], 0, entry[1])  # type: ignore[index]
        if is_command(one.type):
            found.append(say(one))
    return found


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=own_programs, version=st.sampled_from([5, 6, 7]), data=st.data())
def test_every_prefix_of_a_journal_goes_on_as_the_whole_one_did(
    program: Any, version: int, data: st.DataObject
) -> None:
    definition = handler(make_function(restate, program), "workflow")

    async def play() -> None:
        server = server_for(program, version, lambda count: data.draw(st.integers(0, count - 1)))
        await go_on_at_every_cut(server, definition)

    asyncio.run(play())


async def go_on_at_every_cut(
    server: Server, definition: HandlerDefinition[Any, Any], between: Callable[[], None] = lambda: None
) -> None:
    """Runs the handler to its end, and then, after `between`, again from every prefix of its journal."""
    first = Peer(definition, server.version)
    await server.conduct(first)
    assert isinstance(first.final, pb.EndMessage), first.final
    between()
    whole = commands(server.journal)
    for length in range(1, len(server.journal) + 1):
        prefix = server.journal[:length]
        known = len(commands(prefix))
        peer = Peer(definition, server.version)
        await peer.converse(server.request(prefix), end=True)
        await peer.ended()
        assert not isinstance(peer.final, pb.ErrorMessage), peer.final
        issued = commands(peer.frames)
        assert whole[known : known + len(issued)] == issued


# ---- Cancellation, wherever a handler can wait ----


may_end: ContextVar[asyncio.Event] = ContextVar("may_end")


async def slow() -> None:
    await may_end.get().wait()


async def at_once() -> None: ...


def several(ctx: Any) -> list[Any]:
    return [ctx.sleep(SECOND), ctx.awakeable()[1], ctx.generic_call("X", "h", b""), ctx.signal("go")]


async def each_in_turn(ctx: Any) -> None:
    async for one in restate.as_completed(*several(ctx)):
        await one


async def in_tasks(ctx: Any) -> None:
    async def awaited(future: Any) -> None:
        await future

    await asyncio.gather(*[awaited(one) for one in several(ctx)])


AWAITS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "a sleep": lambda ctx: ctx.sleep(SECOND),
    "a call": lambda ctx: ctx.generic_call("X", "h", b""),
    "an id of a callee": lambda ctx: ctx.generic_call("X", "h", b"").invocation_id(),
    "an id of what is sent": lambda ctx: ctx.generic_send("X", "h", b"").invocation_id(),
    "another invocation": lambda ctx: ctx.attach_invocation("inv_1X"),
    "an awakeable": lambda ctx: ctx.awakeable()[1],
    "a signal": lambda ctx: ctx.signal("go"),
    "a value": lambda ctx: ctx.get("k"),
    "the keys": lambda ctx: ctx.state_keys(),
    "a promise": lambda ctx: ctx.promise("X").value(),
    "a look at a promise": lambda ctx: ctx.promise("X").peek(),
    "the completion of a promise": lambda ctx: ctx.promise("X").resolve(1),
    "its rejection": lambda ctx: ctx.promise("X").reject("no"),
    "a run that executes": lambda ctx: ctx.run_typed("slow", slow),
    "a run whose result is proposed": lambda ctx: ctx.run_typed("quick", at_once),
    "the time": lambda ctx: ctx.time(),
    "gather": lambda ctx: restate.gather(*several(ctx)),
    "select": lambda ctx: restate.select(**dict(zip("abcd", several(ctx), strict=True))),
    "race": lambda ctx: restate.race(*several(ctx)),
    "first_succeeded": lambda ctx: restate.first_succeeded(*several(ctx)),
    "all_succeeded": lambda ctx: restate.all_succeeded(*several(ctx)),
    "wait_completed": lambda ctx: restate.wait_completed(*several(ctx)),
    "as_completed": each_in_turn,
    "tasks": in_tasks,
}


@pytest.mark.parametrize("version", [5, 6, 7])
@pytest.mark.parametrize("what", AWAITS)
def test_a_cancel_surfaces_at_every_kind_of_wait(what: str, version: int) -> None:
    seen: list[str] = []

    async def run(ctx: restate.WorkflowContext, text: str) -> str:
        try:
            await AWAITS[what](ctx)
        except restate.TerminalError as error:
            seen.append(f"{error.status_code} {error.message}")
            await ctx.run_typed("undo", at_once)
            raise
        return "not cancelled"

    async def play() -> str:
        # Of all that can happen, the cancel does first.
        server = Server(version, lambda count: 0, state={}, partial=True)
        server.will_cancel()
        gate = asyncio.Event()
        may_end.set(gate)
        await go_on_at_every_cut(server, handler(run, "workflow"), gate.set)
        return commands(server.journal)[-1]

    assert asyncio.run(play()) == 'Output failure { code: 409 message: "cancelled" }'
    assert set(seen) == {"409 cancelled"}
