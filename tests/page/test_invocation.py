"""The page of one invocation: why it does not move, its steps on a timeline, values, keys."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from page.accessible import faults
from page.journeys import RTL, app, effects
from support.client import Client
from support.embedded import embedded


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded(tmp_path_factory.mktemp("journeys"), app) as client:
        for service in ("Trip", "Order"):
            client.change_service(service, {"inactivity_timeout": "PT0.1S"})
        yield client
        effects.append("slow")


@pytest.fixture(scope="module")
def failed(server: Client) -> str:
    invocation = server.send("Trip/everything", {"name": "failed", "fails": True})
    server.wait_status(invocation, "completed")
    return invocation


def rows(page: Page) -> Locator:
    return page.locator("tr[data-step]")


def step(page: Page, code: str) -> Locator:
    return rows(page).filter(has=page.get_by_text(code, exact=True)).first


def opened(page: Page, invocation: str, search: str = "") -> None:
    page.goto(f"/ui/invocations/{invocation}{search}")
    expect(rows(page).first).to_be_visible()


def test_each_command_is_one_row_with_its_result(page: Page, failed: str) -> None:
    opened(page, failed)
    expect(step(page, 'run("think")')).to_contain_text('"idea": "failed"')
    expect(step(page, "call(Tools).search(…)")).to_contain_text('"hits"')
    expect(step(page, "call(Tools).refuse(…)")).to_contain_text("[422] no such place")
    expect(step(page, "throw")).to_have_attribute("data-state", "failed")
    expect(rows(page).last).to_contain_text("completed")


def test_failed_tries_are_at_the_step_that_failed(page: Page, failed: str) -> None:
    opened(page, failed, "?step=1")
    expect(step(page, 'run("think")')).to_contain_text("2 failed tries")
    details = page.get_by_role("complementary", name="Step")
    expect(details).to_contain_text("529 overloaded, try 1")
    expect(details).to_contain_text("ValueError: 529 overloaded, try 2")


def test_the_step_of_the_address_is_shown_and_another_changes_the_address(page: Page, failed: str) -> None:
    opened(page, failed, "?step=3")
    expect(page.locator("tr[aria-current=true]")).to_have_attribute("data-step", "3")
    step(page, 'run("effect")').get_by_text("run").click()
    expect(page).to_have_url(re.compile(r"step=10"))
    page.reload()
    expect(page.get_by_role("complementary", name="Step")).to_contain_text('run("effect")')


def test_it_waits_for_an_awakeable_and_goes_on_when_that_is_resolved(page: Page, server: Client) -> None:
    invocation = server.send("Trip/wait")
    server.wait_status(invocation, "suspended")
    opened(page, invocation)
    why = page.locator(".why")
    expect(why).to_contain_text("an awakeable")
    expect(why).to_contain_text("a timer until")
    expect(why.get_by_role("link", name="answer")).to_have_attribute("href", re.compile("waits.id=sign_1"))
    awakeable = page.locator(".awakeable").inner_text()
    server.resolve(awakeable, "yes")
    expect(rows(page).last).to_contain_text("completed")
    assert server.attach(invocation) == "answer"


def test_a_promise_it_waits_for_is_named_with_the_way_to_its_answer(page: Page, server: Client) -> None:
    invocation = server.send("Order/unsigned/receipt")
    server.wait_status(invocation, "suspended")
    opened(page, invocation)
    why = page.locator(".why")
    expect(why).to_contain_text('promise("signed") for')
    expect(why.get_by_role("link", name="answer")).to_have_attribute("href", re.compile("^/ui/waits"))


def test_a_call_it_waits_for_is_named_and_its_steps_can_be_seen_in_place(page: Page, server: Client) -> None:
    invocation = server.send("Trip/parent")
    server.wait_status(invocation, "suspended")
    opened(page, invocation)
    expect(page.locator(".why")).to_contain_text("call(Trip).wait(…)")
    expect(step(page, "call(Trip).wait(…)")).to_have_attribute("data-state", "waiting")
    page.get_by_role("button", name="Steps of call(Trip).wait(…)").click()
    expect(step(page, 'run("ask")')).to_be_visible()
    expect(page).to_have_url(re.compile("expand=inv_1"))
    page.locator(".why").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Trip/wait")).to_be_visible()


def test_what_was_interrupted_names_what_followed(page: Page, server: Client) -> None:
    caller = server.send("Trip/interrupt")
    server.wait_status(caller, "completed")
    rows = server.query(f"SELECT id FROM sys_invocation WHERE invoked_by_id = '{caller}' ORDER BY created_at")
    first, second = (row["id"] for row in rows)
    opened(page, first)
    links = page.locator("dl div").filter(has_text="Followed by").get_by_role("link")
    expect(links.first).to_have_attribute("href", f"/ui/invocations/{second}")
    expect(links.last).to_have_attribute("href", f"/ui/compare?a={first}&b={second}")


def test_a_running_step_is_seen_to_end(page: Page, server: Client) -> None:
    effects[:] = [one for one in effects if one != "slow"]
    invocation = server.send("Trip/slow")
    opened(page, invocation)
    expect(step(page, 'run("long")')).to_have_attribute("data-state", "running")
    effects.append("slow")
    expect(step(page, 'run("long")')).to_have_attribute("data-state", "ok")
    expect(rows(page).last).to_contain_text("completed")


def test_a_retry_tells_the_step_the_failure_and_when(page: Page, server: Client) -> None:
    invocation = server.send("Trip/stumble", "529 overloaded")
    server.wait_status(invocation, "backing-off")
    opened(page, invocation)
    expect(page.locator(".why")).to_contain_text(re.compile(r"2nd try in \S+ · fetch: .*529 overloaded"))
    expect(step(page, 'run("fetch")')).to_have_attribute("data-state", "retrying")
    server.operate(invocation, "kill")


def test_who_waits_for_a_key_sees_who_holds_it(page: Page, server: Client) -> None:
    holder = server.send("Notes/one/hold")
    server.wait_status(holder, "running", "suspended")
    queued = server.send("Notes/one/keep", 1)
    page.goto(f"/ui/invocations/{queued}")
    held = page.locator(".why").get_by_role("link")
    expect(held).to_have_attribute("href", f"/ui/invocations/{holder}")
    server.operate(holder, "kill")


def test_an_operation_is_a_row_with_its_reason(page: Page, server: Client) -> None:
    invocation = server.send("Trip/stumble", "to be paused")
    server.wait_status(invocation, "backing-off")
    opened(page, invocation)
    page.keyboard.press("p")
    page.get_by_label("Reason").fill("let it rest")
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    server.wait_status(invocation, "paused")
    expect(rows(page).filter(has_text="let it rest")).to_contain_text("pause")
    expect(step(page, "paused")).to_be_visible()
    server.operate(invocation, "kill")


def test_the_keyboard_alone_goes_through_the_rows(page: Page, failed: str) -> None:
    opened(page, failed)
    for _ in range(3):
        page.keyboard.press("j")
    expect(page.locator("tr:focus")).to_have_attribute("data-step", "1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"step=1$"))
    page.keyboard.press("]")
    expect(page.locator("tr:focus")).to_contain_text("refuse")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile("expand=inv_1"))
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile(r"restart\?from=11"))


def test_zoom_is_in_the_address_and_can_be_undone(page: Page, failed: str) -> None:
    opened(page, failed)
    page.keyboard.press("+")
    expect(page).to_have_url(re.compile(r"zoom=0.25-0.75"))
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("zoom"))


def test_a_part_of_the_whole_is_chosen_by_dragging(page: Page, failed: str) -> None:
    opened(page, failed)
    box: Any = page.locator(".minimap svg").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 5)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"zoom=0\.2[45]\d*-0\.(49|50?)"))
    page.get_by_role("button", name="All", exact=True).click()
    expect(page).not_to_have_url(re.compile("zoom"))


def test_what_is_not_live_stays_as_it_is_until_it_is_live_again(page: Page, server: Client) -> None:
    invocation = server.send("Trip/stumble", "to be stopped")
    server.wait_status(invocation, "backing-off")
    opened(page, invocation)
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="○ stopped")).to_be_visible()
    server.operate(invocation, "kill")
    server.wait_status(invocation, "completed")
    expect(page.get_by_role("button", name="Retry now")).to_be_visible()
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Restart as new")).to_be_visible()


def test_the_keys_are_told_by_a_question_mark(page: Page, failed: str) -> None:
    opened(page, failed)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("restart from the row")


def test_all_of_it_is_there_as_json(page: Page, failed: str) -> None:
    page.goto(f"/ui/invocations/{failed}?tab=json")
    expect(page.locator("pre.raw")).to_contain_text('"completion_failure": "[422] no such place"')


@pytest.fixture(scope="module")
def hostile(server: Client) -> str:
    invocation = server.send("Trip/hostile", 8 * 1024 * 1024)
    server.wait_status(invocation, "completed")
    return invocation


def test_names_and_values_are_text_and_nothing_else(page: Page, hostile: str) -> None:
    opened(page, hostile, "?step=1")
    expect(page.get_by_role("complementary", name="Step")).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("main img, main script")).to_have_count(0)
    expect(rows(page).nth(2).locator("code")).to_contain_text(RTL.split(" <")[0])


def test_a_huge_value_is_read_on_demand_and_cut(page: Page, hostile: str) -> None:
    opened(page, hostile)
    step(page, 'run("big")').get_by_role("button", name="8.0 MiB").click()
    popover = page.locator("[popover]")
    expect(popover.get_by_role("button", name="Show all 8.0 MiB")).to_be_visible()
    assert len(popover.locator("pre").inner_text()) == 20000


def test_bytes_are_shown_as_numbers(page: Page, hostile: str) -> None:
    opened(page, hostile)
    step(page, "return").get_by_role("button", name="binary").click()
    expect(page.locator("[popover] pre")).to_have_text("ff fe 00")


def test_a_long_journal_is_there_from_its_beginning_with_few_rows_drawn(page: Page, server: Client) -> None:
    invocation = server.send("Trip/many", 600)
    server.wait_status(invocation, "completed")
    opened(page, invocation)
    expect(page.get_by_text("1202 entries")).to_be_visible()
    expect(step(page, 'run("step 0")')).to_be_visible()
    assert rows(page).count() < 100
    page.goto(f"/ui/invocations/{invocation}?step=801")
    expect(step(page, 'run("step 400")')).to_be_in_viewport()


@pytest.mark.parametrize("search", ["", "?step=1", "?tab=json"])
def test_everybody_can_use_it(page: Page, failed: str, search: str) -> None:
    page.goto(f"/ui/invocations/{failed}{search}")
    expect(page.locator("tr[data-step], pre.raw").first).to_be_visible()
    assert faults(page) == []


def test_a_phone_shows_steps_and_timeline_side_by_side(page: Page, failed: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    opened(page, failed, "?step=1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box: Any = step(page, 'run("think")').locator("td.time").bounding_box()
    assert box["width"] > 100


def test_an_unknown_id_says_so(page: Page) -> None:
    page.goto("/ui/invocations/inv_1gdJBtdVEcM942bjcDmb1c1khoaJe11Hbz")
    expect(page.locator(".empty")).to_contain_text("is not known")
