"""A store with a hundred thousand invocations: what people look at first stays as it is."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from page.services import app
from support.client import Client
from support.embedded import embedded

MANY = 100_000
FILL = Path(__file__).resolve().parents[2] / "benchmarks" / "fill.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One real invocation, multiplied in the stopped server's store."""
    data = tmp_path_factory.mktemp("many")
    with embedded(data, app) as client:
        client.call("Agent/plan", {"topic": "one of many"})
    spec = importlib.util.spec_from_file_location("fill", FILL)
    assert spec is not None
    assert spec.loader is not None
    fill: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fill)
    fill.multiply(data, "completed", MANY, {"created_at": "created_at - n", "modified_at": "modified_at - n"})
    with embedded(data, app) as client:
        yield client


def ids(page: Page) -> list[str]:
    """Of the rows, as soon as there are some."""
    rows = page.locator("tr[data-id]")
    expect(rows.first).to_be_visible()
    found: list[str] = rows.evaluate_all("rows => rows.map(row => row.dataset.id)")
    return found


def test_the_list_is_paged_to_and_fro_and_counted(page: Page) -> None:
    page.goto("/ui/invocations?status=succeeded")
    expect(page.locator("button[data-status=succeeded]")).to_contain_text(re.compile(r"100.?001"))
    first = ids(page)
    page.get_by_role("button", name=re.compile("Next|Older")).click()
    expect(page.locator(f"tr[data-id={first[0]}]")).to_have_count(0)
    second = ids(page)
    assert not set(first) & set(second)
    page.go_back()
    expect(page.locator(f"tr[data-id={first[0]}]")).to_be_visible()


def test_a_new_one_shows_among_so_many(server: Client, page: Page) -> None:
    page.goto("/ui/invocations?status=suspended&status=running")
    expect(page.get_by_text("live")).to_be_visible()
    asked = server.send("Agent/ask", "Do you see me?")
    expect(page.locator(f"tr[data-id={asked}]")).to_be_visible()


def test_the_overview_counts_them(page: Page) -> None:
    page.goto("/ui/")
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"100.?001"))
