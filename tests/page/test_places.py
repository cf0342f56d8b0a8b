"""Waits, objects, services and deployments: what they show, and what their operations do in the engine."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx
import pytest
import restate
from playwright.sync_api import Browser, Locator, Page, expect
from pydantic import BaseModel

from page.accessible import faults
from page.journeys import RTL, hold, keep, notes, order, tools, trip
from support.client import CallFailed, Client, wait_for
from support.embedded import embedded
from support.servers import python_services

approval = restate.Workflow("Approval")


PROMISE = "de/ci sion?"
SIGNAL = "go/on"


@approval.main()
async def decide(ctx: restate.WorkflowContext) -> Any:
    """Waits for somebody's decision."""
    return await ctx.promise(PROMISE).value()


green = restate.Service("Green")


@green.handler()
async def light(ctx: restate.Context) -> Any:
    """Waits for a signal."""
    return await ctx.signal(SIGNAL)


class Order(BaseModel):
    """Simple fields, of which two may be left out."""

    item: str
    count: int
    size: Literal["small", "large"]
    gift: bool = False
    note: str | None = None


shop = restate.VirtualObject("Shop")


@shop.handler()
async def buy(ctx: restate.ObjectContext, order: Order) -> dict[str, Any]:
    """Tells what was bought, and for whom."""
    return {"for": ctx.key(), **order.model_dump()}


@shop.handler()
async def measure(ctx: restate.ObjectContext, sizes: list[dict[str, int]]) -> int:
    """Tells how many sizes there are."""
    return len(sizes)


