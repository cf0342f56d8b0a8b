"""The overview: what needs somebody, and numbers that lead to what they count."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from page.accessible import faults
from page.services import app
from page.test_list import rows
from support.client import Client, wait_for
from support.embedded import embedded


def number(page: Page, name: str) -> Any:
    return page.locator(f"[data-name={name}]")


def test_a_server_where_nothing_needs_anybody_says_so(browser: Browser, tmp_path: Path) -> None:
    with embedded(tmp_path, app) as server:
        tab = browser.new_page(base_url=server.admin)
        tab.goto("/ui/")
        expect(tab.get_by_text("Nothing needs you")).to_be_visible()
        tab.close()


def test_what_fails_is_paused_or_waits_for_an_answer_is_counted_and_listed(server: Client, page: Page) -> None:
    server.change_service("Agent", {"inactivity_timeout": "1ms"})
    failing = server.send("Agent/stumble", "529 overloaded")
    asked = server.send("Agent/ask", "May I?")
    paused = server.send("Basket/held/hold")
    server.operate(paused, "pause")
    server.failure(server.send("Agent/refuse", "no"))
    server.operate(server.send("Basket/held/add", "x"), "cancel")
    wait_for(
        lambda: server.query(f"SELECT 1 AS x FROM sys_invocation WHERE id = '{asked}' AND status = 'suspended'"),
        "the suspension",
    )
    for name, found in (("failing", failing), ("paused", paused), ("outside", asked)):
        page.goto("/ui/")
        expect(number(page, name)).to_contain_text(re.compile("^1"))
        number(page, name).click()
        expect(rows(page)).to_have_count(1)
        expect(rows(page)).to_have_attribute("data-id", found)
    page.goto("/ui/")
    expect(number(page, "failed")).to_contain_text(re.compile("^1"))
    number(page, "failed").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("no")


def test_the_figures_of_a_service_lead_to_its_invocations_and_follow_them(server: Client, page: Page) -> None:
    for index in range(3):
        server.call("Agent/plan", {"topic": f"t{index}"})
    page.goto("/ui/")
    cell = page.get_by_role("row").filter(has_text="Agent").locator("a[href*='status=succeeded']")
    expect(cell).to_have_text("3")
    server.call("Agent/plan", {"topic": "one more"})
    expect(cell).to_have_text("4", timeout=15_000)
    expect(page.get_by_role("link", name="4 succeeded")).to_be_visible()
    cell.click()
    expect(rows(page)).to_have_count(4)


def test_a_deployment_shows_what_failed_last_on_it(server: Client, page: Page) -> None:
    server.send("Agent/stumble", "the disk is full")
    page.goto("/ui/")
    expect(page.get_by_role("row").filter(has_text="perdure-asgi://interop")).to_contain_text("ValueError")


def test_nobody_is_shut_out(server: Client, page: Page) -> None:
    server.send("Agent/stumble", "<b>\u202e🐙")
    page.goto("/ui/")
    expect(page.get_by_role("img")).to_be_visible()
    expect(page.get_by_text("Deployments", exact=True).last).to_be_visible()
    assert faults(page) == []


def test_a_phone_shows_it_without_moving_sideways(server: Client, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/ui/")
    expect(number(page, "failing")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
