"""Writes a run down: RESULTS.md for people, results.json beside it with every window."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compare import OFFICIAL, Comparison, Sample
from growth import Growth
from own_sdk import OwnSdk
from targets import judge


def write(
    out: Path,
    command: str,
    date: str,
    machine: dict[str, Any],
    comparison: Comparison,
    growth: Growth,
    own: OwnSdk,
) -> None:
    verdicts = judge(comparison, growth, own, machine["fdatasync_us"], machine["resync_us"])
    raw = {
        "command": command,
        "date": date,
        "machine": machine,
        "targets": [asdict(verdict) for verdict in verdicts],
        "comparison": asdict(comparison),
        "growth": asdict(growth),
        "own_sdk": asdict(own),
    }
    out.with_name("results.json").write_text(json.dumps(raw, indent=1) + "\n", "utf-8")
    parts = [
        "# Results",
        f"`{command}` on {date}; [how to read this](README.md), every window in [results.json](results.json).",
        _machine(machine),
    ]
    if verdicts:
        rows = ([v.target, v.wanted, v.found, "pass" if v.passed else "**FAIL**"] for v in verdicts)
        parts += ["## Targets", _table(["target", "wanted", "worst, and all", ""], rows)]
    if comparison.samples:
        parts += _comparison(comparison)
    parts += _growth(growth)
    out.write_text("\n\n".join(parts) + "\n", "utf-8")


def _machine(machine: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{machine['cpu']}, {machine['cores']} cores, kernel {machine['kernel']}, Python {machine['python']};"
        f" fdatasync of 4 KiB {machine['fdatasync_us']:.0f} µs at the end of a file,"
        f" {machine['resync_us']:.0f} µs within (medians); load average before the run {machine['load_average']}."
        f" {packages}."
    )


def _comparison(comparison: Comparison) -> list[str]:
    parts = ["## Against the official server"]
    languages = dict.fromkeys(sample.language for sample in comparison.samples)
    for language in languages:
        rows = [_row(sample, comparison) for sample in comparison.samples if sample.language == language]
        header = ["call", "callers", "server", "invocations/s", "steps/s", "×", "p50 ms", "×", "p99 ms", "×"]
        header += ["server CPU", "×", "service CPU", "load CPU", "others"]
        parts += [f"### {language.capitalize()} SDK", _table(header, rows)]
        failures = [f"* {s.contestant}, {s.workload}: {s.errors}" for s in comparison.samples if s.errors]
        if failures:
            parts.append("Calls that failed:\n" + "\n".join(failures))
    rows_of_memory = (
        [place, process, f"{now:.0f}", f"{peak:.0f}"]
        for place, processes in comparison.memory.items()
        for process, (now, peak) in processes.items()
    )
    parts += [
        "### Memory",
        "After all the calls above.",
        _table(["", "process", "VmRSS MiB", "VmHWM MiB"], rows_of_memory),
    ]
    return parts


def _row(sample: Sample, comparison: Comparison) -> list[str]:
    base = comparison.find(sample.language, OFFICIAL, sample.workload, sample.callers)

    def ratio(own: float, its: float | None) -> str:
        return "" if base is None or base is sample or not its else f"{own / its:.2f}"

    steps = f"{sample.per_second * sample.steps:.0f}" if sample.steps else ""
    return [
        sample.workload,
        str(sample.callers),
        sample.contestant,
        f"{sample.per_second:.0f}",
        steps,
        ratio(sample.per_second, base and base.per_second),
        f"{sample.p50_ms:.2f}",
        ratio(sample.p50_ms, base and base.p50_ms),
        f"{sample.p99_ms:.2f}",
        ratio(sample.p99_ms, base and base.p99_ms),
        f"{sample.cpu['server']:.3f}",
        ratio(sample.cpu["server"], base and base.cpu["server"]),
        f"{sample.cpu['service']:.3f}",
        f"{sample.cpu['load']:.3f}",
        f"{sample.foreign:.0%}",
    ]


def _growth(growth: Growth) -> list[str]:
    parts = ["## Growth"] if growth.journals or growth.stores or growth.suspended else []
    if growth.journals:
        rows = (
            [str(r["steps"]), f"{r['wall_us']:.0f}", f"{r['server_us']:.0f}", f"{r['service_us']:.0f}"]
            for r in growth.journals
        )
        header = ["steps in one invocation", "wall µs/step", "server CPU µs/step", "service CPU µs/step"]
        parts += ["### With the journal", "Worker link, one caller.", _table(header, rows)]
    if growth.stores:
        rows = (
            [
                str(r["completed"]),
                f"{r['full_per_second']:.0f}",
                f"{r['empty_per_second']:.0f}",
                f"{r['full_cpu']:.3f}",
                f"{r['empty_cpu']:.3f}",
                f"{r['file_mib']:.0f}",
                f"{r['first_call_seconds']:.2f}",
                f"{r['memory_mib'][0]:.0f}",
            ]
            for r in growth.stores
        )
        header = ["completed in the store", "3 steps, invocations/s", "with an empty store", "server CPU"]
        header += ["with an empty store", "file MiB", "first call after s", "VmRSS MiB"]
        parts += [
            "### With the store",
            "Worker link, 64 callers; the empty and the full store in turn.",
            _table(header, rows),
        ]
    if growth.suspended:
        parts += ["### With suspended invocations", _suspended(growth.suspended)]
    return parts


def _suspended(row: dict[str, Any]) -> str:
    return (
        f"With {row['suspended']} sleeping invocations in the store ({row['file_mib']:.0f} MiB) the server was healthy"
        f" after {row['health_seconds']:.2f} s and answered its first call after {row['first_call_seconds']:.2f} s"
        f" (with an empty store: {row['empty_first_call_seconds']:.2f} s). It held {row['memory_mib'][0]:.0f} MiB,"
        f" {row['memory_mib'][1]:.0f} at the peak, and {row['memory_after_load_mib'][0]:.0f} after three seconds of"
        f" 64 callers; with an empty store {row['empty_memory_mib'][0]:.0f}."
    )


def _table(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
