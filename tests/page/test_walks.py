"""What somebody who has never seen the page wants to know first, from the overview in three clicks at most."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import restate
from playwright.sync_api import Locator, Page, expect

from support.client import Client
from support.embedded import embedded

CLICKS_MAX = 3

agent = restate.Service("Agent")
claim = restate.Workflow("Claim")
answers: list[str] = []
"""Questions that the model answers by now."""


@agent.handler()
async def research(ctx: restate.Context, topic: str) -> str:
    """One step that works, and one that fails: for good where the topic is forbidden, else again and again."""
    sources = await ctx.run_typed("find sources", lambda: {"sources": [topic, "an old atlas"]})

    def ask() -> str:
        if topic in answers:
            return f"{topic}, from {len(sources['sources'])} sources"
        if topic == "forbidden":
            raise restate.TerminalError("the model refuses", status_code=422)
        raise ConnectionError("model.example refused the connection")

    return await ctx.run_typed("ask model", ask, restate.RunOptions(initial_retry_interval=timedelta(minutes=1)))


@claim.main()
async def decide(ctx: restate.WorkflowContext) -> str:
    """Waits for a person."""
    await ctx.run_typed("read documents", lambda: "3 invoices")
    return await ctx.promise("manager", type_hint=str).value()


app = restate.app([agent, claim])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded(tmp_path_factory.mktemp("walks"), app) as client:
        client.change_service("Claim", {"inactivity_timeout": "PT0.1S"})
        client.wait_status(client.send("Agent/research", "rivers"), "backing-off")
        client.wait_status(client.send("Agent/research", "forbidden"), "completed")
        client.wait_status(client.send("Claim/claim-1/decide"), "suspended")
        paused = client.send("Agent/research", "deserts")
        client.wait_status(paused, "backing-off")
        headers = {"x-perdure-actor": "ada", "x-perdure-reason": "its budget is spent"}
        httpx.patch(f"{client.admin}/invocations/{paused}/pause", headers=headers).raise_for_status()
        client.wait_status(paused, "paused")
        yield client


class Walk:
    """A person with a mouse who begins at the overview."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        page.goto("/ui")

    def click(self, place: Locator) -> "Walk":
        self.clicks += 1
        assert self.clicks <= CLICKS_MAX
        place.click()
        return self

    def number(self, words: str) -> "Walk":
        """One of the numbers that need somebody."""
        return self.click(self.page.get_by_role("region", name="Needs you").get_by_role("link", name=words))

    def target(self, name: str) -> "Walk":
        """What runs, where the list names it."""
        return self.click(self.page.get_by_role("table").get_by_role("link", name=name))


def step(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_text(f'run("{name}")', exact=True))


def test_why_is_this_agent_stuck(page: Page) -> None:
    Walk(page).number("retrying").target("Agent/research")
    expect(page.get_by_role("heading", level=1)).to_have_text("Agent/research")
    expect(page.get_by_text(re.compile("in .*ask model: .*model.example refused the connection"))).to_be_visible()
    expect(step(page, "ask model")).to_contain_text("failed tr")


def test_who_has_stopped_it(page: Page) -> None:
    Walk(page).number("paused").target("Agent/research")
    expect(page.get_by_text("paused by ada: its budget is spent")).to_be_visible()


def test_why_does_this_claim_not_go_on(page: Page) -> None:
    Walk(page).number("waiting for an answer").target("Claim/claim-1/decide")
    expect(page.get_by_text("Waits for").first).to_contain_text("manager")


def test_what_did_it_do_before(page: Page) -> None:
    walk = Walk(page).number("retrying").target("Agent/research")
    expect(step(page, "find sources")).to_contain_text("rivers")
    walk.click(step(page, "find sources").get_by_text("run("))
    expect(page.get_by_role("complementary", name="Step")).to_contain_text("an old atlas")


def test_how_is_it_restarted_from_the_step_that_failed(page: Page, server: Client) -> None:
    walk = Walk(page).number("failed in the last hour").target("Agent/research")
    restart = page.get_by_role("button", name="Restart as new")
    walk.click(restart)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Restart")
    expect(page.get_by_text("Keeps 1 step, runs 1 again.")).to_be_visible()
    expect(step(page, "find sources")).to_contain_text("keep")
    expect(step(page, "ask model")).to_contain_text("run again")
    answers.append("forbidden")
    restart.click()
    expect(page.get_by_text("Restarted from")).to_be_visible()
    assert server.attach(page.url.rsplit("/", 1)[1]) == "forbidden, from 2 sources"


def test_how_does_a_stuck_one_try_that_step_again(page: Page, server: Client) -> None:
    walk = Walk(page).number("retrying").target("Agent/research")
    walk.click(page.get_by_role("button", name="Retry now"))
    expect(page.get_by_role("dialog")).to_contain_text("The next try starts at once")
    answers.append("rivers")
    page.get_by_role("dialog").get_by_role("button", name="Retry now").click()
    [row] = server.query("SELECT id FROM sys_invocation WHERE target = 'Agent/research' ORDER BY created_at LIMIT 1")
    assert server.attach(row["id"]) == "rivers, from 2 sources"
