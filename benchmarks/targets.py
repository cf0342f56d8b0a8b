"""What Perdure promises about its cost, and whether a run kept it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from compare import EMBEDDED, HTTP2, LINK, OFFICIAL, OWN, OWN_HTTP2, OWN_SERVER, Comparison, Sample
from growth import Growth
from own_sdk import REPLAYED_ENTRIES, OwnSdk

LINK_THROUGHPUT_MIN = 4.0
OWN_STEPS_MIN = 10.0
OWN_OVER_OFFICIAL_SDK_MIN = 2.0
HTTP2_THROUGHPUT_MIN = 1.5
P50_MAX = 1 / 3
SERVER_CPU_MAX = 1 / 2
GROWTH_MAX = 1.5
SUSPENDED_MEMORY_MIB_MAX = 300.0
STEP_OVER_SYNC_MAX = 4.0
REPLAY_MS_MAX = 150.0
IMPORT_MS_MAX = 120.0
IMPORT_MIB_MAX = 40.0
MANY = 64


@dataclass(frozen=True)
class Verdict:
    """found: the worst ratio or value, and where it was seen."""

    target: str
    wanted: str
    found: str
    passed: bool


def judge(comparison: Comparison, growth: Growth, own: OwnSdk, fdatasync_us: float, resync_us: float) -> list[Verdict]:
    """Targets whose numbers were not measured are left out.

    fdatasync_us, resync_us: medians of one on the same disk, at the end of a file and within.
    """
    verdicts = [*_throughput(comparison), *_own_sdk(comparison), *_step(comparison, fdatasync_us), *_alone(own)]
    verdicts += [*_latency(comparison, resync_us), *_processor(comparison)]
    return [*verdicts, *_journals(growth), *_stores(growth), *_suspended(growth)]


def pairs(comparison: Comparison, language: str, name: str, callers: int) -> Iterator[tuple[Sample, Sample]]:
    """Perdure's and the official server's sample of each workload."""
    for sample in comparison.samples:
        if (sample.language, sample.contestant, sample.callers) == (language, name, callers):
            other = comparison.find(language, OFFICIAL, sample.workload, callers)
            if other is not None:
                yield sample, other


def _throughput(comparison: Comparison) -> Iterator[Verdict]:
    rows = (
        ("python", LINK, "Worker link, Python SDK", LINK_THROUGHPUT_MIN),
        ("python", HTTP2, "HTTP/2, Python SDK", HTTP2_THROUGHPUT_MIN),
        ("typescript", HTTP2, "HTTP/2, TypeScript SDK", HTTP2_THROUGHPUT_MIN),
    )
    for language, name, title, least in rows:
        ratios = {own.workload: own.per_second / its.per_second for own, its in pairs(comparison, language, name, MANY)}
        if ratios:
            target = f"{title}: invocations (and steps) per second, {MANY} callers"
            yield _at_least(target, ratios, least, f"≥ {least:g} × official")


def _own_sdk(comparison: Comparison) -> Iterator[Verdict]:
    for name, title in ((OWN, "Worker link"), (EMBEDDED, "Embedded")):
        steps = {
            own.workload: own.per_second / its.per_second
            for own, its in pairs(comparison, "python", name, MANY)
            if own.steps
        }
        if steps:
            target = f"{title}, own SDK: steps per second, {MANY} callers"
            yield _at_least(target, steps, OWN_STEPS_MIN, f"≥ {OWN_STEPS_MIN:g} × official")
    for name, same_transport, title in (
        (OWN, LINK, "Worker link"),
        (OWN_HTTP2, HTTP2, "HTTP/2, both behind hypercorn"),
        (OWN_SERVER, HTTP2, "HTTP/2, `app.serve` beside hypercorn"),
    ):
        beside = {
            sample.workload: sample.per_second / other.per_second
            for sample in comparison.samples
            if (sample.contestant, sample.callers) == (name, MANY)
            and (other := comparison.find("python", same_transport, sample.workload, MANY)) is not None
        }
        if beside:
            target = f"{title}: own SDK beside the official one, {MANY} callers"
            yield _at_least(target, beside, OWN_OVER_OFFICIAL_SDK_MIN, f"≥ {OWN_OVER_OFFICIAL_SDK_MIN:g} ×")


def _step(comparison: Comparison, fdatasync_us: float) -> Iterator[Verdict]:
    """What a step more costs a caller who is alone: it cannot be less than one sync."""
    few, many = (comparison.find("python", EMBEDDED, workload, 1) for workload in ("3 steps", "10 steps"))
    if few is not None and many is not None:
        step_us = (many.p50_ms - few.p50_ms) / (many.steps - few.steps) * 1000
        yield Verdict(
            "Embedded, own SDK: p50 of one more step, one caller",
            f"≤ {STEP_OVER_SYNC_MAX:g} × one fdatasync",
            f"{step_us / fdatasync_us:.2f} ×: {step_us:.0f} µs, fdatasync {fdatasync_us:.0f} µs",
            step_us <= STEP_OVER_SYNC_MAX * fdatasync_us,
        )


def _alone(own: OwnSdk) -> Iterator[Verdict]:
    for found, limit, unit, target in (
        (own.replay_ms, REPLAY_MS_MAX, "ms", f"own SDK: replay of a journal of {REPLAYED_ENTRIES} entries"),
        (own.import_ms, IMPORT_MS_MAX, "ms", "own SDK: `import perdure`"),
        (own.import_mib, IMPORT_MIB_MAX, "MiB", "own SDK: memory after `import perdure`"),
    ):
        if found is not None:
            yield Verdict(target, f"< {limit:g} {unit}", f"{found:.0f} {unit}", found < limit)


def _latency(comparison: Comparison, resync_us: float) -> Iterator[Verdict]:
    for language, name in (("python", LINK), ("python", HTTP2), ("typescript", HTTP2)):
        found = list(pairs(comparison, language, name, 1))
        if found:
            ratios = {own.workload: own.p50_ms / its.p50_ms for own, its in found}
            verdict = _at_most(f"{name}, {language}: p50 of one caller", ratios, P50_MAX, "≤ 1/3 of official")
            floors = {own.workload: _without_server_ms(own, resync_us) / its.p50_ms for own, its in found}
            yield replace(verdict, found=f"{verdict.found}; without the server's work: {_listed(floors)}")


def _without_server_ms(sample: Sample, resync_us: float) -> float:
    """Of what one caller waits for, the handlers' processor time and the syncs: of arrival, each step, and the end."""
    return sample.cpu["service"] + (2 + sample.steps) * resync_us / 1000


