"""The remote control of one invocation: each operation, by what it does in the engine."""

import re

import pytest
from playwright.sync_api import Page, expect

from support.client import Client, wait_for


def operate(page: Page, invocation: str, word: str, reason: str) -> None:
    """Opens the page of an invocation and carries out one operation, with a reason."""
    page.goto(f"/ui/invocations/{invocation}")
    page.get_by_role("group", name="Operations").get_by_role("button", name=word, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("Reason")).fill(reason)
    dialog.get_by_role("button", name=re.compile(f"^{word}( it)?$")).click()
    expect(dialog).to_have_count(0)


def reasons(server: Client, invocation: str) -> list[str]:
    """What operators gave as reasons, as it is kept with the invocation."""
    rows = server.query(
        f"SELECT event_json FROM sys_journal_events WHERE id = '{invocation}' AND event_type = 'Operation'"
    )
    return [found for row in rows for found in re.findall(r'"reason":"([^"]*)"', str(row["event_json"]))]


def suspended(server: Client) -> str:
    """An invocation that waits for a human."""
    asked = server.send("Agent/ask", "May I?")
    server.wait_status(asked, "suspended", "running")
    return asked


@pytest.mark.parametrize(("word", "outcome"), [("Cancel", "[409] cancelled"), ("Kill", "[409] killed")])
def test_what_waits_is_ended(server: Client, page: Page, word: str, outcome: str) -> None:
    asked = suspended(server)
    operate(page, asked, word, "no longer needed")
    assert server.wait_status(asked, "completed")["completion_failure"] == outcome
    assert reasons(server, asked) == ["no longer needed"]
    expect(page.get_by_text("no longer needed")).to_be_visible()


def test_what_waits_is_paused_and_resumed(server: Client, page: Page) -> None:
    asked = suspended(server)
    operate(page, asked, "Pause", "the office is closed")
    server.wait_status(asked, "paused")
    operate(page, asked, "Resume", "it is Monday")
    server.wait_status(asked, "running", "suspended")
    assert reasons(server, asked) == ["the office is closed", "it is Monday"]


def test_what_backs_off_is_tried_at_once(server: Client, page: Page) -> None:
    failing = server.send("Agent/stumble", "the tool is gone")
    before = server.wait_status(failing, "backing-off")
    operate(page, failing, "Retry now", "the tool is back")
    wait_for(lambda: (server.invocation(failing) or {}).get("retry_count", 0) > before["retry_count"], "another try")
    assert reasons(server, failing) == ["the tool is back"]


def test_what_has_not_started_is_cancelled_without_running(server: Client, page: Page) -> None:
    later = server.send("Agent/plan", {"topic": "later"}, delay="1h")
    operate(page, later, "Cancel", "not wanted any more")
    row = server.wait_status(later, "completed")
    assert row["completion_failure"] == "[409] cancelled"
    assert row.get("last_start_at") is None


def test_the_journal_is_purged_and_the_result_stays(server: Client, page: Page) -> None:
    done = server.send("Agent/plan", {"topic": "purge"})
    server.attach(done)
    operate(page, done, "Purge journal", "too long")
    wait_for(lambda: not server.query(f"SELECT 1 FROM sys_journal WHERE id = '{done}' AND index = 0"), "a purge")
    assert server.attach(done) == {"text": "About purge"}


def test_what_is_purged_is_gone(server: Client, page: Page) -> None:
    done = server.send("Agent/plan", {"topic": "gone"})
    server.attach(done)
    operate(page, done, "Purge", "by mistake")
    wait_for(lambda: server.invocation(done) is None, "a purge")
    expect(page.get_by_text(re.compile("purged|no longer|no invocation", re.IGNORECASE)).first).to_be_visible()


def test_a_dialog_says_what_will_happen_and_does_nothing_when_it_is_left(server: Client, page: Page) -> None:
    asked = suspended(server)
    page.goto(f"/ui/invocations/{asked}")
    page.get_by_role("group", name="Operations").get_by_role("button", name="Cancel", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("clean-up")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert (server.invocation(asked) or {})["status"] in ("suspended", "running")
    assert reasons(server, asked) == []


def test_what_closes_the_dialog_is_not_what_cancels_the_invocation(server: Client, page: Page) -> None:
    asked = suspended(server)
    page.goto(f"/ui/invocations/{asked}")
    page.get_by_role("group", name="Operations").get_by_role("button", name="Cancel", exact=True).click()
    buttons = page.get_by_role("dialog").get_by_role("button")
    expect(buttons).to_have_text(["Leave it", "Cancel it"])
    buttons.first.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert (server.invocation(asked) or {})["status"] in ("running", "suspended")
    server.operate(asked, "kill")
