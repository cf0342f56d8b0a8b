"""The one door to the wall clock."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Tests and the simulator bring their own."""

    def now(self) -> int:
        """Milliseconds since the Unix epoch. May stand still or step back, as wall clocks do."""


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000
