"""Restarting from a step: what is kept, what runs again, and that the server sees it the same way."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from page.accessible import faults
from page.journeys import app, effects
from support.client import Client
from support.embedded import embedded


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded(tmp_path_factory.mktemp("restarts"), app) as client:
        client.change_service("Trip", {"inactivity_timeout": "PT0.1S"})
        yield client


@pytest.fixture(scope="module")
def failed(server: Client) -> str:
    invocation = server.send("Trip/everything", {"name": "again", "fails": True})
    server.wait_status(invocation, "completed")
    return invocation


@pytest.fixture(scope="module")
def cancelled(server: Client) -> str:
    invocation = server.send("Trip/wait")
    server.wait_status(invocation, "suspended")
    server.operate(invocation, "cancel")
    server.wait_status(invocation, "completed")
    return invocation


LIMIT = """async (id) => {
  const { stepsOf } = await import('/ui/logic/journal.js');
  const { limitOf } = await import('/ui/logic/restart.js');
  const { query } = await import('/ui/api/http.js');
  const [row] = await query(`SELECT * FROM sys_invocation WHERE id = '${id}'`);
  const journal = await query(`SELECT * FROM sys_journal WHERE id = '${id}' ORDER BY "index"`);
  return limitOf(stepsOf(row, journal, []), journal.length).last;
}"""


@pytest.mark.parametrize("which", ["failed", "cancelled"])
def test_what_can_be_kept_is_what_the_server_accepts(
    page: Page, server: Client, which: str, request: pytest.FixtureRequest
) -> None:
    invocation: str = request.getfixturevalue(which)
    size = server.query(f"SELECT journal_size FROM sys_invocation WHERE id = '{invocation}'")[0]["journal_size"]
    page.goto("/ui/")
    last = page.evaluate(LIMIT, invocation)
    url = f"{server.admin}/invocations/{invocation}/restart-as-new"
    accepted = [httpx.patch(url, params={"from": index}).is_success for index in range(size + 1)]
    assert accepted == [index <= last for index in range(size + 1)]


def test_the_chosen_step_runs_again_and_what_is_before_it_does_not(page: Page, server: Client, failed: str) -> None:
    before = effects.count("again")
    page.goto(f"/ui/invocations/{failed}/restart?from=9")
    expect(page.locator("tr.again").first).to_contain_text('run("effect")')
    expect(page.get_by_text("Keeps 4 steps, runs 2 again.")).to_be_visible()
    expect(page.locator(".effect.tone-retry")).to_contain_text('run("effect"), call(Tools).refuse(…)')
    page.get_by_label("Reason").fill("another try")
    page.get_by_role("button", name="Restart as new").click()
    expect(page).not_to_have_url(re.compile(failed))
    new = page.url.rsplit("/", 1)[1]
    row = server.wait_status(new, "completed")
    assert row["restarted_from"] == failed
    assert effects.count("again") == before + 1
    thoughts = server.query(f"SELECT id FROM sys_journal_events WHERE id = '{new}' AND event_type = 'TransientError'")
    assert thoughts == []
    reasons = server.query(f"SELECT event_json FROM sys_journal_events WHERE id = '{new}'")
    assert "another try" in reasons[0]["event_json"]
    page.get_by_role("link", name="Compare with the one before").click()
    expect(page).to_have_url(re.compile(f"compare.a={failed}&b={new}"))


def test_the_keyboard_moves_the_cut(page: Page, failed: str) -> None:
    page.goto(f"/ui/invocations/{failed}/restart?from=0")
    expect(page.get_by_text("Keeps 0 steps")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile("from=5"))
    expect(page.get_by_text("Keeps 2 steps")).to_be_visible()
    page.keyboard.press("k")
    expect(page).to_have_url(re.compile("from=2"))


def test_a_cut_behind_the_end_cannot_be_chosen(page: Page, failed: str) -> None:
    page.goto(f"/ui/invocations/{failed}/restart?from=15")
    expect(page.get_by_role("alert")).to_contain_text("up to entry 14 only")
    expect(page.get_by_role("button", name="Restart as new")).to_be_disabled()


def test_what_was_cancelled_begins_before_the_cancellation(page: Page, server: Client, cancelled: str) -> None:
    page.goto(f"/ui/invocations/{cancelled}/restart")
    expect(page.locator("tr.again").filter(has_text="cancellation asked for")).to_be_visible()
    expect(page.get_by_text("cancelled again")).to_have_count(0)
    page.goto(f"/ui/invocations/{cancelled}/restart?from=4")
    expect(page.get_by_text("cancelled again")).to_be_visible()


def test_a_workflow_needs_a_new_key(page: Page, server: Client) -> None:
    invocation = server.send("Order/first/place", "tea")
    server.wait_status(invocation, "completed")
    page.goto(f"/ui/invocations/{invocation}/restart")
    page.get_by_label("Key of the new workflow").fill("second")
    page.get_by_role("button", name="Restart as new").click()
    expect(page.get_by_role("heading", name="Order/second/place")).to_be_visible()
    new = page.url.rsplit("/", 1)[1]
    assert server.attach(new) == "tea paid"


def test_what_still_runs_has_to_be_cancelled_first(page: Page, server: Client) -> None:
    invocation = server.send("Trip/stumble", "busy")
    server.wait_status(invocation, "backing-off")
    page.goto(f"/ui/invocations/{invocation}/restart")
    expect(page.get_by_text("cancel it first")).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it", exact=True).click()
    expect(page.get_by_role("button", name="Restart as new")).to_be_visible()


def test_what_is_open_is_interrupted_and_begins_again_at_a_step(page: Page, server: Client) -> None:
    invocation = server.send("Trip/wait")
    server.wait_status(invocation, "suspended")
    asked = effects.count("asked")
    page.goto(f"/ui/invocations/{invocation}?step=3")
    page.get_by_role("link", name="Interrupt and restart from here…").click()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it", exact=True).click()
    expect(page.get_by_text("Keeps 1 step, runs")).to_be_visible()
    page.get_by_role("button", name="Restart as new").click()
    expect(page).not_to_have_url(re.compile(invocation))
    new = page.url.rsplit("/", 1)[1]
    assert server.wait_status(new, "suspended")["restarted_from"] == invocation
    assert effects.count("asked") == asked


def test_a_refusal_of_the_server_stays_where_it_can_be_read(page: Page, server: Client, failed: str) -> None:
    page.goto(f"/ui/invocations/{failed}/restart?from=0")
    button = page.get_by_role("button", name="Restart as new")
    expect(button).to_be_enabled()

    def refused(route: Any) -> None:
        route.fulfill(status=200, body="not json")

    page.route("**/restart-as-new*", refused)
    button.click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(button).to_be_enabled()


def test_everybody_can_use_it(page: Page, failed: str) -> None:
    page.goto(f"/ui/invocations/{failed}/restart?from=3")
    expect(page.locator("tr.again").first).to_be_visible()
    assert faults(page) == []
