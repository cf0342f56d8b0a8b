"""What Perdure promises about its cost, and whether a run kept it."""

from collections.abc import Iterator
from dataclasses import dataclass

from compare import HTTP2, LINK, OFFICIAL, OWN, Comparison, Sample
from growth import Growth

LINK_THROUGHPUT_MIN = 4.0
OWN_STEPS_MIN = 10.0
OWN_OVER_OFFICIAL_SDK_MIN = 2.0
HTTP2_THROUGHPUT_MIN = 1.5
P50_MAX = 1 / 3
SERVER_CPU_MAX = 1 / 2
GROWTH_MAX = 1.5
SUSPENDED_MEMORY_MIB_MAX = 300.0
MANY = 64


@dataclass(frozen=True)
class Verdict:
    """found: the worst ratio or value, and where it was seen."""

    target: str
    wanted: str
    found: str
    passed: bool


def judge(comparison: Comparison, growth: Growth) -> list[Verdict]:
    """Targets whose numbers were not measured are left out."""
    verdicts = [*_throughput(comparison), *_own_sdk(comparison), *_latency(comparison), *_processor(comparison)]
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
    steps = {
        own.workload: own.per_second / its.per_second
        for own, its in pairs(comparison, "python", OWN, MANY)
        if own.steps
    }
    if steps:
        title = f"Worker link, own SDK: steps per second, {MANY} callers"
        yield _at_least(title, steps, OWN_STEPS_MIN, f"≥ {OWN_STEPS_MIN:g} × official")
    beside = {
        sample.workload: sample.per_second / other.per_second
        for sample in comparison.samples
        if (sample.contestant, sample.callers) == (OWN, MANY)
        and (other := comparison.find("python", LINK, sample.workload, MANY)) is not None
    }
    if beside:
        title = f"Worker link: own SDK beside the official one, {MANY} callers"
        yield _at_least(title, beside, OWN_OVER_OFFICIAL_SDK_MIN, f"≥ {OWN_OVER_OFFICIAL_SDK_MIN:g} ×")


def _latency(comparison: Comparison) -> Iterator[Verdict]:
    for language, name in (("python", LINK), ("python", HTTP2), ("typescript", HTTP2)):
        ratios = {own.workload: own.p50_ms / its.p50_ms for own, its in pairs(comparison, language, name, 1)}
        if ratios:
            yield _at_most(f"{name}, {language}: p50 of one caller", ratios, P50_MAX, "≤ 1/3 of official")


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
    every = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    return f"{ratios[worst]:.2f} × ({worst}); all: {every}"


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
