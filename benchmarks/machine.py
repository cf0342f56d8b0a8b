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
        # Interpreters of one version differ by a quarter, by how they were compiled.
        "python": f"{platform.python_version()} of {platform.python_build()[1]}, {platform.python_compiler()}",
        "fdatasync_us": sync_time_us(folder),
        "resync_us": sync_time_us(folder, again=True),
        "packages": {name: version(name) for name in ("apsw", "hypercorn", "jh2", "protobuf", "restate-sdk", "uvloop")},
    }


def sync_time_us(folder: Path, *, again: bool = False) -> float:
    """Median time of writing 4 KiB and making it durable, where the servers keep their data.

    again: over what is there already, as a log is written that is in use for a while; otherwise at the end.
    """
    page = os.urandom(4096)
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        if again:
            os.write(file.fileno(), page * _SYNCS)
            os.fsync(file.fileno())
            os.lseek(file.fileno(), 0, os.SEEK_SET)
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
