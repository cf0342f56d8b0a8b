"""Measures Perdure: beside the official server, and as journals and stores grow. See README.md.

`make bench`, or  .venv/bin/python benchmarks/run.py [--quick] [--only NAME ...] [--out FILE]
"""

import argparse
import datetime
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import machine
import report
from compare import WORKLOADS, Comparison, Timing, compare
from contestants import ROOT, SCRATCH, TYPESCRIPT, program
from growth import Growth, measure_growth
from own_sdk import OwnSdk, measure_own_sdk
from processes import Failed

LANGUAGES = ("python", "typescript")
GROWTH = ("journals", "stores", "suspended")
SDK = "sdk"
ALL = tuple(workload.name for workload in WORKLOADS)


def main() -> int:
    options = _options()
    # Also when it is asked to end, nothing that was started stays behind.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    SCRATCH.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=SCRATCH))
    timing = Timing(seconds=1.5) if options.quick else Timing(options.seconds, rounds=options.rounds)
    only = set(options.only or (*LANGUAGES, *GROWTH, SDK))
    workloads = [workload for workload in WORKLOADS if workload.name in (options.workload or ALL)]
    started = time.monotonic()
    comparison, growth, own = Comparison(), Growth(), OwnSdk()
    try:
        facts = machine.describe(folder)
        for language in LANGUAGES:
            if language in only and _can_run(language):
                found = compare(language, folder, timing, workloads, _say)
                comparison.samples += found.samples
                comparison.memory |= found.memory
        if SDK in only:
            own = measure_own_sdk(_say)
        growth = measure_growth(folder, options.quick, timing, only, _say)
    except Failed as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    command = " ".join(["benchmarks/run.py", *sys.argv[1:]])
    report.write(options.out, command, date, facts, comparison, growth, own)
    _say(f"{options.out} written, {time.monotonic() - started:.0f} s")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures Perdure, also beside the official server.")
    parser.add_argument("--quick", action="store_true", help="short windows, no store of a million")
    parser.add_argument(
        "--only", action="append", choices=[*LANGUAGES, *GROWTH, SDK], help="may be given several times"
    )
    parser.add_argument("--workload", action="append", choices=ALL, help="of the comparison; several times")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "RESULTS.md")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a window")
    parser.add_argument("--rounds", type=int, default=2, help="windows of each server for each case, in turn")
    return parser.parse_args()


def _can_run(language: str) -> bool:
    if language == "python" or (program("node") and (TYPESCRIPT / "node_modules" / "@restatedev").is_dir()):
        return True
    _say("skipped: the TypeScript SDK, because node or its packages are missing; see `make setup`")
    return False


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
