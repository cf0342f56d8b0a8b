"""What the numbers were measured on."""

import os
import platform
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

_SYNCS = 200


def describe(folder: Path) -> dict[str, Any]:
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "fdatasync_us": sync_time_us(folder),
        "packages": {name: version(name) for name in ("apsw", "hypercorn", "jh2", "protobuf", "restate-sdk", "uvloop")},
    }


def sync_time_us(folder: Path) -> float:
    """Median time of appending 4 KiB and making it durable, where the servers keep their data."""
    page = os.urandom(4096)
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            started = time.perf_counter()
            os.write(file.fileno(), page)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started)
    return round(statistics.median(times) * 1e6, 1)


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or sys.platform
