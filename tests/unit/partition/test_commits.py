"""Where commits are done: in place on a quick disk, on a thread on a slow one."""

import asyncio
import threading
import time

import pytest

from perdure.partition.commits import LOOKS_AGAIN_AFTER, Commits

QUICK_MAX_S = 0.02
WAIT_S = 2 * QUICK_MAX_S


class Disk:
    """Makes commits wait, and knows where they were done."""

    def __init__(self) -> None:
        self.wait_s = 0.0
        self.in_place: list[bool] = []

    def commit(self) -> None:
        self.in_place.append(threading.current_thread() is threading.main_thread())
        time.sleep(self.wait_s)

    def took_turns(self, count: int) -> list[bool]:
        """Where the last so many were done."""
        return self.in_place[-count:]


def commit(commits: Commits, disk: Disk, count: int) -> None:
    async def run() -> None:
        for _ in range(count):
            await commits.run(disk.commit)

    asyncio.run(run())


def become_slow(commits: Commits, disk: Disk) -> None:
    disk.wait_s = WAIT_S
    while commits.are_quick:
        commit(commits, disk, 1)


def test_a_quick_disk_is_waited_for_in_place() -> None:
    disk, commits = Disk(), Commits(quick_max_s=QUICK_MAX_S)
    commit(commits, disk, 20)
    assert commits.are_quick
    assert all(disk.in_place)
    commits.close()


def test_work_is_no_waiting() -> None:
    def work() -> None:
        until = time.thread_time() + 2 * QUICK_MAX_S
        while time.thread_time() < until:
            pass

    # A machine that is busy with others adds waits of its own, but never so long ones.
    commits = Commits(quick_max_s=10 * QUICK_MAX_S)
    for _ in range(10):
        asyncio.run(commits.run(work))
    assert commits.are_quick
    commits.close()


def test_one_long_wait_does_not_make_a_disk_slow() -> None:
    disk, commits = Disk(), Commits(quick_max_s=QUICK_MAX_S)
    disk.wait_s = 20 * QUICK_MAX_S
    commit(commits, disk, 1)
    assert commits.are_quick
    commits.close()


def test_a_slow_disk_is_waited_for_on_a_thread_and_looked_at_now_and_then() -> None:
    disk, commits = Disk(), Commits(quick_max_s=QUICK_MAX_S)
    become_slow(commits, disk)
    commit(commits, disk, LOOKS_AGAIN_AFTER + 1)
    assert disk.took_turns(LOOKS_AGAIN_AFTER + 1) == [False] * LOOKS_AGAIN_AFTER + [True]
    commits.close()


def test_a_disk_that_has_become_quick_again_is_waited_for_in_place() -> None:
    disk, commits = Disk(), Commits(quick_max_s=QUICK_MAX_S)
    become_slow(commits, disk)
    disk.wait_s = 0.0
    # The average forgets, but only what it sees in place.
    commit(commits, disk, 40 * LOOKS_AGAIN_AFTER)
    assert commits.are_quick
    commits.close()


def test_virtual_time_takes_every_disk_for_a_quick_one() -> None:
    disk, commits = Disk(), Commits(measured=False, quick_max_s=QUICK_MAX_S)
    disk.wait_s = WAIT_S
    commit(commits, disk, 6)
    assert all(disk.in_place)
    commits.close()


@pytest.mark.parametrize("slow", [False, True])
def test_a_failing_commit_is_told(slow: bool) -> None:
    def fail() -> None:
        raise OSError("no space")

    disk, commits = Disk(), Commits(quick_max_s=QUICK_MAX_S)
    if slow:
        become_slow(commits, disk)
    with pytest.raises(OSError, match="no space"):
        asyncio.run(commits.run(fail))
    commits.close()
