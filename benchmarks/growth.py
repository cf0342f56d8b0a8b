"""What grows with a journal and with a store: cost per step, throughput, start-up time, memory. Perdure alone."""

import json
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from compare import WORKLOADS, Timing, load, window
from contestants import SERVICES, Contestant, perdure
from fill import free_space_mib, multiply
from perdure.storage.sqlite.store import PARTITION_FILE
from processes import Failed

JOURNALS = (10, 100, 1000, 5000)
STORES = (0, 100_000, 1_000_000)
SUSPENDED = 100_000
STEPS_PER_ROUND = 5000
"""Each length is measured over as many steps, so that each has the same share of noise."""

SPACE_MIB = 4000
_APP = SERVICES / "bench_app.py"
_THREE_STEPS = next(workload for workload in WORKLOADS if workload.name == "3 steps")


@dataclass
class Growth:
    """journals: per length, wall and server's processor time per step in µs. stores: per number of completed
    invocations. suspended: start-up and memory."""

    journals: list[dict[str, Any]] = field(default_factory=list)
    stores: list[dict[str, Any]] = field(default_factory=list)
    suspended: dict[str, Any] = field(default_factory=dict)


Say = Callable[[str], None]


def measure_growth(folder: Path, quick: bool, timing: Timing, only: set[str], say: Say) -> Growth:
    result = Growth()
    if "journals" in only:
        result.journals = grow_journals(folder / "journals", 1 if quick else 2, say)
    if "stores" in only:
        result.stores = grow_stores(folder / "stores", STORES[:2] if quick else STORES, timing, say)
    if "suspended" in only:
        result.suspended = start_with_suspended(folder / "suspended", SUSPENDED, say)
    return result


def start(folder: Path) -> Contestant:
    one = perdure(folder, app=_APP)
    try:
        one.wait_until_healthy()
        one.wait_until_callable()
    except BaseException:
        one.stop()
        raise
    return one


# ---- journals ----


