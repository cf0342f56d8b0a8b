"""What our own SDK costs by itself: replaying a long journal, and being imported. Each in processes of its own."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contestants import SERVICES

REPLAYED_ENTRIES = 5000
_ROUNDS = 7

_IMPORT = """
import json, resource, time
started = time.perf_counter()
import perdure
perdure.Service, perdure.Context, perdure.app
print(json.dumps({"ms": (time.perf_counter() - started) * 1000,
                  "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


@dataclass
class OwnSdk:
    """Medians. replay_ms: of a journal with `REPLAYED_ENTRIES`, from its first byte to the handler's next command.
    import_ms, import_mib: of a program that defines handlers; the memory is that of the whole process."""

    replay_ms: float | None = None
    import_ms: float | None = None
    import_mib: float | None = None


def measure_own_sdk(say: Callable[[str], None]) -> OwnSdk:
    replays = [_told(str(SERVICES / "replay.py"), str(REPLAYED_ENTRIES)) for _ in range(_ROUNDS)]
    imports = [_told("-c", _IMPORT) for _ in range(_ROUNDS)]
    found = OwnSdk(
        replay_ms=statistics.median(one["ms"] for one in replays),
        import_ms=statistics.median(one["ms"] for one in imports),
        import_mib=statistics.median(one["mib"] for one in imports),
    )
    say(
        f"own SDK: replay of {REPLAYED_ENTRIES} entries {found.replay_ms:.0f} ms,"
        f" import {found.import_ms:.0f} ms and {found.import_mib:.0f} MiB"
    )
    return found


def _told(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told
