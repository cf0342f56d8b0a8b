"""What handlers of the interop suite do outside of their journal, for a test to see.

Each tag is a file in the folder `PERDURE_INTEROP_DIR`, with a line for everything that was really executed.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path


def record(tag: str, line: str) -> int:
    """Writes one line. Returns how often this line is there now."""
    path = Path(os.environ["PERDURE_INTEROP_DIR"]) / tag
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    return path.read_text(encoding="utf-8").splitlines().count(line)


def recorder(tag: str, line: str) -> Callable[[], None]:
    """An action for `run` that writes one line."""

    def write() -> None:
        record(tag, line)

    return write


async def released(tag: str) -> None:
    """Waits, outside of the journal, until the test has released the tag; at most 20 s."""
    gate = Path(os.environ["PERDURE_INTEROP_DIR"]) / f"{tag}.released"
    for _ in range(2000):
        if gate.exists():
            return
        await asyncio.sleep(0.01)
