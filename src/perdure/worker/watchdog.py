"""Tells when a handler blocks its worker: nothing else on that worker goes on, and nobody sees why."""

import asyncio
import sys
import threading
from types import FrameType

BLOCKED_S = 5.0
"""A loop that did not turn for that long is blocked."""

_BEAT_S = 1.0


class Watchdog:
    """Looks at the event loop from a thread of its own. Starts at once; ends with the process."""

    def __init__(self, loop: asyncio.AbstractEventLoop, blocked_s: float = BLOCKED_S, beat_s: float = _BEAT_S) -> None:
        """Call on the loop's thread. blocked_s: when to speak up. beat_s: how often the loop shows that it turns."""
        self._loop = loop
        self._blocked_s = blocked_s
        self._beat_s = beat_s
        self._watched = threading.get_ident()
        self._turned = threading.Event()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while True:
            self._turned.clear()
            try:
                self._loop.call_soon_threadsafe(self._turned.set)
            except RuntimeError:
                return  # the loop is closed
            if not self._turned.wait(self._blocked_s):
                print(self._describe(), file=sys.stderr, flush=True)
                # One line for one block, however long it takes.
                self._turned.wait()
            pause.wait(self._beat_s)

    def _describe(self) -> str:
        frame = sys._current_frames().get(self._watched)
        place = f" in {where(frame)}" if frame is not None else ""
        return (
            f"perdure: a handler blocks its worker for {self._blocked_s:g} s already{place}. "
            "Nothing else runs there meanwhile: use async calls, or asyncio.to_thread."
        )


def where(frame: FrameType) -> str:
    """The innermost line that is the user's, as `file:line (function)`; else the innermost line of all."""
    found: FrameType | None = frame
    while found is not None:
        file = found.f_code.co_filename
        if "site-packages" not in file and not file.startswith(("<", sys.base_prefix)):
            return f"{file}:{found.f_lineno} ({found.f_code.co_name})"
        found = found.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} ({frame.f_code.co_name})"
