"""What the list and the jobs are made of: filters, places, rows that stay where they are, the parts of a job."""

from typing import Any

import pytest
from playwright.sync_api import Page

ROW = "{id: 'inv_%s', status: 'running', target: 'A/b', created_at: '2026-01-01T00:00:0%sZ'}"


@pytest.fixture
def logic(page: Page) -> Any:
    """Runs an expression over the modules `filters`, `list`, `bulk`, `overview`."""
    page.goto("/ui/sql")

    def run(expression: str, argument: Any = None) -> Any:
        names = ("filters", "list", "bulk", "overview")
        modules = ", ".join(f"{name} = await import('/ui/logic/{name}.js')" for name in names)
        return page.evaluate(f"async (x) => {{ const {modules}; return ({expression}); }}", argument)

    return run


def test_a_filter_survives_the_address(logic: Any) -> None:
    search = "status=paused&status=failed&service=A%26B&key=a%2Cb&text=50%25+off"
    search += "&before=2026-01-01T00%3A00%3A00.000Z&waits=outside"
    assert logic("filters.fromSearch(new URLSearchParams(x)).toString()", search) == search


def test_what_is_no_status_and_no_time_is_left_out_of_a_filter(logic: Any) -> None:
    assert logic("filters.fromSearch(new URLSearchParams('status=great&after=soon&waits=ever')).size") == 0


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("inv_1abcdefghijkl", {"id": "inv_1abcdefghijkl"}),
        ("dp_1abcdefghijkl", {"deployment": "dp_1abcdefghijkl"}),
        ('key:"two words" timed out', {"key": "two words", "text": "timed out"}),
        ("status:paused service:A", {"status": "paused", "service": "A"}),
        ("status:great", {"text": "status:great"}),
        ("error: no such file", {"text": "error: no such file"}),
    ],
)
def test_what_is_typed_becomes_a_filter(logic: Any, typed: str, found: dict[str, str]) -> None:
    assert logic("Object.fromEntries(filters.withTyped(x, new URLSearchParams()))", typed) == found


def test_text_of_others_is_never_sql(logic: Any) -> None:
    sql = logic("filters.toSql(new URLSearchParams({key: x, text: x}))", "it's' OR 1=1 --%_")
    assert "'it''s'' OR 1=1 --%_'" in sql
    assert "'%it''s'' or 1=1 --\\%\\_%'" in sql


def test_a_page_goes_on_behind_its_last_row(logic: Any) -> None:
    sql = logic(
        "list.pageSql('TRUE', list.placeFrom(new URLSearchParams({from: x})), '2026-01-02T00:00:00Z')",
        "inv_1~~2026-01-01T00:00:00Z",
    )
    assert "created_at <= '2026-01-01T00:00:00Z' AND (created_at < '2026-01-01T00:00:00Z' OR id > 'inv_1')" in sql


def unmoved(shown: str, page: str, *, more: bool = False, missing: str = "") -> str:
    """What is shown while a page is another one: ids in their order, how many wait, and ids that are struck out."""
    new = f"{{...list.loaded([{page}]), next: {'more' if more else ''!r}}}"
    given = "(l) => [l.order, l.held, [...l.left]]"
    return f"({given})(list.unmoved(list.loaded([{shown}]), {new}, [{missing}]))"


def rows_of(*names: str) -> str:
    return ", ".join(ROW % (name, name) for name in names)


def test_new_rows_wait_above_and_among_what_is_shown(logic: Any) -> None:
    assert logic(unmoved(rows_of("3", "1"), rows_of("4", "3", "2", "1"))) == [["inv_3", "inv_1"], 2, []]


def test_new_rows_below_what_is_shown_take_their_place(logic: Any) -> None:
    assert logic(unmoved(rows_of("3"), rows_of("3", "1"))) == [["inv_3", "inv_1"], 0, []]
    assert logic(unmoved("", rows_of("3"))) == [["inv_3"], 0, []]


def test_what_new_rows_push_to_the_next_page_stays_as_it_is(logic: Any) -> None:
    assert logic(unmoved(rows_of("3", "2"), rows_of("4", "3"), more=True)) == [["inv_3", "inv_2"], 1, []]


def test_what_matches_no_more_is_struck_out_where_it_is_and_told_as_it_is_now(logic: Any) -> None:
    ended = rows_of("2").replace("running", "completed")
    assert logic(unmoved(rows_of("2", "1"), rows_of("1"), missing=ended)) == [["inv_2", "inv_1"], 0, ["inv_2"]]
    assert logic(unmoved(rows_of("1"), "")) == [["inv_1"], 0, ["inv_1"]]
    changed = f"list.unmoved(list.loaded([{rows_of('2')}]), list.loaded([]), [{ended}])"
    assert logic(f"{changed}.rows.get('inv_2').status") == "completed"


def test_an_operation_applies_to_the_statuses_that_it_fits(logic: Any) -> None:
    counts = {"running": 2, "paused": 3, "backing-off": 4, "failed": 5, "succeeded": 6}
    found = logic("Object.fromEntries(bulk.BULK.map((name) => [name, bulk.applies(name, x)]))", counts)
    assert found == {"cancel": 9, "pause": 6, "resume": 3, "retry-now": 4, "restart-as-new": 11, "kill": 9, "purge": 11}
    assert logic("bulk.applies('cancel', x, new URLSearchParams('status=paused&status=failed'))", counts) == 3


def test_a_job_counts_what_was_done_and_refused_and_goes_on_behind_it(logic: Any) -> None:
    asked = "{action: 'cancel', filters: new URLSearchParams(), ids: ['a', 'b', 'c'], total: 3, reason: ''}"
    answer = "{succeeded: ['a'], failed: [{invocation_id: 'b', error: 'no'}]}"
    job = logic(f"bulk.advanced(bulk.newJob({asked}, 'j', 0), ['a', 'b'], {answer})")
    assert (job["done"], job["failed"], job["ids"], job["watched"]) == (1, 1, ["c"], ["a"])
    assert job["failures"] == [{"invocation_id": "b", "error": "no"}]


def test_the_bars_of_an_hour_have_a_place_for_every_minute(logic: Any) -> None:
    bars = logic("overview.slots([{slot: overview.slotOf(x), result: 'success', n: 7}], x)", 1_800_000_000_000)
    assert len(bars) == 30
    assert bars[-1]["ok"] == 7
    assert sum(bar["ok"] + bar["fail"] for bar in bars) == 7


def test_what_is_stuck_is_told_only_of_services_whose_habits_are_known(logic: Any) -> None:
    usual = [{"service": "known", "n": 50, "seconds": 120}, {"service": "new", "n": 3, "seconds": 1}]
    to = "({service, filters}) => ({service, before: filters.get('before')})"
    found = logic(f"overview.stuckFilters(x, 1000000000000).map({to})", usual)
    assert [one["service"] for one in found] == ["known"]
    assert found[0]["before"] == "2001-09-09T01:44:40.000Z"
