"""Programs made of durable operations, for handlers of our SDK and of the official one alike."""

from datetime import timedelta
from typing import Any, TypeAlias

from hypothesis import strategies as st

Operation: TypeAlias = tuple[Any, ...]

KEYS = ("a", "b")

waits = st.one_of(
    st.tuples(st.just("run"), st.integers(0, 9)),
    st.just(("broken run",)),
    st.just(("sleep",)),
    st.tuples(st.just("call"), st.sampled_from("XY")),
    st.just(("awakeable",)),
    st.tuples(st.just("signal"), st.sampled_from("pq")),
)
"""What gives a future."""

writes = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(KEYS), st.integers(0, 9)),
    st.tuples(st.just("clear"), st.sampled_from(KEYS)),
    st.just(("clear all",)),
    st.tuples(st.just("send"), st.sampled_from("XY")),
)

operations = st.one_of(
    waits,
    writes,
    st.tuples(st.just("get"), st.sampled_from(KEYS)),
    st.tuples(st.sampled_from(["gather", "select", "as completed"]), st.lists(waits, min_size=1, max_size=4)),
    st.tuples(st.just("later"), waits),
)

programs = st.lists(operations, max_size=8)


def leaves(program: list[Operation]) -> list[Operation]:
    """All operations, those within combinators too."""
    found: list[Operation] = []
    for operation in program:
        match operation:
            case ("gather" | "select" | "as completed", inner):
                found += inner
            case ("later", inner):
                found.append(inner)
            case _:
                found.append(operation)
    return found


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
        case ("awakeable",):
            return ctx.awakeable(type_hint=str)[1]
        case ("signal", name):
            return ctx.signal(name, type_hint=str)
    raise AssertionError(operation)


def make_function(sdk: Any, program: list[Operation]) -> Any:
    """A handler of a virtual object that runs the program and gives what it saw. sdk: the module to use."""

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
            case ("gather", inner):
                futures = [future_of(ctx, one) for one in inner]
                await sdk.gather(*futures)
                return " ".join([await settled(one) for one in futures])
            case ("select", inner):
                name, value = await sdk.select(**{f"f{at}": future_of(ctx, one) for at, one in enumerate(inner)})
                return f"{name} {value!r}"
            case ("as completed", inner):
                futures = [future_of(ctx, one) for one in inner]
                return " ".join(
                    [f"{futures.index(one)} {await settled(one)}" async for one in sdk.as_completed(*futures)]
                )
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