def _processor(comparison: Comparison) -> Iterator[Verdict]:
    for language, name in (("python", LINK), ("python", HTTP2), ("typescript", HTTP2)):
        ratios = {
            f"{own.workload} × {callers}": own.cpu["server"] / its.cpu["server"]
            for callers in (1, MANY)
            for own, its in pairs(comparison, language, name, callers)
        }
        if ratios:
            target = f"{name}, {language}: server's processor time per invocation"
            yield _at_most(target, ratios, SERVER_CPU_MAX, "≤ 1/2 of official")


def _at_least(target: str, ratios: dict[str, float], limit: float, wanted: str) -> Verdict:
    place = min(ratios, key=ratios.__getitem__)
    return Verdict(target, wanted, _found(place, ratios), ratios[place] >= limit)


def _at_most(target: str, ratios: dict[str, float], limit: float, wanted: str) -> Verdict:
    place = max(ratios, key=ratios.__getitem__)
    return Verdict(target, wanted, _found(place, ratios), ratios[place] <= limit)


def _found(worst: str, ratios: dict[str, float]) -> str:
    return f"{ratios[worst]:.2f} × ({worst}); all: {_listed(ratios)}"


def _listed(ratios: dict[str, float]) -> str:
    return ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())


def _journals(growth: Growth) -> Iterator[Verdict]:
    if len(growth.journals) < 2:
        return
    base = growth.journals[0]
    for what, title in (("server_us", "server's processor time"), ("wall_us", "wall time")):
        ratios = {f"{row['steps']} steps": row[what] / base[what] for row in growth.journals[1:]}
        yield _at_most(f"{title} per step over journal length", ratios, GROWTH_MAX, "≤ 1.5 × that of 10")


def _stores(growth: Growth) -> Iterator[Verdict]:
    if growth.stores:
        ratios = {f"{row['completed']} completed": row["full_cpu"] / row["empty_cpu"] for row in growth.stores}
        target = "server's processor time per 3-step invocation over store size"
        yield _at_most(target, ratios, GROWTH_MAX, "≤ 1.5 × the empty store's")
        ratios = {
            f"{row['completed']} completed": row["empty_per_second"] / row["full_per_second"] for row in growth.stores
        }
        target = "wall time per 3-step invocation at 64 callers over store size"
        yield _at_most(target, ratios, GROWTH_MAX, "≤ 1.5 × the empty store's")


def _suspended(growth: Growth) -> Iterator[Verdict]:
    if growth.suspended:
        now, peak = growth.suspended["memory_mib"]
        yield Verdict(
            f"server memory with {growth.suspended['suspended']} suspended invocations",
            f"< {SUSPENDED_MEMORY_MIB_MAX:.0f} MiB",
            f"{now:.0f} MiB, {peak:.0f} at the peak",
            peak < SUSPENDED_MEMORY_MIB_MAX,
        )
