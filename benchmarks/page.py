"""Measures the web page in Chromium: how smooth it is while much changes, and how soon a step is seen. See README.md.

.venv/bin/python benchmarks/page.py [--invocations N] [--entries N] [--seconds S] [--out FILE]
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect, sync_playwright

from contestants import SCRATCH, SERVICES, Contestant, perdure
from machine import describe
from processes import Failed

HERE = Path(__file__).resolve().parent
BEATS = "SELECT 1 AS n FROM sys_journal WHERE id = '{id}' AND name = 'beat' LIMIT 1"
RUNS = (
    'SELECT "index", entry_type, appended_at FROM sys_journal'
    " WHERE id = '{id}' AND entry_type IN ('Command: Run', 'Notification: Run') ORDER BY \"index\""
)
SEEN_WITHIN_MS = 200
"""Between the end of a step in the engine and its row on the screen."""
QUIET_LOAD = 1.5
STEPS_SEEN = 100
SETTLED_S = 5
"""Until a page that was opened has read the journal's beginning, and only what is new comes."""
WHEEL_PX = 240
WHEELS_PER_S = 10


@dataclass
class Frames:
    """Milliseconds from frame to frame, and of the tasks that took longer than 50 ms, in so many seconds."""

    what: str
    seconds: float
    times: list[float]
    tasks: list[float]


@dataclass
class Delays:
    """Milliseconds from the end of each step in the engine to the frame that shows it."""

    what: str
    times: list[float]


# ---- in the page ----

RECORD = """() => {
  const recorded = { times: [], tasks: [], going: true };
  window.recorded = recorded;
  let last = 0;
  const tick = (now) => {
    if (last) recorded.times.push(now - last);
    last = now;
    if (recorded.going) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  const longer = (list) => recorded.tasks.push(...list.getEntries().map((one) => one.duration));
  recorded.observer = new PerformanceObserver(longer);
  recorded.observer.observe({ type: "longtask" });
}"""

RECORDED = """() => {
  const { times, tasks, observer } = window.recorded;
  window.recorded.going = false;
  observer.disconnect();
  return { times, tasks };
}"""

WATCH = """() => {
  const seen = {};
  window.seen = seen;
  const drawn = new MessageChannel();
  const waiting = [];
  drawn.port1.onmessage = () => {
    for (const step of waiting.splice(0)) seen[step] = Date.now();
  };
  const look = () => {
    const rows = [...document.querySelectorAll('tr[data-state=ok][data-step]')];
    const fresh = rows.map((row) => row.dataset.step).filter((step) => !(step in seen));
    if (!fresh.length) return;
    for (const step of fresh) seen[step] = 0;
    waiting.push(...fresh);
    // A task after the next frame's callbacks: by then the frame has been drawn.
    requestAnimationFrame(() => drawn.port2.postMessage(0));
  };
  look();
  window.known = Object.keys(seen);
  const all = { subtree: true, childList: true, attributes: true };
  new MutationObserver(look).observe(document.querySelector('.tl'), all);
}"""


def frames(page: Page, what: str, seconds: float, act: Callable[[], None] | None = None) -> Frames:
    """act: is done again and again meanwhile."""
    page.evaluate(RECORD)
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if act is not None:
            act()
        page.wait_for_timeout(1000 / WHEELS_PER_S)
    return Frames(what, seconds, **page.evaluate(RECORDED))


