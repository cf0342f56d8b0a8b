"""The logic of the journal's page: steps, times on a line, values, what lies side by side."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser

from support.client import Client


@pytest.fixture(scope="module")
def logic(browser: Browser, server: Client) -> Any:
    """Runs an expression in which `m` is a module of `logic/`."""
    page = browser.new_page(base_url=server.admin)
    page.goto("/ui/sql")

    def run(module: str, expression: str) -> Any:
        return page.evaluate(f"import('/ui/logic/{module}.js').then((m) => ({expression}))")

    return run


def test_time_is_spread_evenly_where_nothing_is_folded(logic: Any) -> None:
    assert logic("timeline", "[0, 250, 1000, 2000].map((t) => m.place(m.makeAxis(0, 1000), t))") == [0, 0.25, 1, 1]


def test_a_folded_gap_takes_little_and_the_rest_shares_what_is_left(logic: Any) -> None:
    axis = "m.makeAxis(0, 102000, [[1000, 101000]])"
    places = logic("timeline", f"[1000, 101000, 102000].map((t) => m.place({axis}, t))")
    assert places == pytest.approx([0.48, 0.52, 1])


def test_place_and_moment_are_inverse(logic: Any) -> None:
    axis = "m.makeAxis(0, 102000, [[1000, 101000]])"
    assert logic("timeline", f"[10, 900, 50000, 101500].map((t) => m.moment({axis}, m.place({axis}, t)))") == (
        pytest.approx([10, 900, 50000, 101500])
    )


def test_an_axis_of_no_length_has_a_place_for_its_one_moment(logic: Any) -> None:
    assert logic("timeline", "m.place(m.makeAxis(5, 5), 5)") == 0


def test_a_bar_out_of_view_is_not_drawn_and_one_half_in_view_is_cut(logic: Any) -> None:
    bars = (
        "[[0, 400], [400, 600], [800, 900]].map(([a, b]) => m.bar(m.makeAxis(0, 1000), {left: 0.5, right: 0.75}, a, b))"
    )
    assert logic("timeline", bars) == [None, {"left": 0, "width": pytest.approx(40)}, None]


def test_a_long_sleep_is_a_gap_and_a_long_run_is_none(logic: Any) -> None:
    steps = "[{{kind: '{}', begin: 1000, end: 61000, tries: []}}, {{kind: 'set', begin: 62000, end: 62000, tries: []}}]"
    assert logic("timeline", f"m.gapsOf({steps.format('sleep')}, 0, 62000, true)") == [[1000, 61000]]
    assert logic("timeline", f"m.gapsOf({steps.format('run')}, 0, 62000, true)") == []


def test_the_time_since_the_last_step_is_a_gap_only_when_nothing_runs(logic: Any) -> None:
    gaps = "m.gapsOf([{kind: 'set', begin: 1000, end: 1000, tries: []}], 0, 61000, "
    assert logic("timeline", gaps + "true)") == [[1000, 61000]]
    assert logic("timeline", gaps + "false)") == []


def test_zoom_stays_round_its_place_and_inside_of_the_whole(logic: Any) -> None:
    assert logic("timeline", "m.zoom(m.ALL, 0.5, 0.2)") == {"left": pytest.approx(0.1), "right": pytest.approx(0.6)}
    assert logic("timeline", "m.zoom({left: 0, right: 0.5}, 4)") == {"left": 0, "right": 1}


@pytest.mark.parametrize("text", ["", "x", "0.5", "0.9-0.1", "-1-2", "0.1-7"])
def test_a_view_that_makes_no_sense_is_all_of_it(logic: Any, text: str) -> None:
    assert logic("timeline", f"m.viewFrom({text!r})") == {"left": 0, "right": 1}


def test_a_view_survives_the_address(logic: Any) -> None:
    assert logic("timeline", "m.viewFrom(m.viewText({left: 0.25, right: 0.5}))") == {"left": 0.25, "right": 0.5}


def test_marks_tell_the_distance_from_the_beginning_and_the_length_of_gaps(logic: Any) -> None:
    texts = logic("timeline", "m.ticks(m.makeAxis(0, 602000, [[1000, 601000]]), m.ALL).map((one) => one.text)")
    assert "+0ms" in texts
    assert "⋯ 10m" in texts


@pytest.mark.parametrize(
    ("left", "right", "pairs"),
    [
        ("", "", []),
        ("abc", "abc", ["aa", "bb", "cc"]),
        ("abc", "", ["a-", "b-", "c-"]),
        ("abcd", "abxd", ["aa", "bb", "c-", "-x", "dd"]),
        ("aab", "ab", ["aa", "a-", "bb"]),
        ("xaby", "abz", ["x-", "aa", "bb", "y-", "-z"]),
    ],
)
def test_what_is_in_both_in_the_same_order_stands_side_by_side(
    logic: Any, left: str, right: str, pairs: list[str]
) -> None:
    found = logic(
        "align", f"m.align([...{left!r}], [...{right!r}], (x) => x).map((p) => p.map((x) => x ?? '-').join(''))"
    )
    assert found == pairs


def test_lists_too_long_for_the_best_alignment_are_aligned_all_the_same(logic: Any) -> None:
    many = "Array.from({length: 5000}, (_, at) => 'n' + at)"
    pairs = f"m.align(['first', ...{many}, 'last'], ['other', ...{many}, 'end'], (x) => x)"
    assert logic("align", f"{pairs}.filter(([a, b]) => a === b).length") == 5000


def test_a_difference_tells_removed_lines_before_added_ones(logic: Any) -> None:
    lines = logic("align", r"m.diffLines('a\nb\nc', 'a\nx\nc').map((line) => line.sign + line.text)")
    assert lines == [" a", "-b", "+x", " c"]


def test_lines_far_from_a_change_are_left_out(logic: Any) -> None:
    text = r"Array.from({length: 20}, (_, at) => at).join('\n')"
    lines = logic("align", f"m.shorten(m.diffLines({text}, {text} + '\\nnew'), 1).map((line) => line?.text ?? null)")
    assert lines == [None, "19", "new"]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("[...new TextEncoder().encode('{\"a\":1}')]", "json", '{\n  "a": 1\n}'),
        ("[...new TextEncoder().encode('12345678901234567890')]", "json", "12345678901234567890"),
        ("[...new TextEncoder().encode('plain <b>')]", "text", "plain <b>"),
        ("[255, 254, 0]", "binary", "ff fe 00"),
        ("[97, 0, 98]", "binary", "61 00 62"),
        ("[]", "empty", ""),
    ],
)
def test_a_value_is_shown_as_what_it_is(logic: Any, value: str, kind: str, text: str) -> None:
    assert logic("payload", f"m.shown({value})") | {"size": 0} == {"kind": kind, "text": text, "size": 0}


def test_a_journal_that_is_read_on_is_that_which_is_read_at_once(logic: Any, server: Client) -> None:
    on = "rows.map((_, at) => m.read(rows, id, m.read(rows.slice(0, at), id)))"
    all_of_them = f"[m.read(rows, id), ...{on}].map((one) => JSON.stringify([one.steps, one.open]))"
    once, *others = logic("journal", f"((rows, id) => {all_of_them})({journal(server)}, 'inv_1')")
    assert "think" in once
    assert set(others) == {once}


def test_a_journal_that_begins_otherwise_is_read_anew(logic: Any, server: Client) -> None:
    rows = journal(server)
    steps = "JSON.stringify([m.read(rows, id, m.read(rows.slice(2), id)).steps, m.read(rows, id).steps])"
    again, once = json.loads(logic("journal", f"((rows, id) => {steps})({rows}, 'inv_1')"))
    assert again == once


def journal(server: Client) -> str:
    """The rows of one, as JSON."""
    invocation = server.send("Agent/plan", {"topic": "tea"})
    server.wait_status(invocation, "completed")
    columns = '"index", entry_type, raw_length, appended_at, entry_lite_json'
    return json.dumps(server.query(f"SELECT {columns} FROM sys_journal WHERE id = '{invocation}' ORDER BY 1"))


def test_deep_json_is_shown_without_its_spaces(logic: Any) -> None:
    deep = "[...new TextEncoder().encode('['.repeat(100000) + ']'.repeat(100000))]"
    assert logic("payload", f"m.shown({deep}).text.length") == 200000
