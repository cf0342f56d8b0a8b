"""The list of invocations: what it shows, how it follows, and what one can do in it."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from page.accessible import faults
from page.services import app
from support.client import Client, wait_for
from support.embedded import embedded

HOSTILE = '<img src=x onerror="throw 1">\u202e\u05d0\u05d1🐙'


def rows(page: Page) -> Any:
    return page.locator("tr[data-id]")


def ids(page: Page) -> list[str]:
    """Of the rows, from top to bottom."""
    found: list[str] = rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")
    return found


def status_of(server: Client, invocation: str) -> str:
    found = server.query(f"SELECT status FROM sys_invocation WHERE id = '{invocation}'")
    return str(found[0]["status"]) if found else "gone"


def waiting(server: Client, key: str) -> str:
    """An invocation of the object `key` that holds it."""
    return server.send(f"Basket/{key}/hold")


def test_a_new_invocation_appears_by_itself_and_so_does_its_end(server: Client, page: Page) -> None:
    page.goto("/ui/invocations?service=Agent&handler=ask")
    expect(page.get_by_text("live")).to_be_visible()
    asked = server.send("Agent/ask", "May I?")
    expect(page.locator(f"tr[data-id={asked}]")).to_be_visible()
    server.operate(asked, "kill")
    expect(page.locator(f"tr[data-id={asked}]")).to_contain_text("Killed")


def test_a_row_never_moves_under_the_cursor(server: Client, page: Page) -> None:
    first = waiting(server, "still")
    page.goto("/ui/invocations?service=Basket&handler=hold")
    page.locator(f"tr[data-id={first}]").hover()
    before = rows(page).first.get_attribute("data-id")
    second = waiting(server, "still2")
    show = page.get_by_role("button", name=re.compile("1 new"))
    expect(show).to_be_visible()
    assert rows(page).first.get_attribute("data-id") == before
    show.click()
    expect(rows(page).first).to_have_attribute("data-id", second)


def test_a_row_that_matches_no_more_stays_until_nothing_can_jump(server: Client, page: Page) -> None:
    held = waiting(server, "leaving")
    page.goto("/ui/invocations?key=leaving&status=running&status=suspended&status=ready")
    row = page.locator(f"tr[data-id={held}]")
    row.hover()
    server.operate(held, "kill")
    expect(row).to_have_class(re.compile("left"))


def test_the_status_bar_filters_and_the_address_says_so(server: Client, page: Page) -> None:
    server.failure(server.send("Agent/refuse", "not today"))
    server.call("Agent/plan", {"topic": "order"})
    page.goto("/ui/invocations?service=Agent")
    page.locator("button[data-status=failed]").click()
    expect(page).to_have_url(re.compile("status=failed"))
    expect(page.get_by_text("not today").first).to_be_visible()
    expect(rows(page).filter(has_text="Succeeded")).to_have_count(0)
    page.go_back()
    expect(rows(page).filter(has_text="Succeeded").first).to_be_visible()


def test_counts_tell_cancelled_from_failed(server: Client, page: Page) -> None:
    server.operate(waiting(server, "counted"), "kill")
    wait_for(
        lambda: server.query(
            "SELECT 1 AS x FROM sys_invocation WHERE target_service_key='counted' AND status='completed'"
        ),
        "its end",
    )
    page.goto("/ui/invocations?key=counted")
    expect(page.locator(".legend button")).to_have_text(["☠Killed 1"])


def test_a_search_finds_by_error_by_id_and_by_field(server: Client, page: Page) -> None:
    failed = server.send("Agent/refuse", "the pelican is out")
    server.failure(failed)
    page.goto("/ui/invocations")
    page.keyboard.press("/")
    page.keyboard.type("PELICAN")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_have_attribute("data-id", failed)
    page.get_by_role("button", name="Remove: text contains PELICAN").click()
    expect(page).to_have_url(re.compile("/ui/invocations$"))
    page.keyboard.press("/")
    page.keyboard.type(f"{failed}\n")
    expect(rows(page)).to_have_count(1)
    expect(page).to_have_url(re.compile(f"id={failed}"))
    page.goto("/ui/invocations")
    page.keyboard.press("/")
    page.keyboard.type("handler:refuse service:Agent pelican\n")
    expect(page).to_have_url(re.compile("service=Agent&handler=refuse&text=pelican"))
    expect(rows(page)).to_have_count(1)


def test_a_filter_is_added_changed_and_removed(server: Client, page: Page) -> None:
    waiting(server, "chip")
    page.goto("/ui/invocations")
    page.get_by_label("Add a filter").select_option("key")
    page.keyboard.type("chip\n")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Change: key is chip").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("nobody\n")
    expect(page.get_by_text("No invocation matches.")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(rows(page).first).to_be_visible()


def test_pages_go_on_where_the_last_one_ended_however_it_is_sorted(server: Client, page: Page) -> None:
    sent = {server.send("Basket/paged/add", f"x{index}", delay="1h") for index in range(105)}
    for order in ("created", "created up", "target", "took up"):
        page.goto(f"/ui/invocations?key=paged&sort={order}")
        expect(rows(page)).to_have_count(100)
        first = set(ids(page))
        page.get_by_role("button", name="Next page").click()
        expect(rows(page)).to_have_count(5)
        assert set(ids(page)) == sent - first
    page.go_back()
    expect(rows(page)).to_have_count(100)


def test_the_list_tells_its_keys(page: Page) -> None:
    page.goto("/ui/invocations")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("ticks up to the row")


def test_a_column_says_how_it_is_sorted_and_columns_can_be_chosen(server: Client, page: Page) -> None:
    waiting(server, "columns")
    page.goto("/ui/invocations?service=Basket")
    page.get_by_role("button", name="Target").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Target")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Key", exact=True).check()
    expect(page.get_by_role("columnheader", name="Key")).to_be_visible()
    page.reload()
    expect(page.get_by_role("columnheader", name="Key")).to_be_visible()


def test_a_view_is_kept_by_the_browser_and_forgotten(server: Client, page: Page) -> None:
    page.goto("/ui/invocations?service=Basket&status=running")
    page.get_by_role("button", name="Keep this view").click()
    page.keyboard.type("baskets\n")
    expect(page.get_by_role("link", name="baskets")).to_be_visible()
    page.close()
    page = page.context.new_page()  # another tab, which sees what the browser keeps
    page.goto("/ui/invocations")
    page.get_by_role("link", name="baskets").click()
    expect(page).to_have_url(re.compile("status=running&service=Basket"))
    page.get_by_role("button", name="Forget the view baskets").click()
    expect(page.get_by_role("link", name="baskets")).to_have_count(0)


def test_the_keyboard_alone_pauses_opens_and_returns(server: Client, page: Page) -> None:
    held = waiting(server, "keyboard")
    page.goto("/ui/invocations?key=keyboard")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("p")
    page.keyboard.type("to look at it")
    page.keyboard.press("Enter")
    wait_for(lambda: status_of(server, held) == "paused", "the pause")
    expect(rows(page)).to_contain_text("Paused")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/ui/invocations/{held}"))
    page.go_back()
    expect(rows(page)).to_have_count(1)


def test_two_tabs_see_what_one_of_them_does(server: Client, page: Page) -> None:
    held = waiting(server, "tabs")
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto("/ui/invocations?key=tabs")
        expect(rows(tab)).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    expect(other.locator(f"tr[data-id={held}]")).to_contain_text("Cancelled")
    expect(rows(page)).to_contain_text("Cancelled")


def test_nobody_is_shut_out(server: Client, page: Page) -> None:
    waiting(server, HOSTILE.replace("/", "%2F").replace("<", "%3C").replace("?", "%3F"))
    server.failure(server.send("Agent/refuse", HOSTILE))
    page.goto("/ui/invocations")
    expect(rows(page).first).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("region", name="Operations on many")).to_be_visible()
    assert faults(page) == []


def test_hostile_names_are_text_and_keep_the_page_in_shape(server: Client, page: Page) -> None:
    server.failure(server.send("Agent/refuse", HOSTILE * 40))
    page.goto("/ui/invocations?handler=refuse&text=onerror")
    expect(rows(page).first).to_contain_text("<img src=x")
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_phone_shows_all_of_a_row(server: Client, page: Page) -> None:
    waiting(server, "k" * 200)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/ui/invocations")
    expect(rows(page).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_server_that_comes_back_is_followed_again(browser: Browser, tmp_path: Path) -> None:
    with embedded(tmp_path, app) as server:
        admin = server.admin
        held = server.send("Basket/away/hold")
        tab = browser.new_page(base_url=admin)
        tab.goto("/ui/invocations")
        expect(rows(tab)).to_have_count(1)
    expect(tab.get_by_role("alert")).to_contain_text("The server does not answer", timeout=10_000)
    with embedded(tmp_path, app, admin=admin.removeprefix("http://")) as server:
        server.operate(held, "kill")
        expect(tab.get_by_role("alert")).to_have_count(0, timeout=10_000)
        expect(rows(tab)).to_contain_text("Killed")
    tab.close()