app = restate.app([trip, tools, notes, order, approval, green, shop])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with embedded(tmp_path_factory.mktemp("places"), app) as client:
        for service in ("Trip", "Approval", "Green"):
            client.change_service(service, {"inactivity_timeout": "PT0.1S"})
        yield client


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serves Agent and Basket over HTTP."""
    with python_services(
        tmp_path_factory.mktemp("endpoint"), {}, services=Path(__file__).with_name("services.py")
    ) as uri:
        yield uri


@pytest.fixture
def waiting(server: Client) -> str:
    invocation = server.send("Trip/wait")
    server.wait_status(invocation, "suspended")
    return invocation


def row_of(page: Page, invocation: str) -> Locator:
    page.goto("/ui/waits")
    return page.locator("tr").filter(has=page.locator(f'a[href="/ui/invocations/{invocation}"]'))


def answer_dialog(page: Page, invocation: str) -> None:
    row_of(page, invocation).get_by_role("link", name="Answer").click()


def state(server: Client, key: str) -> dict[str, Any]:
    rows = server.query(f"SELECT key, value_utf8 FROM state WHERE service_name = 'Notes' AND service_key = '{key}'")
    return {row["key"]: json.loads(row["value_utf8"]) for row in rows}


def test_an_awakeable_is_resolved_with_json(page: Page, server: Client, waiting: str) -> None:
    answer_dialog(page, waiting)
    expect(page).to_have_url(re.compile("id=sign_1"))
    button = page.get_by_role("button", name="Resolve")
    page.get_by_label("Value, as JSON").fill('"yes')
    expect(page.get_by_text("Not JSON: line 1, column 1")).to_be_visible()
    expect(button).to_be_disabled()
    page.get_by_label("Value, as JSON").fill('"go on"')
    button.click()
    assert server.wait_status(waiting, "completed")["completion_result"] == "success"
    assert server.attach(waiting) == "answer"
    expect(page.locator(f'a[href="/ui/invocations/{waiting}"]')).to_have_count(0)


def test_an_awakeable_is_rejected_with_a_message(page: Page, server: Client, waiting: str) -> None:
    answer_dialog(page, waiting)
    page.get_by_role("dialog").get_by_role("combobox").select_option("reject")
    page.get_by_label("Message").fill("not today")
    page.get_by_role("button", name="Reject").click()
    assert server.wait_status(waiting, "completed")["completion_failure"] == "[500] not today"


def test_a_promise_of_a_workflow_is_resolved(page: Page, server: Client) -> None:
    waiting = server.send("Approval/a1/decide")
    server.wait_status(waiting, "suspended")
    row = row_of(page, waiting)
    expect(row).to_contain_text(f'promise("{PROMISE}") of Approval/a1')
    expect(row).to_contain_text("ago")
    row.get_by_role("link", name="Answer").click()
    page.get_by_label("Value, as JSON").fill('{"n": 12345678901234567890}')
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert server.attach(waiting) == {"n": 12345678901234567890}


def test_a_promise_is_rejected_from_the_page_of_its_workflow(page: Page, server: Client) -> None:
    waiting = server.send("Approval/a2/decide")
    server.wait_status(waiting, "suspended")
    page.goto("/ui/objects/Approval/a2")
    page.get_by_role("region", name="Promises").get_by_role("link", name="open").click()
    page.get_by_role("dialog").get_by_role("combobox").select_option("reject")
    page.get_by_label("Message").fill("not today")
    page.get_by_role("button", name="Reject").click()
    assert server.wait_status(waiting, "completed")["completion_failure"] == "[500] not today"


def test_a_promise_that_somebody_else_completed_is_not_taken(browser: Browser, server: Client) -> None:
    waiting = server.send("Approval/a3/decide")
    server.wait_status(waiting, "suspended")
    page = browser.new_page(base_url=server.admin)
    row_of(page, waiting).get_by_role("link", name="Answer").click()
    page.get_by_label("Value, as JSON").fill("2")
    promise = {"key": "a3", "name": PROMISE, "value": 1}
    httpx.post(f"{server.admin}/services/Approval/promises/resolve", json=promise).raise_for_status()
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("alert")).to_contain_text("already completed")
    page.close()
    assert server.attach(waiting) == 1


def test_a_signal_is_sent(page: Page, server: Client) -> None:
    waiting = server.send("Green/light")
    server.wait_status(waiting, "suspended")
    row = row_of(page, waiting)
    expect(row).to_contain_text(f'signal("{SIGNAL}")')
    row.get_by_role("link", name="Answer").click()
    page.get_by_label("Value, as JSON").fill('"green"')
    page.get_by_role("button", name="Resolve").click()
    assert server.attach(waiting) == "green"


def test_a_handler_is_tried_with_a_field_for_each_property(page: Page, server: Client) -> None:
    page.goto("/ui/services")
    page.get_by_role("link", name="buy").click()
    expect(page).to_have_url(re.compile("/ui/services/Shop/buy$"))
    page.get_by_label("Key", exact=True).fill("anna/1")
    page.get_by_label("item").fill(RTL)
    page.get_by_label("count").fill("3")
    page.get_by_label("size").select_option('"large"')
    page.get_by_role("button", name="Send").click()
    outcome = page.get_by_role("region", name="Outcome")
    expect(outcome).to_contain_text("Succeeded")
    expect(outcome).to_contain_text('"for": "anna/1"')
    invocation = outcome.get_by_role("link").inner_text()
    bought = {"for": "anna/1", "item": RTL, "count": 3, "size": "large", "gift": False, "note": None}
    assert server.attach(invocation) == bought


def test_an_input_of_another_shape_is_written_as_json(page: Page, server: Client) -> None:
    page.goto("/ui/services/Shop/measure")
    body = page.get_by_label("Input, as JSON")
    expect(body).to_have_value(re.compile(r"^\[\s*{"))
    body.fill("[{},")
    expect(page.get_by_text("Not JSON: line 1, column 5")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    body.fill("[{}, {}]")
    page.get_by_label("Key", exact=True).fill("")
    page.get_by_role("button", name="Send").click()
    outcome = page.get_by_role("region", name="Outcome")
    expect(outcome.locator("pre")).to_have_text("2")
    row = server.invocation(outcome.get_by_role("link").inner_text())
    assert row is not None
    assert row["target_service_key"] == ""


def test_a_trial_is_delayed_and_is_the_same_for_one_idempotency_key(page: Page, server: Client) -> None:
    page.goto("/ui/services/Tools/search")
    page.get_by_label("Input, as JSON").fill('"tea"')
    page.get_by_text("Delay, idempotency key").click()
    page.get_by_label("Start later").fill("1 hour")
    page.get_by_label("Idempotency key", exact=False).fill("once")
    page.get_by_role("button", name="Send").click()
    outcome = page.get_by_role("region", name="Outcome")
    expect(outcome).to_contain_text("Scheduled")
    invocation = outcome.get_by_role("link").inner_text()
    row = server.invocation(invocation)
    assert row is not None
    assert (row["status"], row["idempotency_key"]) == ("scheduled", "once")
    assert server.send("Tools/search", "coffee", idempotency_key="once") == invocation


def test_what_a_trial_is_refused_with_is_told(browser: Browser, server: Client) -> None:
    page = browser.new_page(base_url=server.admin)
    page.goto("/ui/services/Tools/search")
    page.get_by_text("Delay, idempotency key").click()
    page.get_by_label("Start later").fill("soon")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("delay")
    page.close()


@pytest.mark.parametrize("key", ["", "v1.2", "a/b", RTL])
def test_every_key_has_a_page_that_can_be_loaded_again(page: Page, server: Client, key: str) -> None:
    server.call(f"Notes/{quote(key, safe='')}/keep", "here")
    page.goto("/ui/objects/Notes")
    page.get_by_role("link", name=key or '""', exact=True).click()
    for _ in range(2):
        expect(page.get_by_role("region", name="State")).to_contain_text('"here"')
        page.reload()


def test_a_change_of_state_is_what_handlers_read(page: Page, server: Client) -> None:
    server.call("Notes/k1/keep", {"n": 1})
    page.goto("/ui/objects/Notes")
    page.get_by_role("link", name="k1").click()
    page.get_by_role("button", name="Edit note").click()
    after = page.get_by_label("After")
    expect(after).to_have_value(re.compile("n"))
    after.fill('{"n":\n 2,}')
    expect(page.get_by_text("line 2, column 4")).to_be_visible()
    after.fill('{"n": 2}')
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert server.call("Notes/k1/keep", "next") == {"n": 2}


def test_entries_are_added_and_removed_and_the_others_stay(page: Page, server: Client) -> None:
    server.call("Notes/k2/keep", 1)
    page.goto("/ui/objects/Notes/k2")
    page.get_by_role("button", name="Add an entry").click()
    page.get_by_label("Name").fill(RTL)
    page.get_by_label("After").fill("[true]")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("cell", name=RTL, exact=True)).to_be_visible()
    assert state(server, "k2") == {"note": 1, RTL: [True]}
    page.get_by_role("button", name="Edit note").click()
    page.get_by_label("Remove the entry").check()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert state(server, "k2") == {RTL: [True]}


def test_a_state_that_somebody_else_changed_is_left_alone(browser: Browser, server: Client) -> None:
    server.call("Notes/k3/keep", 1)
    page = browser.new_page(base_url=server.admin)
    page.goto("/ui/objects/Notes/k3")
    page.get_by_role("button", name="Edit note").click()
    expect(page.get_by_label("After")).to_have_value("1")
    server.call("Notes/k3/keep", 7)
    page.get_by_label("After").fill("2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody else changed the state")
    page.close()
    assert state(server, "k3") == {"note": 7}


def test_a_binary_entry_is_replaced(page: Page, server: Client) -> None:
    change = {"object_key": "k4", "name": "raw", "before": None, "value": [0, 255]}
    httpx.patch(f"{server.admin}/services/Notes/state", json=change).raise_for_status()
    page.goto("/ui/objects/Notes/k4")
    page.get_by_role("button", name="Edit raw").click()
    expect(page.get_by_text("binary, 2 bytes")).to_be_visible()
    page.get_by_label("After").fill("[1]")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert state(server, "k4") == {"raw": [1]}


def test_a_change_waits_for_who_holds_the_key(page: Page, server: Client) -> None:
    holder = server.send("Notes/k5/hold")
    server.wait_status(holder, "running", "suspended")
    page.goto("/ui/objects/Notes/k5")
    page.get_by_role("button", name="Add an entry").click()
    page.get_by_label("Name").fill("note")
    page.get_by_label("After").fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="when the key is free")).to_be_visible()
    assert state(server, "k5") == {}
    server.operate(holder, "kill")
    wait_for(lambda: state(server, "k5") == {"note": 5}, "the change")


def test_who_holds_a_key_and_who_waits_for_it(page: Page, server: Client) -> None:
    holder = server.send(f"Notes/held/{hold.__name__}")
    server.wait_status(holder, "running", "suspended")
    queued = server.send(f"Notes/held/{keep.__name__}", 1)
    server.wait_status(queued, "pending")
    page.goto("/ui/objects/Notes/held")
    expect(page.get_by_role("link", name=holder)).to_be_visible()
    expect(page.get_by_text("1 waiting")).to_be_visible()
    page.goto("/ui/objects/Notes?begins=hel")
    expect(page.get_by_role("row").filter(has_text=holder)).to_contain_text("held")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": [1, -2.5e3, null, "\\u00e9"]} ', ""),
        ("", "line 1, column 1: a value is expected"),
        ("[1,\n 2,]", "line 2, column 4: a value is expected"),
        ('{"a" 1}', 'line 1, column 6: ":" is expected'),
        ("[1}", 'line 1, column 3: "," or "]" is expected'),
        ("1 2", "line 1, column 3: the end is expected"),
        ("{a: 1}", 'line 1, column 2: a name or "}" is expected'),
    ],
)
def test_where_a_text_stops_being_json(page: Page, text: str, fault: str) -> None:
    page.goto("/ui/")
    assert page.evaluate("async (text) => (await import('/ui/logic/json.js')).faultOf(text)", text) == fault


SIZES = {"$defs": {"Size": {"type": "object", "properties": {"mm": {"type": "integer"}}}}}


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "string"}, ""),
        ({"anyOf": [{"type": "null"}, {"type": "array", "items": {"enum": ["s", "l"]}}]}, ["s"]),
        ({"type": ["null", "number"], "examples": [2.5]}, 2.5),
        (
            {"type": "object", "properties": {"a": {"const": 1}, "b": {"$ref": "#/$defs/Size"}}} | SIZES,
            {"a": 1, "b": {"mm": 0}},
        ),
        ({"$ref": "#/$defs/Nothing"}, None),
        ({}, None),
    ],
)
def test_an_example_has_the_shape_of_the_schema(page: Page, schema: dict[str, Any], example: Any) -> None:
    page.goto("/ui/")
    assert page.evaluate("async (one) => (await import('/ui/logic/schema.js')).exampleOf(one)", schema) == example


@pytest.mark.parametrize(
    ("properties", "required", "body"),
    [
        ({"a": {"type": "string"}, "b": {"type": "integer"}}, ["a"], {"a": ""}),
        ({"a": {"type": "boolean"}, "b": {"enum": [1, "1"]}}, ["a", "b"], {"a": False, "b": 1}),
        (
            {"a": {"type": "number", "default": 0.5}, "b": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
            [],
            {"a": 0.5},
        ),
        ({"a": {"type": "array"}}, [], None),
        ({"a": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}, [], None),
    ],
)
def test_simple_properties_are_fields(page: Page, properties: Any, required: list[str], body: Any) -> None:
    page.goto("/ui/")
    schema = {"type": "object", "properties": properties, "required": required}
    script = """async (schema) => {
        const { fieldsOf, jsonOf } = await import('/ui/logic/schema.js');
        const fields = fieldsOf(schema);
        return fields && JSON.parse(jsonOf(fields, Object.fromEntries(fields.map((one) => [one.name, one.initial]))));
    }"""
    assert page.evaluate(script, schema) == body


def test_settings_of_a_service_are_changed(page: Page, server: Client) -> None:
    page.goto("/ui/services")
    page.get_by_role("link", name="Tools", exact=True).click()
    expect(page.get_by_role("link", name="search")).to_be_visible()
    expect(page.get_by_text("One step and an answer.")).to_be_visible()
    page.get_by_role("button", name="Change…").click()
    page.get_by_label("Can be called from outside").uncheck()
    page.get_by_label("Journals are kept").fill("3 hours")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    service = httpx.get(f"{server.admin}/services/Tools").json()
    assert (service["public"], service["journal_retention"]) == (False, "3h")
    with pytest.raises(CallFailed):
        server.call("Tools/search", "tea")
    server.change_service("Tools", {"public": True})


def test_a_registration_is_previewed_before_it_is_one(page: Page, server: Client, endpoint: str) -> None:
    before = deployments(server)
    page.goto("/ui/deployments")
    page.get_by_role("button", name="Register…").click()
    page.get_by_label("Address").fill(endpoint)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_contain_text(
        "Agent Service, revision 1: plan, ask"
    )
    assert deployments(server) == before
    page.get_by_role("button", name="Register", exact=True).click()
    wait_for(lambda: deployments(server) - before, "the new deployment")
    new = (deployments(server) - before).pop()
    page.goto(f"/ui/deployments/{new}")
    expect(page.locator("tr.chosen")).to_contain_text(new)


def test_a_deployment_moves_to_another_address(page: Page, server: Client, endpoint: str) -> None:
    deployment = server.register(endpoint)["id"]
    one = f"{server.admin}/deployments/{deployment}"
    before = httpx.get(one).json()["uri"]
    elsewhere = before.replace("127.0.0.1", "localhost")
    page.goto(f"/ui/deployments/{deployment}")
    page.get_by_role("button", name=f"Update {endpoint}").click()
    page.get_by_label("Address").fill(elsewhere)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("dialog").get_by_role("listitem").first).to_contain_text("Agent Service")
    assert httpx.get(one).json()["uri"] == before
    page.get_by_role("button", name="Update", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert httpx.get(one).json()["uri"] == elsewhere
    httpx.delete(one, params={"force": "true"}).raise_for_status()


def test_what_is_in_use_is_removed_by_force_alone(browser: Browser, server: Client, endpoint: str) -> None:
    deployment = server.register(endpoint)["id"]
    page = browser.new_page(base_url=server.admin)
    page.goto("/ui/deployments")
    page.get_by_role("button", name=f"Remove {endpoint}").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert deployment in deployments(server)
    page.get_by_role("button", name="Remove by force").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.close()
    assert deployment not in deployments(server)


@pytest.mark.parametrize(
    "place",
    ["waits", "objects", "objects/Notes", "objects/Notes/acc", "services", "services/Trip", "services/Shop/buy"],
)
def test_everybody_can_use_it(page: Page, server: Client, waiting: str, place: str) -> None:
    server.call("Notes/acc/keep", 1)
    page.goto(f"/ui/{place}")
    expect(page.get_by_role("main").locator("table, dl").first).to_be_visible()
    expect(page.locator("main > :first-child h1")).to_be_visible()
    assert faults(page) == []


def test_everybody_can_use_deployments_and_dialogs(page: Page) -> None:
    page.goto("/ui/deployments")
    expect(page.get_by_role("region", name="Deployments")).to_be_visible()
    expect(page.locator("main > :first-child h1")).to_be_visible()
    page.get_by_role("button", name="Register…").click()
    assert faults(page) == []


def deployments(server: Client) -> set[str]:
    return {one["id"] for one in httpx.get(f"{server.admin}/deployments").json()["deployments"]}
