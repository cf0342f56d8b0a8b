"""Operations on many invocations: said before what they hit, and told afterwards what came of it."""

import re
from typing import Any

from playwright.sync_api import Page, Route, expect

from page.accessible import faults
from page.test_list import rows
from support.client import Client, wait_for


def later(server: Client, key: str, count: int) -> list[str]:
    return [server.send(f"Basket/{key}/add", f"x{index}", delay="1h") for index in range(count)]


def statuses(server: Client, key: str) -> list[str]:
    found = server.query(f"SELECT status FROM sys_invocation WHERE target_service_key = '{key}'")
    return sorted(str(row["status"]) for row in found)


def tick(page: Page, count: int) -> None:
    for _ in range(count):
        page.keyboard.press("j")
        page.keyboard.press("x")


def bar(page: Page) -> Any:
    return page.get_by_role("region", name="Operations on many")


def test_the_bar_says_to_how_many_each_operation_applies(server: Client, page: Page) -> None:
    ids = later(server, "fits", 3)
    server.operate(ids[0], "cancel")
    page.goto("/ui/invocations?key=fits")
    expect(rows(page).filter(has_text="Cancelled")).to_have_count(1)
    page.get_by_label("Tick all rows of this page").check()
    expect(bar(page).get_by_role("button")).to_have_text(
        ["Cancel 2 of 3", "Pause 2 of 3", "Restart as new 1 of 3", "Kill 2 of 3", "Purge 1 of 3", "Clear"]
    )


def test_what_is_ticked_is_cancelled_with_its_reason_and_the_rest_is_not(server: Client, page: Page) -> None:
    ids = later(server, "some", 3)
    page.goto("/ui/invocations?key=some")
    expect(rows(page)).to_have_count(3)
    tick(page, 2)
    page.keyboard.press("c")
    expect(page.get_by_role("dialog")).to_contain_text("Cancel: 2 invocations")
    page.keyboard.type("wrong input\n")
    expect(page).to_have_url(re.compile("/ui/bulk/"))
    expect(page.get_by_role("status").filter(has_text="is through")).to_contain_text("2 cancel requested, 0 refused")
    expect(page.get_by_text("2 of 2 have completed")).to_be_visible()
    assert statuses(server, "some") == ["completed", "completed", "scheduled"]
    events = server.query("SELECT id, event_json FROM sys_journal_events WHERE event_type = 'Operation'")
    assert sum("wrong input" in row["event_json"] for row in events if row["id"] in ids) == 2


def test_all_that_match_are_hit_and_nothing_else(server: Client, page: Page) -> None:
    later(server, "all", 120)
    later(server, "others", 1)
    page.goto("/ui/invocations?key=all")
    page.get_by_role("button", name="Operate on all 120 that match").click()
    bar(page).get_by_role("button", name="Kill 120").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Kill: 120 invocations")
    expect(dialog).to_contain_text("key is all")
    expect(dialog).to_contain_text("no clean-up, no compensation")
    dialog.get_by_role("button", name="Kill 120").click()
    expect(page.get_by_text(re.compile("The job is through: 120 killed"))).to_be_visible()
    expect(page.locator("[data-outcome]")).to_contain_text("Killed 120")
    assert set(statuses(server, "all")) == {"completed"}
    assert statuses(server, "others") == ["scheduled"]


def test_paused_ones_are_resumed_on_the_newest_deployment(server: Client, page: Page) -> None:
    held = server.send("Basket/resumed/hold")
    server.operate(held, "pause")
    wait_for(lambda: statuses(server, "resumed") == ["paused"], "the pause")
    page.goto("/ui/invocations?key=resumed")
    expect(rows(page)).to_contain_text("Paused")
    tick(page, 1)
    page.keyboard.press("r")
    page.get_by_label("Code").select_option("latest")
    page.get_by_role("button", name="Resume 1 invocation").click()
    wait_for(lambda: statuses(server, "resumed") in (["running"], ["suspended"]), "its going on")


def test_what_is_restarted_as_new_is_not_restarted_again(server: Client, page: Page) -> None:
    for _ in range(2):
        server.failure(server.send("Agent/refuse", "again"))
    page.goto("/ui/invocations?handler=refuse&text=again&status=failed")
    page.get_by_role("button", name="Operate on all 2 that match").click()
    bar(page).get_by_role("button", name="Restart as new 2").click()
    page.get_by_role("button", name="Restart as new 2 invocations").click()
    expect(page.get_by_text(re.compile("The job is through: 2 restarted"))).to_be_visible()
    expect(page.locator("[data-outcome]")).to_contain_text("Failed 2")
    found = server.query("SELECT id FROM sys_invocation WHERE completion_failure LIKE '%again%'")
    assert len(found) == 4


