"""Programs made of durable operations, for handlers of our SDK and of the official one alike."""

from datetime import timedelta
from typing import Any, TypeAlias

from hypothesis import strategies as st

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.messages import make_failure, signal_notification
from support.sdk_server import Choose, Server

Operation: TypeAlias = tuple[Any, ...]

KEYS = ("a", "b")

waits = st.one_of(
    st.tuples(st.just("run"), st.integers(0, 9)),
    st.just(("broken run",)),
    st.just(("sleep",)),
    st.tuples(st.just("call"), st.sampled_from("XY")),
    st.tuples(st.just("attach"), st.sampled_from("XY")),
    st.just(("awakeable",)),
    st.tuples(st.just("signal"), st.sampled_from("pq")),
)
"""What gives a future; X goes well, Y fails."""

promise = st.tuples(st.just("promise"), st.sampled_from("XY"))
promises = st.one_of(
    st.tuples(st.just("peek"), st.sampled_from("XY")),
    st.tuples(st.just("settle"), st.sampled_from("XY"), st.booleans()),
)
"""What workflows have besides."""

writes = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(KEYS), st.integers(0, 9)),
    st.tuples(st.just("clear"), st.sampled_from(KEYS)),
    st.just(("clear all",)),
    st.tuples(st.just("send"), st.sampled_from("XY")),
)

alone = st.one_of(
    st.tuples(st.just("get"), st.sampled_from(KEYS)),
    st.tuples(st.sampled_from(["callee", "sent"]), st.sampled_from("XY")),
)
"""What is awaited at once."""


_COMBINED = ("gather", "select", "as completed", "first of several")
_OWN_COMBINED = (*_COMBINED, "all well", "one well")
"""The last two are for our SDK alone."""


def _programs(waits: Any, ways: tuple[str, ...], *more: Any) -> Any:
    operations = st.one_of(
        waits,
        writes,
        alone,
        st.tuples(st.sampled_from(ways), st.lists(waits, min_size=1, max_size=4)),
        st.tuples(st.just("later"), waits),
        *more,
    )
    return st.lists(operations, max_size=8)


programs = _programs(waits, _COMBINED)
"""For objects and workflows, under both SDKs."""

workflow_programs = _programs(st.one_of(waits, promise), _COMBINED, promises)
"""For workflows, under both SDKs."""

own_programs = _programs(st.one_of(waits, promise, promises), _OWN_COMBINED, st.just(("keys",)))
"""For workflows under our SDK. The official one sees keys otherwise, after some were cleared."""


def leaves(program: list[Operation]) -> list[Operation]:
    """All operations, those within combinators too."""
    found: list[Operation] = []
    for operation in program:
        match operation:
            case ("later", inner):
                found.append(inner)
            case (_, list(inner)):
                found += inner
            case _:
                found.append(operation)
    return found


def server_for(program: list[Operation], version: int, choose: Choose) -> Server:
    """A server that will send all signals that the program may wait for, some of them failures, and perhaps cancels."""
    server = Server(version, choose, state={b"a": b"5"} if choose(2) else {}, partial=bool(choose(2)))

    def result(value: bytes) -> dict[str, Any]:
        failure: pb.Failure = make_failure(418, "refused", [("why", "so")] if version >= 6 else [])
        return {"failure": failure} if choose(3) == 0 else {"value": value}

    awakeables = 17
    for operation in leaves(program):
        if operation[0] == "awakeable":
            server.will_signal(signal_notification(awakeables, **result(b'"woken"')))
            awakeables += 1
        if operation[0] == "signal":
            server.will_signal(signal_notification(operation[1], **result(b'"sent"')))
    for _ in range(choose(3)):
        server.will_cancel()
    return server


def _future(sdk: Any, ctx: Any, operation: Operation) -> Any:
    async def give(value: int) -> int:
        return value

    async def refuse() -> int:
        raise sdk.TerminalError("refused", status_code=418)

    match operation:
        case ("run", value):
            return ctx.run_typed(f"run {value}", give, sdk.RunOptions(), value)
        case ("broken run",):
            return ctx.run_typed("broken", refuse)
        case ("sleep",):
            return ctx.sleep(timedelta(seconds=1))
        case ("call", service):
            return ctx.generic_call(service, "h", b"1")
        case ("attach", name):
            return ctx.attach_invocation(f"inv_1{name}", type_hint=int)
        case ("promise", name):
            return ctx.promise(name, type_hint=int).value()
        case ("peek", name):
            return ctx.promise(name, type_hint=int).peek()
        case ("settle", name, True):
            return ctx.promise(name, type_hint=int).resolve(1)
        case ("settle", name, False):
            return ctx.promise(name, type_hint=int).reject("broken", 418)
        case ("awakeable",):
            return ctx.awakeable(type_hint=str)[1]
        case ("signal", name):
            return ctx.signal(name, type_hint=str)
    raise AssertionError(operation)


async def _combined(sdk: Any, way: str, futures: list[Any], settled: Any) -> str:
    match way:
        case "gather":
            await sdk.gather(*futures)
            return " ".join([await settled(one) for one in futures])
        case "select":
            name, value = await sdk.select(**{f"f{at}": one for at, one in enumerate(futures)})
            return f"{name} {value!r}"
        case "as completed":
            return " ".join([f"{futures.index(one)} {await settled(one)}" async for one in sdk.as_completed(*futures)])
        case "first of several":
            completed, left = await sdk.wait_completed(*futures)
            return f"{[futures.index(one) for one in completed]} {[futures.index(one) for one in left]}"
        case "all well":
            return repr(await sdk.all_succeeded(*futures))
        case "one well":
            return repr(await sdk.first_succeeded(*futures))
    raise AssertionError(way)


def make_function(sdk: Any, program: list[Operation]) -> Any:
    """A handler that runs the program and gives what it saw. sdk: the module to use."""

    def future_of(ctx: Any, operation: Operation) -> Any:
        return _future(sdk, ctx, operation)

    async def settled(future: Any) -> str:
        try:
            return repr(await future)
        except sdk.TerminalError as error:
            return f"failed {error.status_code}"

    async def step(ctx: Any, operation: Operation, later: list[Any]) -> str:
        match operation:
            case ("set", key, value):
                ctx.set(key, value)
                return "set"
            case ("clear", key):
                ctx.clear(key)
                return "cleared"
            case ("clear all",):
                ctx.clear_all()
                return "all cleared"
            case ("send", service):
                ctx.generic_send(service, "h", b"2")
                return "sent"
            case ("get", key):
                return await settled(ctx.get(key))
            case ("later", inner):
                later.append(future_of(ctx, inner))
                return "later"
            case ("keys",):
                return repr(await ctx.state_keys())
            case ("callee", service):
                return str(await ctx.generic_call(service, "h", b"1").invocation_id())
            case ("sent", service):
                handle = ctx.generic_send(service, "h", b"2")
                return str(await handle.invocation_id())
            case (way, list(inner)):
                return await _combined(sdk, way, [future_of(ctx, one) for one in inner], settled)
        return await settled(future_of(ctx, operation))

    async def run(ctx: Any, text: str) -> list[str]:
        seen: list[str] = []
        later: list[Any] = []
        for operation in program:
            try:
                seen.append(await step(ctx, operation, later))
            except sdk.TerminalError as error:
                seen.append(f"failed {error.status_code}")
        return seen + [await settled(future) for future in later]

    return run
