"""A handler that blocks is named."""

import asyncio
import threading

import pytest

from perdure.worker.watchdog import Watchdog


def test_a_blocked_loop_is_told_once_with_its_place(capfd: pytest.CaptureFixture[str]) -> None:
    spoken = threading.Event()
    seen: list[str] = []

    async def block() -> None:
        Watchdog(asyncio.get_running_loop(), blocked_s=0.05, beat_s=0.01)
        for _ in range(500):
            # Blocks the loop on purpose, until the watchdog has spoken.
            if spoken.wait(0.02):
                break
            seen.append(capfd.readouterr().err)
            if "blocks its worker" in seen[-1]:
                spoken.set()

    asyncio.run(block())
    lines = "".join(seen).splitlines()
    assert len(lines) == 1
    assert "test_watchdog.py" in lines[0]
    assert "(block)" in lines[0]
