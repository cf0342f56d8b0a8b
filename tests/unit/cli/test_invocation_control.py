"""The verbs of `perdure invocations` that change something, and `watch`."""

import json
from typing import Any

import pytest

from perdure import ids
from perdure.cli import admin_client, watching


def make_id(number: int) -> str:
    return ids.encode_invocation_id(number.to_bytes(24, "big"))


RUNNING, RETRYING, SUSPENDED, PAUSED, PENDING, DONE, FAILED = (make_id(number) for number in range(1, 8))


@pytest.fixture
def some(admin: Any) -> Any:
    """One in each state that matters."""
    admin.invocation(RUNNING, "Probe/a", "running")
    admin.invocation(RETRYING, "Probe/b", "backing-off")
    admin.invocation(SUSPENDED, "Probe/c", "suspended")
    admin.invocation(PAUSED, "Probe/d", "paused", pinned_deployment_id="dp_gone")
    admin.invocation(PENDING, "Counter/k/add", "pending")
    admin.invocation(DONE, "Probe/e", "completed", completion_result="success")
    admin.invocation(FAILED, "Probe/f", "completed", completion_result="failure", pinned_deployment_id="dp_here")
    admin.insert("sys_deployment", id="dp_here")
    return admin


@pytest.mark.parametrize(
    ("verb", "route", "expected"),
    [
        ("cancel", "cancel", {RUNNING, RETRYING, SUSPENDED, PAUSED}),
        ("kill", "kill", {RUNNING, RETRYING, SUSPENDED, PAUSED}),
        ("pause", "pause", {RUNNING, RETRYING, SUSPENDED}),
        ("resume", "resume", {RETRYING, SUSPENDED, PAUSED}),
        ("retry-now", "resume", {RETRYING, PAUSED}),
        ("purge", "purge", {DONE, FAILED}),
        ("purge-journal", "purge-journal", {DONE, FAILED}),
    ],
)
def test_a_verb_hits_those_it_can_be_done_to(some: Any, run: Any, verb: str, route: str, expected: set[str]) -> None:
    result = run("inv", verb, "Probe", "-y")
    assert result.exit_code == 0, result.stderr
    assert set(some.patched()) == {f"/invocations/{id}/{route}" for id in expected}
    assert all(id in result.stdout for id in expected)
    assert f"{len(expected)} done, 0 failed" in result.stdout


def test_several_queries_at_once(some: Any, run: Any) -> None:
    document = json.loads(run("inv", "kill", "Probe/a", "Counter", RUNNING, "-y", "--json").stdout)
    assert {one["id"] for one in document["succeeded"]} == {RUNNING, PENDING}


def test_there_is_no_cap_but_the_one_asked_for(admin: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin_client, "PAGE", 3)
    for number in range(1, 31):
        admin.invocation(make_id(number), "It's {odd}/x", "paused")
    shown = run("inv", "resume", "It's {odd}", input="n\n")
    assert "… and 10 more" in shown.stdout
    assert "Resume these 30 invocations?" in shown.stderr
    few = json.loads(run("inv", "resume", "It's {odd}", "-y", "--limit", "7", "--json").stdout)
    assert (len(few["succeeded"]), few["more"]) == (7, True)
    everything = json.loads(run("inv", "resume", "It's {odd}", "-y", "--json").stdout)
    assert (len(everything["succeeded"]), everything["more"]) == (30, False)


def test_a_server_that_goes_away_in_between_leaves_a_report(some: Any, run: Any) -> None:
    some.answers["PATCH", f"/invocations/{RETRYING}/kill"] = (200, b"<html>")
    result = run("inv", "kill", "Probe", "-y", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 3
    assert [one["id"] for one in document["succeeded"]] == [RUNNING]
    assert document["untouched"] == 3


def test_the_reason_goes_along(some: Any, run: Any) -> None:
    assert run("inv", "pause", RUNNING, "--reason", "100 % too slow").exit_code == 0
    assert some.headers[-1]["x-perdure-reason"] == "100 % too slow"
    assert run("inv", "pause", RUNNING, "--reason", "zu langsam – später").exit_code == 0
    assert some.headers[-1]["x-perdure-reason"].encode("latin-1").decode() == "zu langsam – später"
    assert run("inv", "pause", RUNNING, "--reason", "two\nlines").exit_code == 2


def test_a_token_for_a_proxy_goes_along(some: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTATE_AUTH_TOKEN", "secret")
    run("inv", "pause", RUNNING)
    assert some.headers[-1]["authorization"] == "Bearer secret"


def test_resume_on_another_deployment(some: Any, run: Any) -> None:
    some.answers["PATCH", f"/invocations/{PAUSED}/resume?deployment=latest"] = (200, None)
    assert run("inv", "resume", PAUSED, "--deployment", "latest").exit_code == 0


@pytest.fixture
def steps(some: Any) -> Any:
    for index, name in enumerate(["", "plan", "draft", "draft"]):
        some.insert("sys_journal", id=DONE, index=index, entry_type="Command: Run", name=name)
    return some


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ([], ""),
        (["--from", "2"], "?from=2"),
        (["--from", "plan"], "?from=1"),
        (["--from", "0", "--deployment", "latest", "--key", "k 2"], "?from=0&deployment=latest&key=k+2"),
    ],
)
def test_restart_as_new(steps: Any, run: Any, options: list[str], query: str) -> None:
    steps.answers["PATCH", f"/invocations/{DONE}/restart-as-new{query}"] = (200, {"new_invocation_id": "inv_new"})
    result = run("inv", "restart-as-new", DONE, *options)
    assert (result.exit_code, "restarted as inv_new" in result.stdout) == (0, True), result.stderr


