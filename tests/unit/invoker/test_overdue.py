"""One timer serves all waits of one length."""

import asyncio
from collections.abc import Callable
from typing import cast

from perdure.invoker.overdue import Overdue


class Timer:
    def __init__(self, at: float, run: Callable[[], None]) -> None:
        self.at = at
        self.run = run
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Clockwork:
    """An event loop's time and timers."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, run: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.now + delay, run))
        return self.timers[-1]

    def pass_until(self, now: float) -> None:
        while True:
            due = [timer for timer in self.timers if timer.at <= now and not timer.cancelled]
            if not due:
                self.now = now
                return
            first = min(due, key=lambda timer: timer.at)
            self.timers.remove(first)
            self.now = first.at
            first.run()


def started(seconds: float) -> tuple[Clockwork, Overdue[str], list[str]]:
    clockwork, told = Clockwork(), list[str]()
    return clockwork, Overdue(cast(asyncio.AbstractEventLoop, clockwork), seconds, told.append), told


def test_each_is_told_at_its_own_time() -> None:
    clockwork, overdue, told = started(10)
    for at, item in ((0, "a"), (3, "b"), (3, "c"), (9, "d")):
        clockwork.pass_until(at)
        overdue.add(item)
    assert len(clockwork.timers) == 1
    clockwork.pass_until(9.9)
    assert told == []
    clockwork.pass_until(12)
    assert told == ["a"]
    clockwork.pass_until(13)
    assert told == ["a", "b", "c"]
    clockwork.pass_until(100)
    assert told == ["a", "b", "c", "d"]
    assert clockwork.timers == []


def test_what_went_away_is_not_told() -> None:
    clockwork, overdue, told = started(10)
    for item in ("a", "b"):
        overdue.add(item)
    overdue.discard("a")
    overdue.discard("nobody")
    clockwork.pass_until(20)
    assert told == ["b"]


def test_who_comes_again_begins_anew() -> None:
    clockwork, overdue, told = started(10)
    overdue.add("a")
    overdue.add("b")
    clockwork.pass_until(5)
    overdue.add("a")
    clockwork.pass_until(14)
    assert told == ["b"]
    clockwork.pass_until(15)
    assert told == ["b", "a"]


def test_after_the_end_nobody_is_told() -> None:
    clockwork, overdue, told = started(10)
    overdue.add("a")
    overdue.close()
    clockwork.pass_until(20)
    assert told == []
