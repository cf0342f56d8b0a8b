"""What docs/howto/fan-out.md says of its programs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from perdure import TerminalError
from perdure.testing import Harness, SimulatedEngine, crash_everywhere
from support.documents import HOWTO, programs

SLOW = {"a": 10, "b": 20, "c": 30, "unicorns": 5}
"""Seconds that a source takes."""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    with programs(HOWTO / "fan-out.md", tmp_path) as found:
        quick = found.research.ask_source

        async def ask_source(question: str) -> str:
            await asyncio.sleep(SLOW[question])
            answer: str = await quick(question)
            return answer

        monkeypatch.setattr(found.research, "ask_source", ask_source)
        yield found


async def ends(engine: SimulatedEngine) -> dict[str, str]:
    """How the searches ended, by question."""
    await asyncio.sleep(60)
    found = {}
    for row in await engine.client.invocations(service="Sources"):
        journal = await engine.journal(row["id"])
        question = next(each for each in SLOW if f'"{each}"'.encode() in journal.items[0].raw)
        found[question] = row["completion_result"]
    return found


def ask(page: SimpleNamespace, handler: str, *questions: str) -> tuple[Any, float, dict[str, str]]:
    """What the handler gives, the seconds that it takes, and how the searches ended."""

    async def asked(engine: SimulatedEngine) -> tuple[Any, float, dict[str, str]]:
        clock = asyncio.get_running_loop()
        began = clock.time()
        try:
            result = await engine.client.call(getattr(page.research, handler), list(questions))
        except TerminalError as failure:
            result = failure
        took = clock.time() - began
        return result, round(took), await ends(engine)

    with Harness(page.research.app) as harness:
        return harness.run(asked(harness.engine))


def test_all_at_once(page: SimpleNamespace) -> None:
    result, took, _ = ask(page, "all_of_them", "a", "b", "c")
    assert (result, took) == (["about a", "about b", "about c"], 30)


def test_the_first_failure_ends_it_and_cancels_the_others(page: SimpleNamespace) -> None:
    result, took, ended = ask(page, "all_of_them", "a", "unicorns", "b")
    assert (result.status_code, took) == (404, 5)
    assert ended == {"a": "failure", "b": "failure", "unicorns": "failure"}


def test_what_there_is(page: SimpleNamespace) -> None:
    result, took, _ = ask(page, "what_there_is", "a", "unicorns", "b")
    assert (result, took) == ({"a": "about a", "b": "about b"}, 20)


def test_the_quickest_good_answer(page: SimpleNamespace) -> None:
    result, took, ended = ask(page, "the_quickest", "c", "unicorns", "a")
    assert (result, took) == ("about a", 10)
    assert ended == {"a": "success", "c": "failure", "unicorns": "failure"}


@pytest.mark.parametrize("always_replay", [False, True])
def test_a_deadline(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, always_replay: bool) -> None:
    monkeypatch.setitem(SLOW, "c", 3600)

    async def within(engine: SimulatedEngine) -> None:
        questions = {"questions": ["c", "b", "unicorns", "a"], "minutes": 2}
        clock = asyncio.get_running_loop()
        began = clock.time()
        assert await engine.client.call(page.deadline.within, questions) == ["about a", "about b"]
        assert round(clock.time() - began) == 120
        if not always_replay:  # which lets no step hear of a cancellation
            assert (await ends(engine))["c"] == "failure"

    settings = {"timeouts.inactivity": "1 day"}
    with Harness(page.deadline.app, always_replay=always_replay, settings=settings) as harness:
        harness.run(within(harness.engine))


def test_batches(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: list[int] = [0]

    async def ask_source(question: str) -> str:
        at_once.append(at_once[-1] + 1)
        await asyncio.sleep(1)
        at_once.append(at_once[-1] - 1)
        return f"about {question}"

    monkeypatch.setattr(page.research, "ask_source", ask_source)
    questions = [str(number) for number in range(450)]
    with Harness(page.batches.app) as harness:
        answers = harness.run(harness.client.call(page.batches.everything, questions))
    assert answers == [f"about {question}" for question in questions]
    assert max(at_once) == 200


def test_tasks_four_at_a_time(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = page.reports.model
    active: list[int] = [0]

    async def model(text: str) -> str:
        active.append(active[-1] + 1)
        result: str = await quick(text)
        active.append(active[-1] - 1)
        return result

    monkeypatch.setattr(page.reports, "model", model)
    topics = [f"t{number}" for number in range(9)]
    with Harness(page.reports.app) as harness:
        assert harness.run(harness.client.call(page.reports.write, topics)) == [f"(({topic}))" for topic in topics]
    assert max(active) == 4


def test_tasks_replay_after_every_crash(page: SimpleNamespace) -> None:
    assert crash_everywhere(page.reports.app, handler=page.reports.write, arg=["a", "b"], at_once=2)


def test_one_task_that_fails_ends_the_others(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    async def model(text: str) -> str:
        if text == "bad":
            raise TerminalError("no report on that", status_code=404)
        await asyncio.sleep(60)
        return text

    monkeypatch.setattr(page.reports, "model", model)
    with Harness(page.reports.app) as harness, pytest.raises(TerminalError, match="no report on that"):
        harness.run(harness.client.call(page.reports.write, ["good", "bad"]))


def test_a_cancel_reaches_the_calls(page: SimpleNamespace) -> None:
    async def cancelled(engine: SimulatedEngine) -> None:
        sent = await engine.client.send(page.research.what_there_is, ["a", "b"])
        await asyncio.sleep(15)
        await sent.cancel()
        with pytest.raises(TerminalError, match="cancelled"):
            await sent.attach()
        assert await ends(engine) == {"a": "success", "b": "failure"}

    with Harness(page.research.app) as harness:
        harness.run(cancelled(harness.engine))