@pytest.mark.parametrize(("step", "said"), [("draft", "one of them: 2, 3"), ("polish", "perdure invocations describe")])
def test_restart_from_a_step_that_is_not_one(steps: Any, run: Any, step: str, said: str) -> None:
    result = run("inv", "restart-as-new", DONE, "--from", step)
    assert (result.exit_code, said in result.stderr) == (1, True)
    assert steps.patched() == []


def test_a_server_without_the_route(some: Any, run: Any) -> None:
    some.answers["PATCH", f"/invocations/{DONE}/restart-as-new"] = (404, None)
    result = run("inv", "restart-as-new", DONE)
    assert (result.exit_code, "may be older than this program" in result.stderr) == (1, True)


def listed(run: Any, *options: str) -> set[str]:
    document = json.loads(run("inv", "ls", "--json", *options).stdout)
    return {row["id"] for row in document["invocations"]}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--completion-result", "failure"], {FAILED}),
        (["--deployment", "dp_here", "--all"], {FAILED}),
        (["--zombie"], {PAUSED}),
        (["--virtual-objects-only"], {PENDING}),
    ],
)
def test_more_list_filters(some: Any, run: Any, options: list[str], expected: set[str]) -> None:
    assert listed(run, *options) == expected


def test_list_watches(some: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        some.invocation(make_id(50), "Probe/late", "running")
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(watching, "pause", pause)
    result = run("inv", "ls", "--watch", "-n", "9")
    assert (result.exit_code, pauses) == (0, [9.0, 9.0])
    assert result.stdout.count("Probe/late") == 1
    assert "\x1b" not in result.stdout


def said(event: str, id: str, /, **data: Any) -> str:
    return f"event: {event}\nid: {id}\ndata: {json.dumps(data)}\n\n"


def test_watch_tells_what_is_new_until_the_end(admin: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(watching, "pause", pauses.append)
    id = make_id(1)
    running = {"id": id, "status": "running"}
    over = {"id": id, "status": "completed", "completion_failure": "[500] over"}
    command = {"Command": {"Run": {"completion_id": 1}}}
    entry = {"index": 1, "name": "charge", "entry_lite_json": json.dumps(command), "entry_json": "{}"}
    failure = {"error_message": "boom", "restate_doc_error_code": "RT0007"}
    event = {"sequence": 1, "event_type": "TransientError", "event_json": json.dumps(failure)}
    begun = {"topic": 0, "invocation": running, "journal": [], "journal_events": [], "attempt": None}
    ended = {**begun, "invocation": over, "journal": [entry], "journal_events": [event]}
    admin.streams += [
        "retry: 1000\n\n" + said("snapshot", "a-1", **begun) + said("journal", "a-2", topics=[0], entry=entry),
        ": heartbeat\nid: a-3\n\n",
        said("journal_event", "a-4", topics=[0], event=event) + said("invocation", "a-5", topics=[0], invocation=over),
        said("snapshot", "a-6", **ended),
    ]
    result = run("inv", "watch", id)
    assert result.exit_code == 0
    assert [line.split(maxsplit=1) for line in result.stdout.splitlines()] == [
        ["status", "running"],
        ["journal", "1  Run `charge`"],
        ["event", "TransientError RT0007: boom"],
        ["status", "completed, [500] over"],
    ]
    assert (admin.resumed, len(pauses)) == ([None, "a-2", "a-3"], 2)
    news = [json.loads(line) for line in run("inv", "watch", id, "--json").stdout.splitlines()]
    assert [one["news"] for one in news] == ["journal", "event", "status"]
    assert news[0]["entry"] == command


def test_watch_ends_when_it_is_gone_or_never_was(admin: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(watching, "pause", pauses.append)
    id = make_id(1)
    begun = {"topic": 0, "journal": [], "journal_events": [], "attempt": None}
    there = said("snapshot", "a-1", **begun, invocation={"id": id, "status": "running"})
    admin.streams += [there + said("gone", "a-2", topics=[0], id=id, purged=True)]
    result = run("inv", "watch", id)
    assert (result.exit_code, result.stdout.splitlines()[-1][:11]) == (0, "It is gone:")
    admin.streams += [said("snapshot", "a-1", **begun, invocation=None)]
    assert run("inv", "watch", id).exit_code == 1
    # No server at first; then one that goes away and does not come back.
    assert (run("inv", "watch", id).exit_code, pauses) == (3, [])
    admin.streams += [there]
    assert (run("inv", "watch", id).exit_code, len(pauses)) == (3, 61)


def test_describe_tells_what_holds_up_the_called_one(admin: Any, run: Any) -> None:
    caller, callee = make_id(1), make_id(2)
    tree = {"Single": {"CompletionId": 2}}
    admin.invocation(caller, "Probe/a", "suspended", suspended_waiting_future_json=json.dumps(tree))
    admin.invocation(callee, "Tool/b", "backing-off", last_failure="[503] gone\nTraceback")
    call = {"Call": {"invocation_id": callee, "invocation_id_completion_id": 1, "result_completion_id": 2}}
    admin.insert("sys_journal", id=caller, index=1, entry_lite_json=json.dumps({"Command": call}))
    shown = run("inv", "get", caller).stdout
    assert f"Not moving: waits for Call (entry 1: {callee}), which is backing-off: [503] gone" in shown
    assert f"└─ 1  Call {callee} (backing-off)" in shown
