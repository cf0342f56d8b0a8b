"""What is kept of the changes: the newest of each row, in order, and no more than fits."""

from typing import Any

from perdure.events.log import ChangeLog


def told(log: ChangeLog, after: int) -> list[tuple[str, str, int]]:
    return [(change.kind, change.subject, change.sequence) for change in log.after(after)]


def row(log: ChangeLog, id: str) -> None:
    log.append("invocation", id, {"invocation": {"id": id}}, {"id": id}, newest_only=True)


def test_of_a_row_only_the_newest_is_told_and_of_a_journal_everything() -> None:
    log = ChangeLog()
    row(log, "a")
    log.append("journal", "a", {"entry": {"index": 1}})
    row(log, "b")
    row(log, "a")
    log.append("journal", "a", {"entry": {"index": 2}})
    assert told(log, 0) == [("journal", "a", 2), ("invocation", "b", 3), ("invocation", "a", 4), ("journal", "a", 5)]
    assert told(log, 4) == [("journal", "a", 5)]
    assert told(log, 5) == []


def test_a_row_that_is_gone_and_comes_again_is_one_thing() -> None:
    log = ChangeLog()
    row(log, "a")
    log.append("gone", "a", {"id": "a"}, newest_only=True)
    assert told(log, 0) == [("gone", "a", 2)]
    row(log, "a")
    assert told(log, 0) == [("invocation", "a", 3)]


def test_it_forgets_the_oldest_when_there_are_too_many() -> None:
    log = ChangeLog(kept=3)
    for id in "abcde":
        row(log, id)
    assert (log.forgotten, log.last) == (2, 5)
    assert [id for _, id, _ in told(log, 2)] == ["c", "d", "e"]


def test_it_forgets_the_oldest_when_they_are_too_large() -> None:
    log = ChangeLog(kept_bytes=1000)
    entry: dict[str, Any] = {"entry": {"text": "x" * 400}}
    for _ in range(3):
        log.append("journal", "a", entry)
    assert log.forgotten == 1
    log.append("journal", "a", {"entry": {"text": "x" * 2000}})
    assert (log.forgotten, log.last) == (4, 4)


def test_forgetting_everything_leaves_a_gap_that_nobody_can_miss() -> None:
    log = ChangeLog()
    row(log, "a")
    log.forget()
    assert log.forgotten > 1
    assert told(log, log.last) == []
