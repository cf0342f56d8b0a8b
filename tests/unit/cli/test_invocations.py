"""`perdure invocations`."""

import json
from typing import Any

import pytest

from perdure import ids


def make_id(number: int) -> str:
    return ids.encode_invocation_id(number.to_bytes(24, "big"))


A, B, C, D, E, F = (make_id(number) for number in range(1, 7))


@pytest.fixture
def some(admin: Any) -> Any:
    """Two services, an object with two keys and handlers, one completed."""
    admin.invocation(A, "Probe/slow", "suspended")
    admin.invocation(B, "Probe/k", "running")
    admin.invocation(C, "Counter/k/add", "running")
    admin.invocation(D, "Counter/k/get", "backing-off", retry_count=3, last_failure="[500 Internal] it's\nbroken")
    admin.invocation(E, "Counter/a/b/add", "pending", created_at="2026-11-20T10:00:00.000Z")
    admin.invocation(F, "Probe/slow", "completed", completion_failure="[409] killed")
    return admin


def listed(run: Any, *options: str) -> set[str]:
    document = json.loads(run("inv", "ls", "--json", *options).stdout)
    return {row["id"] for row in document["invocations"]}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], {A, B, C, D, E}),
        (["--all"], {A, B, C, D, E, F}),
        (["--status", "completed"], {F}),
        (["--status", "running", "--status", "pending"], {B, C, E}),
        (["--service", "Counter", "--handler", "add"], {C, E}),
        (["--key", "k"], {C, D}),
        (["--service", "O'Brien"], set()),
        (["--oldest-first", "--limit", "1"], {E}),
    ],
)
def test_list_filters(some: Any, run: Any, options: list[str], expected: set[str]) -> None:
    assert listed(run, *options) == expected


def test_list_shows_one_line_per_invocation_and_what_is_wrong(some: Any, run: Any) -> None:
    lines = run("invocations", "list", "--all").stdout.splitlines()
    assert "attempt 3: [500 Internal] it's" in next(line for line in lines if D in line)
    assert "[409] killed" in next(line for line in lines if F in line)


def test_list_tells_that_there_are_more(some: Any, run: Any) -> None:
    assert "--limit" in run("inv", "ls", "--limit", "2").stdout
    assert json.loads(run("inv", "ls", "--limit", "2", "--json").stdout)["more"] is True
    assert json.loads(run("inv", "ls", "--limit", "5", "--json").stdout)["more"] is False


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (A, {A}),
        ("Probe", {A, B}),
        ("Probe/slow", {A}),
        ("Probe/k", {B}),
        ("Counter/k", {C, D}),
        ("Counter/k/add", {C}),
        ("Counter/a/b/add", {E}),
        ("Count%", set()),
        ("C'", set()),
    ],
)
def test_cancel_finds_what_is_named_and_nothing_else(some: Any, run: Any, query: str, expected: set[str]) -> None:
    result = run("invocations", "cancel", query, "-y", "--json")
    assert set(some.patched()) == {f"/invocations/{id}/cancel" for id in expected}
    if expected:
        assert {one["id"] for one in json.loads(result.stdout)["succeeded"]} == expected
    else:
        assert result.exit_code == 1
        assert "perdure invocations list --all" in result.stderr


def test_more_than_one_is_confirmed(some: Any, run: Any) -> None:
    refused = run("inv", "cancel", "Counter", input="n\n")
    assert refused.exit_code == 1
    assert "Cancel these 3 invocations?" in refused.stderr
    assert some.patched() == []
    assert run("inv", "cancel", "Counter", input="y\n").exit_code == 0
    assert len(some.patched()) == 3


def test_json_stays_alone_on_standard_output_when_asking(some: Any, run: Any) -> None:
    result = run("inv", "kill", "Counter", "--json", input="y\n")
    assert len(json.loads(result.stdout)["succeeded"]) == 3


def test_one_alone_is_not_asked_about(some: Any, run: Any) -> None:
    result = run("inv", "cancel", A)
    assert result.exit_code == 0
    assert f"{A}  Probe/slow  cancelling" in result.stdout


@pytest.mark.parametrize("words", [("kill", A), ("cancel", A, "--kill")])
def test_kill(some: Any, run: Any, words: tuple[str, ...]) -> None:
    assert "killed" in run("inv", *words).stdout
    assert some.patched() == [f"/invocations/{A}/kill"]


