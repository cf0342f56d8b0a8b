"""Two invocations side by side."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from page.accessible import faults
from page.journeys import app
from support.client import Client
from support.embedded import embedded


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded(tmp_path_factory.mktemp("compare"), app) as client:
        yield client


@pytest.fixture(scope="module")
def pair(server: Client) -> tuple[str, str]:
    """One that failed, and one of the same handler that did not."""
    ids = [server.send("Trip/everything", {"name": name, "fails": name == "left"}) for name in ("left", "right")]
    for invocation in ids:
        server.wait_status(invocation, "completed")
    return ids[0], ids[1]


def test_steps_are_aligned_and_told_apart(page: Page, pair: tuple[str, str]) -> None:
    page.goto(f"/ui/compare?a={pair[0]}&b={pair[1]}")
    rows = page.locator("tr[data-sign]")
    expect(rows.filter(has_text="call(Tools).search(…)").first).to_have_attribute("data-sign", "=")
    expect(rows.filter(has_text='run("effect")')).to_have_attribute("data-sign", "~")
    expect(rows.filter(has_text="call(Tools).refuse(…)")).to_have_attribute("data-sign", "-")
    expect(page.locator(".chip[data-sign='-']")).to_have_text("- 1 only left")


def test_the_difference_of_two_values_is_shown_line_by_line(page: Page, pair: tuple[str, str]) -> None:
    page.goto(f"/ui/compare?a={pair[0]}&b={pair[1]}")
    page.locator("tr[data-sign='~']").filter(has_text='run("think")').get_by_role("button").click()
    difference = page.get_by_role("region", name="Difference")
    expect(difference.locator("del")).to_have_text('-   "idea": "left",')
    expect(difference.locator("ins")).to_have_text('+   "idea": "right",')


def test_any_two_ids_can_be_given_and_swapped(page: Page, pair: tuple[str, str]) -> None:
    page.goto(f"/ui/invocations/{pair[0]}")
    page.get_by_role("link", name="compare with another").click()
    expect(page.get_by_label("Left")).to_have_value(pair[0])
    page.get_by_label("Right").fill(pair[1])
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("tr[data-sign='-']")).to_have_count(1)
    page.get_by_role("button", name="Swap").click()
    expect(page).to_have_url(re.compile(f"a={pair[1]}&b={pair[0]}"))
    expect(page.locator("tr[data-sign='+']")).to_have_count(1)


def test_a_restarted_one_leads_to_the_comparison_from_both_sides(page: Page, server: Client) -> None:
    old = server.send("Tools/search", "tea")
    server.wait_status(old, "completed")
    new = server.operate(old, "restart-as-new")["new_invocation_id"]
    server.wait_status(new, "completed")
    for invocation in (old, new):
        page.goto(f"/ui/invocations/{invocation}")
        page.get_by_role("link", name="compare", exact=True).click()
        expect(page).to_have_url(re.compile(f"compare.a={old}&b={new}"))
    expect(page.get_by_text("restarted from the other")).to_be_visible()


def test_an_unknown_one_is_named(page: Page, pair: tuple[str, str]) -> None:
    page.goto(f"/ui/compare?a={pair[0]}&b=inv_1gdJBtdVEcM942bjcDmb1c1khoaJe11Hbz")
    expect(page.locator(".empty")).to_contain_text("is not known")


def test_everybody_can_use_it(page: Page, pair: tuple[str, str]) -> None:
    page.goto(f"/ui/compare?a={pair[0]}&b={pair[1]}")
    page.locator("tr[data-sign='~']").first.get_by_role("button").click()
    expect(page.get_by_role("region", name="Difference").locator("pre")).to_be_visible()
    assert faults(page) == []
