"""Takes a picture of every page, in light and dark, into docs/images/. `make screenshots` runs it.

.venv/bin/python scripts/screenshots.py [--only NAME] [--out DIR]
"""

import argparse
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, expect, sync_playwright

from demo import ROOT, bring_about, examples, journal, user, wait_for
from small_png import shrink

IMAGES = ROOT / "docs" / "images"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTH, HEIGHT_MIN, HEIGHT_MAX = 1280, 640, 1100
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 20_000
BOUND_S = 540
"""The whole of it."""
WEIGHT_MAX = 4 * 1024 * 1024


@dataclass(frozen=True)
class Shot:
    """One picture. path: below `/ui`.  ready: what is there when the page is.  act: what is done before it is taken."""

    name: str
    path: str
    ready: str
    act: Callable[[Page], None] | None = None
    phone: bool = False


STEP = "tr[data-step]"


def shots(ids: dict[str, str], running: Callable[[], str]) -> Iterator[Shot]:
    """running: begins an invocation that runs while the next picture is taken, and gives its id."""
    running()
    yield Shot("overview", "/", "tr:has-text('SupportAgent')", phone=True)
    running()
    yield Shot("invocations", "/invocations", "tr[data-id]", phone=True)
    yield Shot("invocations-ticked", "/invocations?service=SupportAgent", "tr[data-id]", tick_four)
    yield Shot("keys", "/invocations/" + ids["restarted"], STEP, lambda page: page.keyboard.press("?"))
    yield Shot("invocation-running", f"/invocations/{running()}", "[data-step='3']")
    yield Shot("invocation-retrying", f"/invocations/{ids['retrying']}?step=3", ".details", phone=True)
    yield Shot("invocation-interrupted", f"/invocations/{ids['interrupted']}", STEP)
    yield Shot("invocation-paused", f"/invocations/{ids['currency']}", STEP)
    yield Shot("invocation-waiting", f"/invocations/{ids['approval']}", STEP)
    yield Shot("invocation-operations", f"/invocations/{ids['by hand']}", STEP)
    yield Shot("cancel", f"/invocations/{ids['retrying']}", STEP, open_dialog("Cancel"))
    yield Shot("restart", f"/invocations/{ids['interrupted']}/restart", "tr.again")
    yield Shot("compare", f"/compare?a={ids['interrupted']}&b={ids['restarted']}", "tbody tr")
    yield Shot("waits", "/waits", "tbody tr")
    yield Shot("objects", "/objects", "tbody tr")
    yield Shot("object-keys", "/objects/CodingAgent", "tbody tr")
    yield Shot("object", "/objects/CodingAgent/bob", "tbody tr")
    yield Shot("object-queue", "/objects/CodingAgent/dave", "details", lambda page: page.locator("summary").click())
    yield Shot("object-edit", "/objects/CodingAgent/bob", "tbody tr", open_dialog("Edit messages"))
    yield Shot("services", "/services", "tbody tr")
    yield Shot("service", "/services/SupportAgent", "tbody tr")
    yield Shot("deployments", "/deployments", "tbody tr")
    yield Shot("sql", f"/sql?{SQL}", "tbody tr")
    yield Shot("bulk", "/invocations?service=SupportAgent&status=backing-off", "tr[data-id]", retry_four)


SQL = urlencode(
    {
        "q": "SELECT status, count(*) AS agents, max(retry_count) AS attempts FROM sys_invocation"
        " WHERE target_service_name = 'SupportAgent' GROUP BY status"
    }
)


def open_dialog(button: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()

    return act


def tick_four(page: Page) -> None:
    boxes = page.locator("tbody input[type=checkbox]")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.get_by_role("region", name="Operations on many")).to_be_visible()


def retry_four(page: Page) -> None:
    tick_four(page)
    page.get_by_role("region", name="Operations on many").get_by_role("button", name=re.compile("^Retry now")).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Retry now")).click()
    expect(page.get_by_role("status").filter(has_text="The job is through")).to_be_visible()


