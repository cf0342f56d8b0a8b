"""Recorded journals against code that has changed."""

from datetime import timedelta
from pathlib import Path

import pytest
import restate

import perdure
from perdure.testing import Harness, Journal, ReplayMismatch, SimulatedEngine, assert_replays, simulated

from .services import app, book, write


def changed(*, step: str = "flight", days: int = 7, more: bool = False) -> perdure.sdk.asgi.AsgiApp:
    """The service as another version of the code."""
    travel = perdure.Service("Travel")

    @travel.handler("book")
    async def book(ctx: perdure.Context, name: str) -> list[str]:
        flight = await ctx.run_typed(step, lambda: "never run")
        await ctx.sleep(timedelta(days=days))
        hotel = await ctx.generic_call("Travel", "reserve", f'"{name}"'.encode())
        await ctx.generic_call("Diary", "write", hotel, key=name)
        car = await ctx.run_typed("car", lambda: "never run")
        if more:
            await ctx.run_typed("insurance", lambda: "new")
        return [flight, hotel.decode().strip('"'), car, str(ctx.uuid())]

    return perdure.app([travel])


@pytest.fixture(scope="module")
def booked() -> Journal:
    async def scenario(engine: SimulatedEngine) -> Journal:
        sent = await engine.client.send(book, "Ada")
        await sent.attach()
        return await engine.journal(sent.invocation_id)

    with Harness(app) as harness:
        return harness.run(scenario(harness.engine))


def test_unchanged_code_replays(booked: Journal) -> None:
    assert_replays(booked, app)


def test_code_that_does_the_same_replays(booked: Journal) -> None:
    assert_replays(booked, changed())


def test_a_step_of_another_name_does_not(booked: Journal) -> None:
    with pytest.raises(ReplayMismatch, match="does not replay"):
        assert_replays(booked, changed(step="train"))


def test_one_more_step_does_not(booked: Journal) -> None:
    with pytest.raises(ReplayMismatch):
        assert_replays(booked, changed(more=True))


def test_a_journal_keeps_in_a_file(booked: Journal, tmp_path: Path) -> None:
    booked.save(tmp_path / "booked.json")
    loaded = Journal.load(tmp_path / "booked.json")
    assert loaded == booked
    assert_replays(loaded, app)


@simulated(app)
async def test_a_journal_of_something_that_still_runs(engine: SimulatedEngine) -> None:
    running = await engine.client.send(book, "Ada")
    journal = await engine.journal(running.invocation_id)
    while "Sleep" not in journal.commands:
        journal = await engine.journal(running.invocation_id)
    assert not journal.complete
    assert_replays(journal, app)
    with pytest.raises(ReplayMismatch):
        assert_replays(journal, changed(step="train"))


@simulated(app)
async def test_state_is_kept_with_the_journal(engine: SimulatedEngine) -> None:
    await engine.client.call(write, "one", key="Ada")
    second = await engine.client.send(write, "two", key="Ada")
    await second.attach()
    assert_replays(await engine.journal(second.invocation_id), app)


def test_a_handler_that_is_gone(booked: Journal) -> None:
    with pytest.raises(ReplayMismatch, match="404"):
        assert_replays(booked, perdure.app([perdure.Service("Other")]))


def test_journals_of_another_sdk() -> None:
    service = restate.Service("Foreign")

    @service.handler()
    async def greet(ctx: restate.Context, name: str) -> str:
        return await ctx.run_typed("greet", lambda: f"Hello, {name}")

    foreign = restate.app([service])

    async def scenario(engine: SimulatedEngine) -> Journal:
        sent = await engine.client.send(greet, "Ada")
        await sent.attach()
        return await engine.journal(sent.invocation_id)

    with Harness(foreign) as harness:
        assert_replays(harness.run(scenario(harness.engine)), foreign)
