"""Tests of handlers: an engine in virtual time, crashes, shuffles and replays, without a socket or a sleep."""

from perdure.testing.crashes import CrashFailed, CrashPoint, crash_everywhere
from perdure.testing.engine import SimulatedEngine
from perdure.testing.harness import Harness, simulated
from perdure.testing.journals import Journal, JournalItem, ReplayMismatch, assert_replays
from perdure.testing.official import HarnessEnvironment, create_test_harness
from perdure.testing.virtual_time import Stuck, VirtualClock, VirtualTimeLoop

__all__ = [
    "CrashFailed",
    "CrashPoint",
    "Harness",
    "HarnessEnvironment",
    "Journal",
    "JournalItem",
    "ReplayMismatch",
    "SimulatedEngine",
    "Stuck",
    "VirtualClock",
    "VirtualTimeLoop",
    "assert_replays",
    "crash_everywhere",
    "create_test_harness",
    "simulated",
]
