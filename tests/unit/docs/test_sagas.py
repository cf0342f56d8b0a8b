"""What docs/howto/sagas.md says of its programs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from perdure import HttpError, TerminalError
from perdure.testing import Harness, SimulatedEngine, crash_everywhere
from support.documents import HOWTO, programs

PAGE = HOWTO / "sagas.md"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with programs(PAGE, tmp_path) as found:
        yield found


@pytest.fixture
def trips(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The saga, whose bookings take ten seconds each."""
    quick = page.trips.reserve

    async def reserve(reference: str, destination: str) -> None:
        await asyncio.sleep(10)
        quick(reference, destination)

    monkeypatch.setattr(page.trips, "reserve", reserve)
    return page.trips


async def started(engine: SimulatedEngine, trips: Any, seconds: float) -> Any:
    """A trip to Rome that has been under way for so long."""
    trip = await engine.client.send(trips.book, "Rome")
    await asyncio.sleep(seconds)
    return trip


@pytest.mark.parametrize("seconds", [5, 15, 25, 29.9])
def test_cancelled_while_a_step_is_under_way(trips: Any, seconds: float) -> None:
    async def cancelled(engine: SimulatedEngine) -> None:
        trip = await started(engine, trips, seconds)
        await trip.cancel()
        with pytest.raises(TerminalError) as ended:
            await trip.attach()
        assert ended.value.status_code == 409
        await asyncio.sleep(60)
        assert not trips.booked

    with Harness(trips.app) as harness:
        harness.run(cancelled(harness.engine))


def test_killed_and_undone_by_hand(trips: Any) -> None:
    async def killed(engine: SimulatedEngine) -> None:
        trip = await started(engine, trips, 25)
        await trip.kill()
        await asyncio.sleep(60)
        assert [reference.partition("-")[0] for reference in trips.booked] == ["flight", "hotel"]

        journal = await engine.client.journal(trip.invocation_id)
        (step,) = [row["index"] for row in journal if row.get("name") == "book hotel"]
        again = await trip.restart_as_new(from_=step)
        await again.cancel()
        with pytest.raises(TerminalError):
            await again.attach()
        assert not trips.booked

    with Harness(trips.app) as harness:
        harness.run(killed(harness.engine))


def test_a_step_that_uses_up_its_attempts(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def reserve(reference: str, destination: str) -> None:
        if reference.startswith("hotel"):
            tried.append(reference)
            raise OSError("the hotel does not answer")
        page.trips.booked[reference] = destination

    monkeypatch.setattr(page.trips, "reserve", reserve)
    with Harness(page.trips.app) as harness, pytest.raises(TerminalError, match="the hotel does not answer"):
        harness.run(harness.client.call(page.trips.book, "Rome"))
    assert (len(tried), len(set(tried))) == (3, 1)
    assert not page.trips.booked


def test_a_compensation_is_tried_until_it_is_done(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[str] = []

    def release(reference: str) -> None:
        released.append(reference.partition("-")[0])
        if len(released) < 10:
            raise OSError("the line is down")

    monkeypatch.setattr(page.trips, "release", release)
    with Harness(page.trips.app) as harness, pytest.raises(TerminalError, match="no cars there"):
        harness.run(harness.client.call(page.trips.book, "the moon"))
    assert released == ["car"] * 10 + ["hotel", "flight"]


def test_an_error_that_is_not_terminal_undoes_nothing(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[str] = []
    monkeypatch.setattr(page.trips, "release", released.append)
    monkeypatch.setattr(page.trips, "RunOptions", None)  # a bug: the handler's own line fails
    with Harness(page.trips.app, settings={"retry.max_attempts": 3}) as harness:

        async def until_paused(engine: SimulatedEngine) -> Any:
            trip = await engine.client.send(page.trips.book, "Rome")
            await asyncio.sleep(600)
            return await trip.describe()

        assert harness.run(until_paused(harness.engine))["status"] == "paused"
    assert not released


def test_a_clean_up_that_was_sent_is_not_interrupted(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = page.careful.release

    async def release(reference: str) -> None:
        await asyncio.sleep(10)
        quick(reference)

    monkeypatch.setattr(page.careful, "release", release)

    async def cancelled(engine: SimulatedEngine) -> None:
        seat = await engine.client.send(page.careful.hold, "Rome")
        await asyncio.sleep(1)
        await seat.cancel()
        with pytest.raises(TerminalError, match="cancelled"):
            await seat.attach()
        assert page.trips.booked
        with pytest.raises(HttpError, match="already completed"):
            await seat.cancel()
        await asyncio.sleep(11)
        assert not page.trips.booked

    with Harness(page.careful.app) as harness:
        harness.run(cancelled(harness.engine))


def test_a_seat_is_let_go_after_an_hour(page: SimpleNamespace) -> None:
    assert crash_everywhere(page.careful.app, handler=page.careful.hold, arg="Rome")
