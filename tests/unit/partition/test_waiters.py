"""Who waits is told once, by whatever comes first, and leaves nothing behind."""

from typing import Any

import pytest

from perdure.model.actions import Accepted, Finished
from perdure.model.invocation import Success
from perdure.partition.waiters import Waiters

DONE = Finished("inv_a", Success(b"1"), None)


class Told:
    """Keeps what it was told; `tired`: does not want to hear."""

    def __init__(self, tired: bool = False) -> None:
        self.answers: list[Any] = []
        self.tired = tired

    def done(self) -> bool:
        return self.tired or bool(self.answers)

    def set_result(self, answer: Any, /) -> None:
        self.answers.append(answer)

    def set_exception(self, error: Exception, /) -> None:
        self.answers.append(error)


@pytest.fixture
def waiters() -> Waiters:
    return Waiters()


def caller(waiters: Waiters, invocation_id: str | None, told: Told) -> int:
    token = waiters.new_token()
    waiters.expect_reply(token, told, invocation_id)
    return token


def test_a_reply_goes_to_its_token_alone(waiters: Waiters) -> None:
    first, second = Told(), Told()
    caller(waiters, None, first)
    token = caller(waiters, None, second)
    answer = Accepted("inv_a", True, None)
    waiters.reply(token, answer)
    waiters.reply(token, answer)
    assert (first.answers, second.answers) == ([], [answer])


def test_an_outcome_goes_to_all_who_wait_for_it_once(waiters: Waiters) -> None:
    told = [Told() for _ in range(3)]
    tokens = [caller(waiters, "inv_a", one) for one in told]
    waiters.expect_outcome(waiters.new_token(), attached := Told(), "inv_a")
    other = Told()
    caller(waiters, "inv_b", other)
    waiters.outcome(DONE)
    waiters.outcome(DONE)
    waiters.reply(tokens[0], DONE)
    assert [one.answers for one in (*told, attached, other)] == [[DONE]] * 4 + [[]]


def test_a_reply_to_a_call_ends_its_wait_for_the_outcome(waiters: Waiters) -> None:
    told = Told()
    waiters.reply(caller(waiters, "inv_a", told), DONE)
    waiters.outcome(DONE)
    assert told.answers == [DONE]


def test_who_is_forgotten_hears_nothing_and_the_others_do(waiters: Waiters) -> None:
    left, stays = Told(), Told()
    token = caller(waiters, "inv_a", left)
    caller(waiters, "inv_a", stays)
    waiters.forget(token, "inv_a")
    waiters.forget(token, "inv_a")
    waiters.reply(token, DONE)
    waiters.outcome(DONE)
    assert (left.answers, stays.answers) == ([], [DONE])


def test_who_does_not_want_to_hear_is_left_alone(waiters: Waiters) -> None:
    told = Told(tired=True)
    error = RuntimeError()
    waiters.reply(caller(waiters, None, told), DONE)
    waiters.fail(caller(waiters, None, told), error)
    caller(waiters, "inv_a", told)
    waiters.outcome(DONE)
    caller(waiters, "inv_a", told)
    waiters.fail_all(error)
    assert told.answers == []


def test_when_all_fail_each_is_told_once(waiters: Waiters) -> None:
    asks, calls, attached = Told(), Told(), Told()
    caller(waiters, None, asks)
    caller(waiters, "inv_a", calls)
    waiters.expect_outcome(waiters.new_token(), attached, "inv_a")
    error = RuntimeError()
    waiters.fail_all(error)
    waiters.fail_all(error)
    waiters.outcome(DONE)
    assert [one.answers for one in (asks, calls, attached)] == [[error]] * 3


def test_one_that_fails_leaves_the_others_waiting(waiters: Waiters) -> None:
    failed, waits = Told(), Told()
    token = caller(waiters, "inv_a", failed)
    caller(waiters, "inv_a", waits)
    error = RuntimeError()
    waiters.fail(token, error)
    waiters.outcome(DONE)
    assert (failed.answers, waits.answers) == ([error], [DONE])
