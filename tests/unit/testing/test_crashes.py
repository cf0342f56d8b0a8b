"""A crash at every place: careful handlers pass, careless ones are found out."""

import asyncio
from datetime import timedelta

import pytest
import restate

import perdure
from perdure.client.handle import InvocationHandle
from perdure.testing import CrashFailed, CrashPoint, SimulatedEngine, crash_everywhere
from perdure.testing.crashes import Victim

from .services import app, approval, book, careless, effects, forgetful, write


def test_a_careful_handler_survives_a_crash_everywhere() -> None:
    points = crash_everywhere(app, handler=book, arg="Ada", effects=effects)
    assert {point.victim for point in points} == set(Victim)
    assert all(point.at == 1 or CrashPoint(point.victim, point.at - 1) in points for point in points)


def test_an_object_survives_too() -> None:
    assert crash_everywhere(app, handler=write, arg="sunny", key="Ada")


def test_an_effect_outside_of_a_run_is_found() -> None:
    with pytest.raises(CrashFailed, match="`outside of a run` happened") as found:
        crash_everywhere(app, handler=careless, effects=effects)
    assert "replay" in found.value.__notes__[0]


def test_two_effects_in_one_run_are_found() -> None:
    service = perdure.Service("Pair")

    @service.handler()
    async def pair(ctx: perdure.Context) -> None:
        await ctx.run_typed("both", lambda: effects.update({"twice": 2}))

    with pytest.raises(CrashFailed, match="`twice` happened 4 times") as found:
        crash_everywhere(perdure.app([service]), handler=pair, effects=effects)
    assert "a crash of" in found.value.__notes__[0]


def test_a_result_that_depends_on_replays_is_found() -> None:
    with pytest.raises(CrashFailed, match="the result is"):
        crash_everywhere(app, handler=forgetful, effects=effects, at_once=9)


def test_what_the_handler_waits_for_can_come_from_the_test() -> None:
    async def approve(engine: SimulatedEngine, handle: InvocationHandle[str]) -> None:
        while not effects:
            await asyncio.sleep(1)
        await engine.client.resolve_awakeable(next(iter(effects)), "granted")

    assert crash_everywhere(app, handler=approval, meanwhile=approve, effects=effects)


def test_failures_and_workflows_are_compared_as_well() -> None:
    workflow = perdure.Workflow("Once")

    @workflow.main()
    async def run(ctx: perdure.WorkflowContext, reason: str) -> None:
        await ctx.run_typed("step", lambda: None)
        raise perdure.TerminalError(reason, status_code=418)

    assert crash_everywhere(perdure.app([workflow]), handler=run, arg="no coffee", key="k")


def test_apps_of_another_sdk() -> None:
    service = restate.Service("Foreign")

    @service.handler()
    async def greet(ctx: restate.Context, name: str) -> str:
        await ctx.sleep(timedelta(days=100))
        return await ctx.run_typed("greet", lambda: f"Hello, {name}")

    assert crash_everywhere(restate.app([service]), handler=greet, arg="Ada")