def grow_journals(folder: Path, rounds: int, say: Say) -> list[dict[str, Any]]:
    one = start(folder)
    measured: dict[int, list[dict[str, Any]]] = {length: [] for length in JOURNALS}
    try:
        load(one, "/Steps/run", "10", 1, "--count", "50", "--seconds", "60")
        for _ in range(rounds):
            for length in JOURNALS:
                count = max(1, STEPS_PER_ROUND // length)
                found = load(one, "/Steps/run", str(length), 1, "--count", str(count), "--seconds", "90")
                if found["errors"]:
                    raise Failed(f"an invocation of {length} steps failed: {found['errors']}")
                found["steps"] = count * length
                measured[length].append(found)
    finally:
        one.stop()
    result = []
    for length, windows in measured.items():
        row = {
            "steps": length,
            "wall_us": statistics.median(one["seconds"] / one["steps"] * 1e6 for one in windows),
            "server_us": statistics.median(one["cpu"]["server"] / one["steps"] * 1e6 for one in windows),
            "service_us": statistics.median(one["cpu"]["service"] / one["steps"] * 1e6 for one in windows),
        }
        say(
            "journal of {steps:5} steps: {wall_us:6.0f} µs a step,"
            " server {server_us:5.0f}, service {service_us:5.0f}".format(**row)
        )
        result.append(row)
    return result


# ---- stores ----


def grow_stores(folder: Path, sizes: tuple[int, ...], timing: Timing, say: Say) -> list[dict[str, Any]]:
    """Two servers at a time, the empty and the full one in turn, so that noise hits both."""
    if free_space_mib(folder.parent) < SPACE_MIB:
        raise Failed(f"the store of a million invocations needs {SPACE_MIB} MiB of free space in {folder.parent}")
    result = []
    for size in sizes:
        if size == 0:
            continue
        full = folder / str(size)
        file_mib, fill_seconds = _fill(full, _complete_one, "completed", size)
        empty_one = start(folder / f"empty-{size}")
        try:
            full_one, health_s, call_s = _restart(full)
        except BaseException:
            empty_one.stop()
            raise
        try:
            windows: dict[str, list[dict[str, Any]]] = {"empty": [], "full": []}
            for _ in range(timing.rounds):
                windows["empty"].append(window(empty_one, _THREE_STEPS, 64, timing))
                windows["full"].append(window(full_one, _THREE_STEPS, 64, timing))
            row = {"completed": size, "file_mib": file_mib, "fill_seconds": fill_seconds}
            row |= {"health_seconds": health_s, "first_call_seconds": call_s}
            row["memory_mib"] = full_one.memory()["server"]
            for name, found in windows.items():
                row[f"{name}_per_second"] = statistics.median(one["count"] / one["seconds"] for one in found)
                row[f"{name}_cpu"] = statistics.median(one["cpu"]["server"] / one["count"] * 1000 for one in found)
        finally:
            empty_one.stop()
            full_one.stop()
        shutil.rmtree(full)
        say(
            "{completed:8} completed: {full_per_second:5.0f}/s against {empty_per_second:5.0f}/s with an empty store,"
            " server {full_cpu:.3f} against {empty_cpu:.3f} s/1000, file {file_mib:.0f} MiB,"
            " filled in {fill_seconds:.0f} s".format(**row)
        )
        result.append(row)
    return result


def _complete_one(one: Contestant) -> None:
    one.call("/Steps/run", "3")


# ---- suspended ----


def start_with_suspended(folder: Path, count: int, say: Say) -> dict[str, Any]:
    empty = folder / "empty"
    started = time.perf_counter()
    fresh = start(empty)
    empty_seconds = time.perf_counter() - started
    empty_memory = fresh.memory()["server"]
    fresh.stop()
    file_mib, _ = _fill(folder / "full", suspend_one, "suspended", count)
    one, health_s, call_s = _restart(folder / "full")
    try:
        after_start = one.memory()["server"]
        window(one, _THREE_STEPS, 64, Timing(seconds=3, warmup=0.5))
        row = {
            "suspended": count,
            "file_mib": file_mib,
            "health_seconds": health_s,
            "first_call_seconds": call_s,
            "empty_first_call_seconds": empty_seconds,
            "memory_mib": after_start,
            "memory_after_load_mib": one.memory()["server"],
            "empty_memory_mib": empty_memory,
        }
    finally:
        one.stop()
    say(
        "{suspended} suspended: healthy after {health_seconds:.2f} s, first call after {first_call_seconds:.2f} s,"
        " server {memory_mib[0]:.0f} MiB, after load {memory_after_load_mib[0]:.0f} MiB".format(**row)
    )
    return row


def suspend_one(one: Contestant) -> None:
    """Sleeps a month; suspended as soon as the handler's short inactivity timeout is over."""
    answer = json.loads(one.call("/Sleeper/sleep/send", "30"))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if _status(one, answer["invocationId"]) == "suspended":
            return
        time.sleep(0.05)
    raise Failed("a sleeping invocation did not suspend within 30 s")


def _status(one: Contestant, invocation_id: str) -> str | None:
    """From the file, with a connection that only reads: this is what the copies are made from."""
    connection = apsw.Connection(str(one.folder / "data" / PARTITION_FILE), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        row = connection.execute("SELECT status FROM invocation WHERE id = ?", (invocation_id,)).fetchone()
        return None if row is None else str(row[0])
    finally:
        connection.close()


# ---- filling ----


def _fill(folder: Path, make_template: Callable[[Contestant], None], status: str, count: int) -> tuple[float, float]:
    """A data folder with `count` more of what `make_template` makes. Returns: MiB, seconds."""
    first = folder.parent / f"{folder.name}-template"
    one = start(first)
    try:
        make_template(one)
    finally:
        one.stop()
    folder.mkdir(parents=True)
    (first / "data").rename(folder / "data")
    started = time.perf_counter()
    size = multiply(folder / "data", status, count)
    return size, time.perf_counter() - started


def _restart(folder: Path) -> tuple[Contestant, float, float]:
    """A server on a filled data folder; seconds until healthy, and until the first call got through."""
    started = time.perf_counter()
    one = perdure(folder, app=_APP)
    try:
        one.wait_until_healthy()
        healthy = time.perf_counter() - started
        one.wait_until_callable()
    except BaseException:
        one.stop()
        raise
    return one, healthy, time.perf_counter() - started
