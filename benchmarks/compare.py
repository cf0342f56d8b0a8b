"""The same services on the official server and on Perdure, side by side: short windows in turn, medians of each."""

import json
import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contestants import SERVICES, Contestant, EmbeddedContestant, find_reference, official, perdure
from processes import Failed

OFFICIAL = "official"
LINK = "Perdure, worker link"
HTTP2 = "Perdure, HTTP/2"
OWN = "Perdure, worker link, own SDK"
OWN_HTTP2 = "Perdure, HTTP/2, own SDK"
OWN_SERVER = "Perdure, own server, own SDK"
EMBEDDED = "Perdure, embedded, own SDK"


@dataclass(frozen=True)
class Workload:
    """What one call does. steps: durable steps in it."""

    name: str
    path: str
    body: str
    steps: int = 0


WORKLOADS = (
    Workload("echo", "/Echo/echo", '"x"'),
    Workload("3 steps", "/Steps/run", "3", steps=3),
    Workload("10 steps", "/Steps/run", "10", steps=10),
    # A key for each caller: what is measured is state, not waiting for a lock.
    Workload("counter", "/Counter/key-{caller}/add", "1"),
)
CALLERS = (1, 64)


@dataclass(frozen=True)
class Timing:
    """seconds: of one window. rounds: windows of each contestant, in turn.

    A window in which other programs took more than `foreign_max` of the machine is measured again, at most
    `retries` times, and the quietest counts.
    """

    seconds: float = 3.0
    warmup: float = 0.5
    rounds: int = 2
    foreign_max: float = 0.15
    retries: int = 2


@dataclass
class Sample:
    """Medians over the windows of one contestant. Times in ms, processor time in seconds per 1000 invocations.

    foreign: the share of the machine that other programs took.
    """

    contestant: str
    language: str
    workload: str
    steps: int
    callers: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu: dict[str, float]
    foreign: float
    errors: dict[str, int]
    windows: list[dict[str, Any]] = field(repr=False)


@dataclass
class Comparison:
    """samples: in order of measuring. memory: MiB now and at the peak, by set-up and process."""

    samples: list[Sample] = field(default_factory=list)
    memory: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)

    def find(self, language: str, contestant: str, workload: str, callers: int) -> Sample | None:
        wanted = (language, contestant, workload, callers)
        return next((s for s in self.samples if (s.language, s.contestant, s.workload, s.callers) == wanted), None)


def load(one: Contestant, path: str, body: str, callers: int, *arguments: str, limit: float = 120.0) -> dict[str, Any]:
    """Runs the load generator. limit: seconds after which it is given up. Raises: Failed."""
    command = [*one.load_command(), "--path", path, "--body", body, "--callers", str(callers), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=True)
    except subprocess.SubprocessError as error:
        output = str(getattr(error, "stderr", "") or error)
        raise Failed(f"{one.name}: the load on {path} did not end well: {output[-1500:]}") from None
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def window(one: Contestant, workload: Workload, callers: int, timing: Timing) -> dict[str, Any]:
    """The quietest of a few windows. Raises: Failed."""
    arguments = ("--seconds", str(timing.seconds), "--warmup", str(timing.warmup))
    quietest = load(one, workload.path, workload.body, callers, *arguments)
    for _ in range(timing.retries):
        if quietest["foreign"] <= timing.foreign_max:
            break
        again = load(one, workload.path, workload.body, callers, *arguments)
        quietest = min(quietest, again, key=lambda window: float(window["foreign"]))
    return quietest


@contextmanager
def running(language: str, folder: Path, say: Callable[[str], None]) -> Iterator[dict[str, Contestant]]:
    """All set-ups of a language, started and callable."""
    started: dict[str, Contestant] = {}
    try:
        program = find_reference()
        if program is None:
            say("skipped: the official server, because npm is missing or could not install it")
        else:
            started[OFFICIAL] = official(program, folder / "official")
        started[HTTP2] = perdure(folder / "http2")
        served = dict.fromkeys(started, language)
        if language == "python":
            started[LINK] = perdure(folder / "link", app=SERVICES / "bench_app.py")
            started[OWN_HTTP2] = perdure(folder / "own-http2")
            started[OWN_SERVER] = perdure(folder / "own-server")
            started[OWN] = perdure(folder / "own", app=SERVICES / "own_app.py")
            started[EMBEDDED] = EmbeddedContestant("Perdure", folder / "embedded")
            served |= {OWN_HTTP2: "own", OWN_SERVER: "own-server"}
        for name, services in served.items():
            started[name].wait_until_healthy()
            started[name].serve(services)
        for one in started.values():
            one.wait_until_callable()
        yield started
    finally:
        for one in started.values():
            one.stop()


def compare(
    language: str, folder: Path, timing: Timing, workloads: list[Workload], say: Callable[[str], None]
) -> Comparison:
    result = Comparison()
    with running(language, folder / language, say) as contestants:
        for workload in workloads:
            for callers in CALLERS:
                windows: dict[str, list[dict[str, Any]]] = {name: [] for name in contestants}
                for _ in range(timing.rounds):
                    for name, one in contestants.items():
                        windows[name].append(window(one, workload, callers, timing))
                for name, found in windows.items():
                    sample = summarize(name, language, workload, callers, found)
                    result.samples.append(sample)
                    say(
                        f"{language:10} {workload.name:9} {callers:3} callers  {name:28} {sample.per_second:7.0f}/s"
                        f"  p50 {sample.p50_ms:7.2f} ms  p99 {sample.p99_ms:7.2f} ms  server {sample.cpu['server']:.3f}"
                        f"  service {sample.cpu['service']:.3f}  load {sample.cpu['load']:.3f} s/1000"
                        f"  others {sample.foreign:.0%}" + (f"  ERRORS {sample.errors}" if sample.errors else "")
                    )
        for name, one in contestants.items():
            result.memory[f"{language}: {name}"] = one.memory() or _peak(result.samples, name)
    return result


def _peak(samples: list[Sample], contestant: str) -> dict[str, tuple[float, float]]:
    """Memory of a program that ended with each window."""
    peak = max(one["peak_mib"] for sample in samples if sample.contestant == contestant for one in sample.windows)
    return {"all": (peak, peak)}


def summarize(
    contestant: str, language: str, workload: Workload, callers: int, windows: list[dict[str, Any]]
) -> Sample:
    errors: dict[str, int] = {}
    for one in windows:
        for text, count in one["errors"].items():
            errors[text] = errors.get(text, 0) + count
    good = [one for one in windows if one["count"]]
    if not good:
        raise Failed(f"{contestant}: no call of {workload.name} succeeded: {errors}")
    return Sample(
        contestant=contestant,
        language=language,
        workload=workload.name,
        steps=workload.steps,
        callers=callers,
        per_second=statistics.median(one["count"] / one["seconds"] for one in good),
        p50_ms=statistics.median(one["p50"] * 1000 for one in good),
        p99_ms=statistics.median(one["p99"] * 1000 for one in good),
        cpu={
            name: statistics.median(one["cpu"][name] / one["count"] * 1000 for one in good) for name in good[0]["cpu"]
        },
        foreign=statistics.median(one["foreign"] for one in good),
        errors=errors,
        windows=windows,
    )
