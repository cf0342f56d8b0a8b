"""Questions in SQL, and what the browser remembers for its reader."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from page.accessible import faults
from support.client import Client

QUERY = (
    "SELECT id, target, completion_result FROM sys_invocation WHERE target_service_name = 'Agent' ORDER BY created_at"
)


@pytest.fixture(scope="module")
def planned(server: Client) -> str:
    """A completed invocation."""
    done = server.send("Agent/plan", {"topic": 'a, "quoted" topic'})
    server.attach(done)
    return done


@pytest.fixture
def silent(browser: Browser, server: Client) -> Iterator[Page]:
    """A page whose console may tell of refused queries, which browsers log as failed requests."""
    with browser.new_context(base_url=server.admin) as context:
        yield context.new_page()


def ask(page: Page, query: str) -> None:
    page.get_by_label("Query").fill(query)
    page.get_by_label("Query").press("Control+Enter")


def test_a_query_is_answered_and_its_ids_are_links(page: Page, planned: str) -> None:
    page.goto("/ui/sql")
    ask(page, QUERY)
    result = page.get_by_role("region", name="Result")
    expect(result).to_contain_text("Agent/plan")
    expect(page).to_have_url(re.compile(r"q=SELECT"))
    result.get_by_role("link", name=planned).click()
    expect(page).to_have_url(re.compile(f"/ui/invocations/{planned}"))
    page.go_back()
    expect(result).to_contain_text("Agent/plan")


def test_the_answer_is_saved_as_csv(page: Page, planned: str, tmp_path: Path) -> None:
    page.goto("/ui/sql")
    ask(page, f"SELECT id, 'a, \"b\"' AS odd FROM sys_invocation WHERE id = '{planned}'")
    expect(page.get_by_role("region", name="Result")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    saved.value.save_as(tmp_path / "answer.csv")
    with (tmp_path / "answer.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [{"id": planned, "odd": 'a, "b"'}]


def test_every_example_is_answered(page: Page, planned: str) -> None:
    page.goto("/ui/sql")
    examples = page.get_by_label("Start from").locator("optgroup[label=Examples] option")
    for at in range(examples.count()):
        name = examples.nth(at).inner_text()
        page.get_by_label("Start from").select_option(label=name)
        with page.expect_response(lambda got: got.url.endswith("/query") and got.request.method == "POST") as answered:
            page.get_by_label("Query").press("Control+Enter")
        assert answered.value.status == 200, name
        expect(page.get_by_role("status").filter(has_text="ms")).to_be_visible()


def test_what_was_asked_before_can_be_asked_again(page: Page, planned: str) -> None:
    page.goto("/ui/sql")
    ask(page, "SELECT 41 + 1 AS answer")
    expect(page.get_by_role("region", name="Result")).to_contain_text("42")
    page.goto("/ui/sql")
    page.get_by_label("Start from").select_option(label="SELECT 41 + 1 AS answer")
    expect(page.get_by_label("Query")).to_have_value("SELECT 41 + 1 AS answer")


def test_a_mistake_is_told_where_it_was_made(silent: Page) -> None:
    silent.goto("/ui/sql")
    ask(silent, "SELECT * FROM nowhere")
    expect(silent.get_by_role("alert")).to_contain_text("nowhere")


def test_the_chosen_colours_and_times_stay(page: Page, planned: str) -> None:
    page.goto(f"/ui/invocations/{planned}")
    page.emulate_media(color_scheme="light")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_label("Colours").select_option("dark")
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    page.get_by_label("Times").select_option("utc")
    page.reload()
    expect(page.get_by_label("Colours")).to_have_value("dark")
    expect(page.get_by_label("Times")).to_have_value("utc")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == dark


def test_everybody_can_use_it(page: Page, planned: str) -> None:
    page.goto("/ui/sql")
    ask(page, QUERY)
    expect(page.get_by_role("region", name="Result")).to_be_visible()
    assert faults(page) == []
