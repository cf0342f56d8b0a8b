"""The engine under a test: replays, shuffles, inspection."""

import asyncio
from collections.abc import Callable

import pytest
import restate

from perdure.testing import Harness, SimulatedEngine, simulated

from .services import app, book, careless, effects, write

Scenario = Callable[[SimulatedEngine], None]


def replays(always_replay: bool) -> int:
    """How often the handler's code was run."""
    effects.clear()
    with Harness(app, always_replay=always_replay) as harness:
        harness.run(harness.client.call(careless))
    return effects["outside of a run"]


def test_always_replay_ends_the_attempt_at_every_durable_await() -> None:
    assert replays(always_replay=True) > 2 >= replays(always_replay=False)


@simulated(app, always_replay=True)
async def test_replays_change_no_result(engine: SimulatedEngine) -> None:
    effects.clear()
    assert (await engine.client.call(book, "Ada"))[:3] == ["flight", "hotel", "car"]
    assert effects == {"flight": 1, "hotel": 1, "car": 1}


def order_of_arrival(seed: int | None) -> list[str]:
    """In which order concurrent invocations came to the same object."""

    async def scenario(engine: SimulatedEngine) -> list[str]:
        await asyncio.gather(*(engine.client.call(book, "Ada") for _ in range(2)))
        async with asyncio.TaskGroup() as group:
            for name in "abcdef":
                group.create_task(engine.client.call(relay, name))
        return (await engine.state("Board", "k"))["names"].decode().split()

    with Harness(app, board_app, seed=seed) as harness:
        return harness.run(scenario(harness.engine))


board = restate.VirtualObject("Board")
relays = restate.Service("Relays")


@board.handler()
async def note(ctx: restate.ObjectContext, name: str) -> None:
    names = await ctx.get("names", serde=restate.serde.BytesSerde()) or b""
    ctx.set("names", names + name.encode() + b" ", serde=restate.serde.BytesSerde())


@relays.handler()
async def relay(ctx: restate.Context, name: str) -> None:
    await ctx.object_call(note, "k", name)


board_app = restate.app([board, relays])


def test_a_seed_shuffles_and_repeats_itself() -> None:
    orders = {seed: order_of_arrival(seed) for seed in range(4)}
    assert all(sorted(order) == list("abcdef") for order in orders.values())
    assert len({tuple(order) for order in orders.values()}) > 1
    assert orders == {seed: order_of_arrival(seed) for seed in range(4)}


def test_without_a_seed_nothing_is_shuffled() -> None:
    assert order_of_arrival(None) == list("abcdef")


def test_a_failing_test_names_its_seed() -> None:
    @simulated(app, seeds=range(3))
    async def test(engine: SimulatedEngine) -> None:
        assert engine.conditions.chance is not None
        raise ValueError("no")

    with pytest.raises(ValueError, match="no") as failed:
        test()
    assert "seed 0" in failed.value.__notes__[0]


@simulated(app)
async def test_state_and_journal_can_be_looked_at(engine: SimulatedEngine) -> None:
    await engine.client.call(write, "sunny", key="Ada")
    assert await engine.state("Diary", "Ada") == {"lines": b'["sunny"]'}
    booked = await engine.client.send(book, "Ada")
    await booked.attach()
    journal = await engine.journal(booked.invocation_id)
    assert journal.commands == ["Input", "Run", "Sleep", "Call", "Call", "Run", "Output"]
    assert journal.complete
    assert "Sleep completed" in str(journal)
    with pytest.raises(KeyError):
        await engine.journal("inv_174ZeJMiikof56Y5vkikgerkQphw2S168k")


@pytest.mark.parametrize("name", ["Ada"])
@simulated(app)
async def test_other_arguments_come_from_the_test_runner(engine: SimulatedEngine, name: str) -> None:
    assert await engine.client.call(write, name, key="k") == 1


@simulated(app)
async def test_a_crashed_engine_goes_on_after_its_start(engine: SimulatedEngine) -> None:
    booked = await engine.client.send(book, "Ada")
    await engine.crash()
    await engine.start()
    assert (await booked.attach())[:3] == ["flight", "hotel", "car"]