class Camera:
    """A browser that looks at one server. Each picture is of a fresh page; what goes wrong in it ends the run."""

    def __init__(self, browser: Browser, base: str, folder: Path) -> None:
        self._browser = browser
        self._base = base
        self._folder = folder

    def take(self, shot: Shot) -> None:
        with self._page(shot, {"width": WIDTH, "height": 900}, 1) as page:
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.set_viewport_size({"width": WIDTH, "height": self._height(page)})
                self._save(page, f"{shot.name}-{scheme}.png")
        if shot.phone:
            with self._page(shot, PHONE, 2) as page:
                self._save(page, f"{shot.name}-phone.png")

    @contextmanager
    def _page(self, shot: Shot, size: Any, scale: int) -> Iterator[Page]:
        context = self._browser.new_context(
            base_url=self._base, viewport=size, device_scale_factor=scale, locale="en-GB", timezone_id="UTC"
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("response", lambda got: faults.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        page.goto(f"/ui{shot.path}")
        expect(page.locator(shot.ready).first).to_be_visible()
        if shot.act is not None:
            shot.act(page)
        # What is asked for beside the page's own subject has come when nothing is asked any more.
        page.evaluate(QUIET)
        yield page
        context.close()
        if faults:
            raise AssertionError(f"{shot.name}: {faults}")

    def _height(self, page: Page) -> int:
        return int(min(max(page.evaluate("document.documentElement.scrollHeight"), HEIGHT_MIN), HEIGHT_MAX))

    def _save(self, page: Page, name: str) -> None:
        page.evaluate(ELSEWHERE, [[str(ROOT), "/srv/perdure"], [sys.base_prefix, "/usr"]])
        path = self._folder / name
        page.screenshot(path=path, animations="disabled", caret="hide")
        shrink(path)


QUIET = """() => new Promise((done) => {
  let seen = -1;
  const look = () => {
    const now = performance.getEntriesByType("resource").length;
    if (now === seen) done();
    else { seen = now; setTimeout(look, 400); }
  };
  look();
})"""
"""Waits until no request has ended for a while; the stream of events, which never ends, does not count."""


ELSEWHERE = """(places) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const [here, there] of places) texts.currentNode.data = texts.currentNode.data.replaceAll(here, there);
  }
}"""
"""Tracebacks name files; where these are on the machine that takes the pictures is not worth knowing."""


def take_all(folder: Path, only: str | None) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("screenshots: no chromium here; scripts/get_browser.sh installs it, or says what is missing")
    with tempfile.TemporaryDirectory() as scratch, examples(Path(scratch)) as client:
        started = time.monotonic()
        ids = bring_about(client)
        print(f"the examples are in their states after {time.monotonic() - started:.0f} s", flush=True)

        names = iter(("carol", "frank", "gina"))

        def running() -> str:
            invocation = str(client.call(f"CodingAgent/{next(names)}/message", user("Write a clock"))["task_id"])
            wait_for(lambda: len(journal(client, invocation)) >= 4, "the second step", 20)
            return invocation

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            camera = Camera(browser, client.admin, folder)
            for shot in shots(ids, running if only is None else lambda: ids["restarted"]):
                if only is None or only in shot.name:
                    camera.take(shot)
                    print(shot.name, flush=True)
            browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description="Takes a picture of every page of the web page.")
    parser.add_argument("--only", metavar="NAME", help="pictures whose names contain this")
    parser.add_argument("--out", type=Path, default=IMAGES, help="the folder that takes them")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    # Both unwind, so that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda received, _frame: sys.exit(128 + received))
    signal.signal(signal.SIGALRM, lambda _received, _frame: sys.exit(f"screenshots: not through within {BOUND_S} s"))
    signal.alarm(BOUND_S)
    take_all(options.out, options.only)
    weight = sum(path.stat().st_size for path in options.out.glob("*.png"))
    print(f"{len(list(options.out.glob('*.png')))} pictures, {weight / 1024:.0f} KiB in {options.out}")
    return 1 if weight > WEIGHT_MAX else 0


if __name__ == "__main__":
    sys.exit(main())