def wheel(page: Page) -> Callable[[], None]:
    """Moves down for two seconds, then up for two."""
    turns = 0

    def act() -> None:
        nonlocal turns
        page.mouse.wheel(0, WHEEL_PX if turns // (2 * WHEELS_PER_S) % 2 == 0 else -WHEEL_PX)
        turns += 1

    return act


# ---- what is measured ----


def measure(one: Contestant, page: Page, options: argparse.Namespace) -> tuple[list[Frames], list[Delays]]:
    smooth: list[Frames] = []
    for number in range(options.invocations):
        one.call("/Busy/beat/send", str(number))
    page.goto("/ui/invocations")
    expect(page.locator("tr[data-id]").nth(99)).to_be_visible()
    smooth.append(frames(page, f"list, {options.invocations} live", options.seconds))
    page.mouse.move(700, 500)
    smooth.append(frames(page, "the same, scrolled", options.seconds, wheel(page)))
    page.goto("about:blank")
    kill_all(one)

    delays = [Delays("10 entries", seen_after(one, page, begin(one, page, 0)))]
    grown = begin(one, page, options.entries // 2)
    smooth.append(frames(page, f"journal, {options.entries} entries, live", options.seconds))
    delays.append(Delays(f"{options.entries} entries", seen_after(one, page, grown)))
    page.mouse.move(500, 600)
    smooth.append(frames(page, "the same, scrolled", options.seconds, wheel(page)))
    return smooth, delays


def begin(one: Contestant, page: Page, steps: int) -> str:
    """An invocation with so many steps, to which others come. The page shows its end. Returns: its id."""
    invocation = str(json.loads(one.call("/Long/grow/send", str(steps)))["invocationId"])
    wait(lambda: query(one, BEATS.replace("{id}", invocation)))
    page.goto(f"/ui/invocations/{invocation}")
    expect(page.locator("tr[data-step]").first).to_be_visible()
    expect(page.locator("tr[data-step='1']")).to_be_attached(timeout=60_000)
    return invocation


def seen_after(one: Contestant, page: Page, invocation: str) -> list[float]:
    """Follows the end of the journal until enough steps have come."""
    page.wait_for_timeout(SETTLED_S * 1000)
    page.evaluate("document.querySelector('.tl').scrollTop = 1e9")
    page.evaluate(WATCH)
    begun = time.monotonic()
    while page.evaluate("Object.keys(seen).length - known.length") < STEPS_SEEN:
        if time.monotonic() - begun > 120:
            raise Failed("the page shows too few of the steps")
        page.evaluate("document.querySelector('.tl').scrollTop = 1e9")
        page.wait_for_timeout(200)
    known, seen = page.evaluate("[known, seen]")
    rows = query(one, RUNS.replace("{id}", invocation))
    # One step after another: the n-th result is that of the n-th command.
    commands = [str(row["index"]) for row in rows if row["entry_type"].startswith("Command")]
    ends = [row["appended_at"] for row in rows if row["entry_type"].startswith("Notification")]
    found = []
    for command, end in zip(commands, ends, strict=False):
        if command in seen and command not in known and seen[command]:
            found.append(seen[command] - datetime.fromisoformat(end).timestamp() * 1000)
    return found


def query(one: Contestant, sql: str) -> list[dict[str, Any]]:
    answer = httpx.post(
        f"http://127.0.0.1:{one.admin}/query", json={"query": sql}, headers={"accept": "application/json"}, timeout=30
    )
    return list(answer.raise_for_status().json()["rows"])


def kill_all(one: Contestant) -> None:
    """So that they take nothing from what is measured next."""
    ids = [row["id"] for row in query(one, "SELECT id FROM sys_invocation WHERE status <> 'completed'")]
    batch = f"http://127.0.0.1:{one.admin}/internal/invocations_batch_operations/kill"
    httpx.post(batch, json={"invocation_ids": ids}, timeout=60).raise_for_status()


def wait(there: Callable[[], object], seconds: float = 120) -> None:
    """Raises: Failed."""
    begun = time.monotonic()
    while not there():
        if time.monotonic() - begun > seconds:
            raise Failed(f"the journal is not there within {seconds:g} s")
        time.sleep(0.1)


# ---- what is told ----


def table(smooth: list[Frames], delays: list[Delays]) -> str:
    lines = ["| what | frames | median ms | 95 % | 99 % | worst | long tasks | longest |", "| --- " * 8 + "|"]
    for one in smooth:
        cells = [f"{value:.1f}" for value in spread(one.times)]
        lines.append(
            f"| {one.what} | {len(one.times)} in {one.seconds:g} s | {' | '.join(cells)}"
            f" | {len(one.tasks)} | {max(one.tasks, default=0):.0f} |"
        )
    lines += ["", "| a step's end to its row on the screen | steps | median ms | 95 % | 99 % | worst | within 200 ms |"]
    lines.append("| --- " * 7 + "|")
    for one in delays:
        cells = [f"{value:.0f}" for value in spread(one.times)]
        share = sum(value <= SEEN_WITHIN_MS for value in one.times) / max(len(one.times), 1)
        lines.append(f"| journal of {one.what} | {len(one.times)} | {' | '.join(cells)} | {share:.0%} |")
    return "\n".join(lines)


def spread(times: list[float]) -> tuple[float, float, float, float]:
    """Median, 95th, 99th percentile, and the largest."""
    parts = statistics.quantiles(times, n=100, method="inclusive")
    return statistics.median(times), parts[94], parts[98], max(times)


def wait_until_quiet(seconds: float) -> float:
    """Waits until others leave the machine alone, or long enough. Returns: the load average then."""
    begun = time.monotonic()
    while os.getloadavg()[0] >= QUIET_LOAD and time.monotonic() - begun < seconds:
        time.sleep(5)
    return os.getloadavg()[0]


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures the web page.")
    parser.add_argument("--invocations", type=int, default=500)
    parser.add_argument("--entries", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=12.0, help="of each measurement of frames")
    parser.add_argument("--patience", type=float, default=300.0, help="seconds to wait for a quiet machine")
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS-page.md")
    options = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("benchmarks: no chromium here; scripts/get_browser.sh installs it, or says what is missing")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    folder = SCRATCH / "page"
    shutil.rmtree(folder, ignore_errors=True)
    load = wait_until_quiet(options.patience)
    one = perdure(folder, app=SERVICES / "page_app.py")
    try:
        one.wait_until_healthy()
        machine = describe(folder)
        wait(lambda: query(one, "SELECT 1 AS n FROM sys_service WHERE name = 'Long'"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(base_url=f"http://127.0.0.1:{one.admin}", viewport={"width": 1280, "height": 900})
            page.set_default_timeout(30_000)
            told = table(*measure(one, page, options))
            version = browser.version
            browser.close()
    except (Failed, OSError, httpx.HTTPError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)
    text = (
        f"# Results of the web page\n\n`benchmarks/page.py` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC;"
        f" [how to read this](README.md#the-web-page).\n\n{machine['cpu']}, {machine['cores']} cores, Python"
        f" {machine['python']}, Chromium {version} without a graphics card; load average before the run"
        f" {load:.2f}.\n\n{told}\n"
    )
    options.out.write_text(text, "utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
