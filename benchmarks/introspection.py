"""Measures SQL introspection on a store of a million invocations with ten journal entries each.

What a query that reads everything costs the partition, and how long the queries of operators take. See README.md.

    .venv/bin/python benchmarks/introspection.py [--invocations N] [--rounds N] [--only throughput|latency] [--keep]
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import signal
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

import apsw

from compare import WORKLOADS, load
from contestants import SCRATCH, Contestant
from fill import multiply
from growth import start, suspend_one
from perdure.clock import SystemClock
from perdure.introspection.query import QueryEngine
from perdure.introspection.result import Shape
from perdure.model.invocation import OpenAttempt
from perdure.model.registry import Registry
from perdure.storage.sqlite.store import PARTITION_FILE
from processes import Failed, post

STEPS = 4
"""Makes ten entries: the input, a command and a completion for each step, the output, and … the result."""
SERVICES = 20
LIVE = 500
ECHO = WORKLOADS[0]

QUIET = 0.15
TRIES = 4
SCANS = {
    "none": None,
    "no index": "SELECT count(1), sum(raw_length) FROM sys_journal",
    "functions": (
        "SELECT count(1) FROM (SELECT name, entry_json FROM sys_journal LIMIT 300000)"
        " WHERE name = 'nope' OR entry_json LIKE '%nope%'"
    ),
}
"""What reads every journal entry in SQLite alone, and what calls Python functions for as many as fit into the time."""


# ---- the store ----


def make_store(folder: Path, count: int) -> None:
    """19 in 20 are completed, 1 in 20 is suspended; creation times differ by a millisecond."""
    one = start(folder)
    try:
        one.call("/Steps/run", str(STEPS))
        suspend_one(one)
    finally:
        one.stop()
    varied = {"service": f"'Service' || (n % {SERVICES})", "created_at": f"created_at + n - {count}"}
    for status, share in (("completed", 0.95), ("suspended", 0.05)):
        size = multiply(folder / "data", status, round(count * share), varied)
    entries = _file(folder).execute("SELECT count(1) FROM journal").get
    say(f"{count} invocations, {entries} journal entries, {size:.0f} MiB")


def _file(folder: Path, flags: int = apsw.SQLITE_OPEN_READWRITE) -> apsw.Connection:
    return apsw.Connection(str(folder / "data" / PARTITION_FILE), flags=flags)


# ---- what a scan costs the partition ----


class Scanner:
    """Asks the same query again and again, from a thread."""

    def __init__(self, one: Contestant, query: str) -> None:
        self._url = f"http://127.0.0.1:{one.admin}/query"
        self._body = json.dumps({"query": query}).encode()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Scanner":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                post(self._url, self._body, timeout=120)
            except (Failed, OSError):
                continue  # over its time; the next one goes on


def measure_throughput(folder: Path, rounds: int, seconds: float) -> None:
    """Windows without and with a scan, in turn. Pairs in which others disturbed are measured again, and the quietest
    count; the first kind of pair has no scan at all and shows what is left of the noise.
    """
    one = start(folder)
    try:
        window(one, seconds)
        pairs: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {name: [] for name in SCANS}
        for _ in range(rounds * TRIES):
            for name, query in SCANS.items():
                if sum(foreign(pair) <= QUIET for pair in pairs[name]) < rounds:
                    alone = window(one, seconds)
                    with Scanner(one, query) if query else contextlib.nullcontext():
                        pairs[name].append((alone, window(one, seconds)))
        for name, found in pairs.items():
            best = sorted(found, key=foreign)[:rounds]
            ratios = [scanned["rate"] / alone["rate"] for alone, scanned in best]
            rate, p99 = (statistics.median(alone[what] for alone, _ in best) for what in ("rate", "p99"))
            beside = statistics.median(scanned["p99"] for _, scanned in best)
            say(
                f"scan: {name:10} {rate:6.0f}/s alone, beside it {statistics.median(ratios):.2f} times as much"
                f" ({min(ratios):.2f} to {max(ratios):.2f}); p99 {p99 * 1000:.1f} and {beside * 1000:.1f} ms;"
                f" others at most {foreign(best[-1]):.0%} in {len(best)} of {len(found)} pairs"
            )
    finally:
        one.stop()


def foreign(pair: tuple[dict[str, Any], dict[str, Any]]) -> float:
    """The larger share of the machine that other programs took."""
    return max(float(window["foreign"]) for window in pair)


def window(one: Contestant, seconds: float) -> dict[str, Any]:
    found = load(one, ECHO.path, ECHO.body, 64, "--seconds", str(seconds), "--warmup", "1")
    return found | {"rate": found["count"] / found["seconds"]}


# ---- how long queries take ----


QUERIES = {
    "one by id, all columns": "SELECT * FROM sys_invocation WHERE id = '{id}'",
    "its journal": "SELECT * FROM sys_journal WHERE id = '{id}'",
    "newest 50": "SELECT * FROM sys_invocation ORDER BY created_at DESC LIMIT 50",
    "newest 50 not completed": (
        "SELECT * FROM sys_invocation WHERE status != 'completed' ORDER BY created_at DESC LIMIT 50"
    ),
    "newest 50 running": "SELECT * FROM sys_invocation WHERE status = 'running' ORDER BY created_at DESC LIMIT 50",
    "newest 50 suspended": "SELECT * FROM sys_invocation WHERE status = 'suspended' ORDER BY created_at DESC LIMIT 50",
    "newest 50 of a service": (
        "SELECT * FROM sys_invocation WHERE target_service_name = 'Service7' ORDER BY created_at DESC LIMIT 50"
    ),
    "live attempts": "SELECT id FROM sys_invocation_state WHERE in_flight IS TRUE LIMIT 250",
    "counts by status": "SELECT status, count(1) FROM sys_invocation GROUP BY status",
    "counts by status and service": (
        "SELECT target_service_name, status, count(1) FROM sys_invocation GROUP BY target_service_name, status"
    ),
    "overview's counts": (
        "SELECT ss.target_service_name AS service_name, CASE WHEN ss.status = 'invoked' AND sis.in_flight IS TRUE"
        " THEN 'running' WHEN ss.status = 'invoked' AND sis.retry_count > 0 THEN 'backing-off' ELSE ss.status END"
        " AS bucket, COUNT(1) AS count FROM sys_invocation_status ss LEFT JOIN sys_invocation_state sis"
        " ON sis.id = ss.id GROUP BY ss.target_service_name, bucket"
    ),
}


def measure_latency(folder: Path, rounds: int) -> None:
    """Over the file itself, with attempts that are live in name only. The best of the rounds: caches are warm."""
    connection = _file(folder)
    connection.execute(
        "UPDATE invocation SET status = 'invoked', retry_count = 1, last_start_at = created_at"
        " WHERE number IN (SELECT number FROM invocation WHERE status = 'suspended' LIMIT ?)",
        (LIVE,),
    )
    live = {row[0] for row in connection.execute("SELECT number FROM invocation WHERE status = 'invoked'")}
    identifier = connection.execute("SELECT id FROM invocation LIMIT 1 OFFSET 5000").get
    connection.close()
    attempts = {number: OpenAttempt("dp_1536mVBfRpdy4D3ecgA6fQt", "sdk/1.0", None) for number in live}

    async def run() -> None:
        engine = QueryEngine(
            folder / "data" / PARTITION_FILE,
            lambda: Registry({}, {}, {}),
            attempts.keys,
            SystemClock(),
            server_version="1.7.12",
            attempt=attempts.get,
        )
        try:
            for name, query in QUERIES.items():
                times = []
                for _ in range(rounds):
                    started = time.perf_counter()
                    await engine.query(query.format(id=identifier), Shape.JSON)
                    times.append((time.perf_counter() - started) * 1000)
                say(f"{name:30} {min(times):8.1f} ms, median {statistics.median(times):8.1f}, first {times[0]:8.1f}")
        finally:
            await engine.close()

    asyncio.run(run())


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures SQL introspection.")
    parser.add_argument("--invocations", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of a window")
    parser.add_argument("--only", choices=["throughput", "latency"])
    parser.add_argument("--keep", action="store_true", help="keeps the store, and uses one that was kept")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    folder = SCRATCH / "introspection"
    try:
        if not (folder / "data").is_dir():
            make_store(folder, options.invocations)
        # The second changes the file in a way that no server would.
        if options.only != "latency":
            measure_throughput(folder, options.rounds, options.seconds)
        if options.only != "throughput":
            measure_latency(folder, options.rounds)
    except (Failed, OSError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