def test_what_is_refused_is_told_with_its_reason(server: Client, page: Page) -> None:
    ids = later(server, "refused", 2)
    page.goto("/ui/invocations?key=refused")
    expect(rows(page)).to_have_count(2)
    tick(page, 2)
    page.keyboard.press("p")
    expect(page.get_by_role("dialog")).to_be_visible()
    server.operate(ids[0], "kill")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("1 pause requested, 1 refused"))).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=ids[0])).to_be_visible()
    assert statuses(server, "refused") == ["completed", "scheduled"]
    asked = "SELECT id FROM sys_journal_events WHERE event_type = 'Operation' AND event_json LIKE '%pause%'"
    assert [row["id"] for row in server.query(asked) if row["id"] in ids] == [ids[1]]


def test_purged_ones_are_no_more(server: Client, page: Page) -> None:
    server.operate(later(server, "purged", 1)[0], "kill")
    page.goto("/ui/invocations?key=purged")
    expect(rows(page)).to_contain_text("Killed")
    tick(page, 1)
    bar(page).get_by_role("button", name="Purge 1").click()
    page.get_by_role("button", name="Purge 1 invocation").click()
    expect(page.locator("[data-outcome]")).to_contain_text("1 are no more")
    assert statuses(server, "purged") == []


def test_a_job_stops_when_told_and_goes_on_after_a_reload(server: Client, page: Page) -> None:
    later(server, "stopped", 260)
    held: list[Route] = []
    page.route("**/invocations_batch_operations/**", lambda route: held.insert(0, route))
    page.goto("/ui/invocations?key=stopped")
    page.get_by_role("button", name="Operate on all 260 that match").click()
    bar(page).get_by_role("button", name="Kill 260").click()
    page.get_by_role("button", name="Kill 260 invocations").click()
    wait_for(lambda: page.wait_for_timeout(10) or held, "the first request")
    page.get_by_role("button", name="Stop").click()
    held[0].continue_()
    page.unroute("**/invocations_batch_operations/**")
    expect(page.get_by_text("The job was stopped: 250 killed, 0 refused, 10 left.")).to_be_visible()
    assert statuses(server, "stopped").count("scheduled") == 10
    page.reload()
    page.get_by_role("button", name="Go on with the 10 left").click()
    expect(page.get_by_text(re.compile("The job is through: 260 killed"))).to_be_visible()
    assert statuses(server, "stopped").count("scheduled") == 0


def test_a_reload_in_the_middle_says_what_is_left(server: Client, page: Page) -> None:
    later(server, "reloaded", 2)
    page.route("**/invocations_batch_operations/**", lambda _: None)
    page.goto("/ui/invocations?key=reloaded")
    expect(rows(page)).to_have_count(2)
    tick(page, 2)
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The job is running")).to_be_visible()
    page.reload()
    expect(
        page.get_by_text("The job was interrupted when the page was left: 0 cancel requested, 0 refused, 2 left.")
    ).to_be_visible()
    page.unroute("**/invocations_batch_operations/**")
    page.get_by_role("button", name="Go on with the 2 left").click()
    wait_for(lambda: statuses(server, "reloaded") == ["completed", "completed"], "both cancels")


def test_nobody_is_shut_out(server: Client, page: Page) -> None:
    later(server, "axe", 1)
    page.goto("/ui/invocations?key=axe")
    expect(rows(page)).to_have_count(1)
    tick(page, 1)
    page.keyboard.press("k")
    bar(page).get_by_role("button", name="Kill 1").click()
    assert faults(page) == []
    page.get_by_role("button", name="Kill 1 invocation").click()
    expect(page.get_by_text("The job is through")).to_be_visible()
    assert faults(page) == []


def test_a_range_is_ticked_with_shift_and_ticks_are_let_go_with_escape(server: Client, page: Page) -> None:
    later(server, "range", 5)
    page.goto("/ui/invocations?key=range")
    expect(rows(page)).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("x")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(bar(page)).to_contain_text("4 ticked")
    rows(page).nth(4).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(bar(page)).to_contain_text("5 ticked")
    page.keyboard.press("Escape")
    expect(bar(page)).to_have_count(0)
    assert statuses(server, "range") == ["scheduled"] * 5