def test_one_that_fails_does_not_stop_the_others(some: Any, run: Any) -> None:
    message = f"The invocation '{C}' was already completed."
    some.answers["PATCH", f"/invocations/{C}/cancel"] = (409, {"message": message, "restate_code": None})
    result = run("inv", "cancel", "Counter", "-y", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert {one["id"] for one in document["succeeded"]} == {D, E}
    assert document["failed"] == [{"id": C, "target": "Counter/k/add", "message": message}]
    assert message in result.stderr


@pytest.mark.parametrize(("id", "said"), [(F, "was already completed"), (make_id(99), "no PATCH")])
def test_the_server_says_why_an_id_cannot_be_stopped(some: Any, run: Any, id: str, said: str) -> None:
    result = run("inv", "cancel", id)
    assert result.exit_code == 1
    assert said in result.stderr


@pytest.mark.parametrize("query", ["", "/", "Counter//", "/k/add", "Counter/"])
def test_a_query_that_names_nothing_is_refused(some: Any, run: Any, query: str) -> None:
    result = run("inv", "kill", query)
    assert result.exit_code == 2
    assert "give an id, Service" in result.stderr


@pytest.fixture
def failing(admin: Any) -> Any:
    """An invocation that backs off, with a journal and an event."""
    admin.invocation(
        A,
        "Probe/transient",
        "backing-off",
        retry_count=7,
        next_retry_at="2026-11-20T10:20:00.000Z",
        pinned_deployment_id="dp_1",
        invoked_by="ingress",
        journal_size=3,
        last_failure="[500 Internal] boom\nTraceback",
        last_failure_error_code="RT0007",
        last_failure_related_command_index=1,
        last_failure_related_command_name="charge",
        last_failure_related_command_type="Run",
    )
    entries = [
        ("Command: Input", "", {"Command": {"Input": {}}}),
        ("Command: Run", "charge", {"Command": {"Run": {"completion_id": 1, "name": "charge"}}}),
        (
            "Notification: Run",
            None,
            {"Notification": {"ty": {"Completion": "Run"}, "id": {"CompletionId": 1}, "result": "Success"}},
        ),
    ]
    for index, (kind, name, entry) in enumerate(entries):
        admin.insert(
            "sys_journal",
            id=A,
            index=index,
            entry_type=kind,
            name=name,
            entry_lite_json=json.dumps(entry),
            appended_at="2026-11-20T10:19:48.000Z",
        )
    event = {"ty": "TransientError", "error_message": "boom", "restate_doc_error_code": "RT0007"}
    admin.insert(
        "sys_journal_events",
        id=A,
        after_journal_entry_index=2,
        appended_at="2026-11-20T10:19:49.000Z",
        event_type="TransientError",
        event_json=json.dumps(event),
    )
    admin.insert(
        "sys_journal_events",
        id=A,
        after_journal_entry_index=2,
        appended_at="2026-11-20T10:19:50.000Z",
        event_type="Operation",
        event_json=json.dumps({"ty": "Operation", "operation": "resume", "actor": "ada", "reason": "fixed"}),
    )
    return admin


def test_describe_explains_a_failing_invocation(failing: Any, run: Any) -> None:
    shown = run("invocations", "describe", A).stdout
    for text in (
        "Probe/transient",
        "backing-off",
        "7, the next one at 2026-11-20 10:20:00.000 UTC",
        "Not moving: waits for its next attempt at 2026-11-20 10:20:00.000 UTC",
        "Run `charge` (entry 1)",
        "RT0007: The handler failed with a retryable error.",
        "[500 Internal] boom",
        "├─ 0  Input",
        "└─ 1  Run `charge`",
        "└─ 2  Success",
        "TransientError",
        "RT0007: boom",
        "resume by ada: fixed",
    ):
        assert text in shown


def test_describe_shows_the_inner_end_of_a_stack_trace(admin: Any, run: Any) -> None:
    stack = "\n".join(f"line {number}" for number in range(30))
    admin.invocation(A, "Probe/transient", "backing-off", last_failure=f"[500 Internal] boom\n{stack}")
    shown = run("inv", "get", A).stdout
    assert "line 29" in shown
    assert "line 19" not in shown
    assert "20 lines more" in shown


def test_describe_as_json(failing: Any, run: Any) -> None:
    document = json.loads(run("inv", "get", A, "--json", "--entries", "2").stdout)
    assert document["invocation"]["retry_count"] == 7
    assert [entry["index"] for entry in document["journal"]] == [1, 2]
    assert document["journal"][0]["entry"]["Command"]["Run"]["name"] == "charge"
    assert document["events"][0]["event"]["error_message"] == "boom"


def test_describe_says_when_only_the_end_of_the_journal_is_shown(failing: Any, run: Any) -> None:
    assert "the last 2 of 3 entries" in run("inv", "get", A, "--entries", "2").stdout


def waits(run: Any) -> list[str]:
    found: list[str] = json.loads(run("inv", "get", A, "--json").stdout)["waiting_for"]
    return found


def test_describe_names_the_commands_that_are_waited_for(admin: Any, run: Any) -> None:
    tree = {
        "FirstCompleted": [
            {"Single": {"CompletionId": 2}},
            {"Single": {"CompletionId": 3}},
            {"Unknown": [{"Single": {"SignalIndex": 17}}, {"Single": {"SignalName": "approve"}}]},
            {"Single": {"SignalIndex": 1}},
            {"Single": {"CompletionId": 99}},
        ]
    }
    admin.invocation(A, "Probe/slow", "suspended", suspended_waiting_future_json=json.dumps(tree))
    call = {
        "invocation_id": B,
        "invocation_target": {"VirtualObject": {"name": "Counter", "key": "k", "handler": "add", "scope": None}},
        "invocation_id_completion_id": 1,
        "result_completion_id": 2,
    }
    for index, command in (
        (1, {"Call": call}),
        (2, {"Sleep": {"wake_up_time": 1_795_169_845_087, "completion_id": 3}}),
    ):
        admin.insert("sys_journal", id=A, index=index, entry_lite_json=json.dumps({"Command": command}))
    assert waits(run) == [
        f"Call (entry 1: Counter/k/add {B})",
        "Sleep (entry 2: until 2026-11-20 10:17:25 UTC)",
        f"somebody to answer: perdure awakeables resolve {ids.awakeable_id(ids.decode_invocation_id(A), 17)}",
        "the signal `approve`",
        "completion 99",
    ]


def test_what_came_without_being_asked_for_is_named_in_the_journal(admin: Any, run: Any) -> None:
    admin.invocation(A, "Probe/slow", "running")
    for index, (id, result) in enumerate(
        [({"SignalIndex": 17}, "Success"), ({"SignalName": "remark"}, "Failure"), ({"SignalIndex": 1}, "Void")]
    ):
        notification = json.dumps({"Notification": {"id": id, "result": result}})
        admin.insert("sys_journal", id=A, index=index, entry_type="Notification: Signal", entry_lite_json=notification)
    journal = run("inv", "get", A).stdout.split("Journal\n")[1].splitlines()
    assert journal == ["├─ 0  Awakeable answered: Success", "├─ 1  Signal `remark`: Failure", "└─ 2  Cancelled"]


def test_a_cancel_that_waits_says_so(admin: Any, run: Any) -> None:
    admin.invocation(A, "Probe/slow", "suspended", cancelling=f"waiting for {B} (and 2 more)")
    event = {"callees": [B, C], "more": 3}
    admin.insert("sys_journal_events", id=A, event_type="CancelGraceOver", event_json=json.dumps(event))
    assert f"cancelling, waiting for {B} (and 2 more)" in run("inv", "ls").stdout
    shown = run("inv", "get", A).stdout
    assert f"Cancelling, waiting for {B} (and 2 more)" in shown
    assert f"still running: {B}, {C} and 3 more" in shown


def test_describe_tells_who_holds_the_lock(admin: Any, run: Any) -> None:
    admin.invocation(A, "Counter/k/add", "pending")
    assert waits(run) == ["its turn on Counter/k"]
    admin.insert("sys_keyed_service_status", service_name="Counter", service_key="k", invocation_id=B)
    assert waits(run) == [f"its turn on Counter/k, which {B} holds"]


@pytest.mark.parametrize(
    ("status", "said"),
    [("paused", "somebody to resume it"), ("scheduled", "its start at 2026-11-21 00:00:00.000 UTC")],
)
def test_describe_says_what_else_is_waited_for(admin: Any, run: Any, status: str, said: str) -> None:
    admin.invocation(A, "Probe/slow", status, scheduled_start_at="2026-11-21T00:00:00.000Z")
    assert said in waits(run)[0]


def test_describe_refuses_what_is_no_id_and_what_is_unknown(admin: Any, run: Any) -> None:
    bad = run("inv", "get", "Probe/slow")
    assert (bad.exit_code, "perdure invocations list" in bad.stderr) == (2, True)
    unknown = run("inv", "get", A)
    assert (unknown.exit_code, "there is no invocation" in unknown.stderr) == (1, True)
