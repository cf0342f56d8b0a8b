"""A server with the web page, and a browser that looks at it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from page.services import app
from support.client import Client
from support.embedded import embedded

PATIENCE_MS = 20_000
"""How long a page may take for anything, on a machine that does other things too."""
expect.set_options(timeout=PATIENCE_MS)

CHECKERS = Path(__file__).parent / "node_modules"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; the tests are skipped where it is missing, and fail in CI.

    Not for longer than a module: as long as it is there, its event loop runs in this thread, and no other can.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        why = "no chromium here; `make setup` installs it, or says what is missing"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded(tmp_path_factory.mktemp("page"), app) as client:
        yield client


@pytest.fixture
def page(browser: Browser, server: Client) -> Iterator[Page]:
    """A fresh page. A script error, a failed request or one to elsewhere fails the test."""
    context = browser.new_context(base_url=server.admin)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda sent: None if sent.url.startswith(server.admin) else faults.append(sent.url))
    page.on("response", lambda got: faults.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    yield page
    context.close()
    assert not faults
