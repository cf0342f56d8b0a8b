"""`perdure services`, and what of `perdure deployments` depends on them."""

import json
from pathlib import Path
from typing import Any

import pytest

from perdure import ids

COUNTER = {
    "name": "Counter",
    "ty": "VirtualObject",
    "revision": 2,
    "public": True,
    "deployment_id": "dp_new",
    "handlers": [{"name": "add", "ty": "Exclusive", "public": True, "input_description": "JSON integer"}],
    "idempotency_retention": "1d",
    "journal_retention": "1d",
    "inactivity_timeout": "1m",
    "abort_timeout": "10m",
    "retry_policy": {"max_attempts": 70},
}
HIDDEN = {**COUNTER, "name": "Hidden", "public": False, "handlers": []}


def deployment(id: str, revision: int) -> dict[str, Any]:
    return {
        "id": id,
        "uri": f"http://{id}:9080/",
        "protocol_type": "BidiStream",
        "http_version": "HTTP/2.0",
        "created_at": "2026-11-20T10:00:00.000Z",
        "min_protocol_version": 5,
        "max_protocol_version": 7,
        "services": [{"name": "Counter", "revision": revision}],
    }


@pytest.fixture
def some(admin: Any) -> Any:
    admin.answers["GET", "/services"] = (200, {"services": [HIDDEN, COUNTER]})
    admin.answers["GET", "/services/Counter"] = (200, COUNTER)
    admin.answers["GET", "/deployments"] = (200, {"deployments": [deployment("dp_old", 1), deployment("dp_new", 2)]})
    for id, revision in (("dp_old", 1), ("dp_new", 2)):
        admin.answers["GET", f"/deployments/{id}"] = (200, deployment(id, revision))
        admin.answers["DELETE", f"/deployments/{id}?force=true"] = (202, None)
    return admin


def test_list(some: Any, run: Any) -> None:
    assert [one["name"] for one in json.loads(run("svc", "ls", "--json").stdout)["services"]] == ["Counter", "Hidden"]
    assert "Hidden" not in run("services", "list", "--public-only").stdout
    assert "http://dp_new:9080/" in run("service", "ls", "--extra").stdout


def test_list_without_any(admin: Any, run: Any) -> None:
    admin.answers["GET", "/services"] = (200, {"services": []})
    assert "perdure deployments register" in run("services", "list").stdout


def test_describe(some: Any, run: Any) -> None:
    shown = run("services", "describe", "Counter").stdout
    for text in ("VirtualObject", "retry max attempts", "JSON integer", "dp_old", "http://dp_new:9080/"):
        assert text in shown
    document = json.loads(run("svc", "get", "Counter", "--json").stdout)
    assert [one["revision"] for one in document["deployments"]] == [2, 1]


def test_an_unknown_service(some: Any, run: Any) -> None:
    some.answers["GET", "/services/Nobody"] = (404, {"message": "The requested service 'Nobody' does not exist"})
    for words in (("describe",), ("status",), ("config", "view")):
        result = run("services", *words, "Nobody")
        assert (result.exit_code, "does not exist" in result.stderr) == (1, True)


def test_status(some: Any, run: Any) -> None:
    for number, status in enumerate(("running", "running", "paused", "completed"), 1):
        some.invocation(ids.encode_invocation_id(number.to_bytes(24, "big")), "Counter/k/add", status)
    some.insert("sys_keyed_service_status", service_name="Counter", service_key="k", invocation_id="inv_1")
    document = json.loads(run("services", "status", "--json").stdout)
    assert {(one["status"], one["invocations"]) for one in document["handlers"]} == {("running", 2), ("paused", 1)}
    shown = run("services", "status", "Counter").stdout
    assert "Locked keys" in shown
    some.answers["GET", "/services/Hidden"] = (200, HIDDEN)
    assert "Nothing is waiting" in run("services", "status", "Hidden").stdout


def changed(body: dict[str, Any]) -> dict[str, Any]:
    return {**COUNTER, **{name: value for name, value in body.items() if value is not None}}


def test_config(some: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some.answers["PATCH", "/services/Counter"] = (200, changed)
    assert json.loads(run("svc", "config", "view", "Counter", "--json").stdout)["abort_timeout"] == "10m"
    patched = run("svc", "config", "patch", "Counter", "--public", "false", "--abort-timeout", "2m", "-y", "--json")
    assert json.loads(patched.stdout)["abort_timeout"] == "2m"
    assert 'abort_timeout: "10m" becomes "2m"' in patched.stderr
    assert some.received[-1][2] == {
        "public": False,
        "idempotency_retention": None,
        "workflow_completion_retention": None,
        "journal_retention": None,
        "inactivity_timeout": None,
        "abort_timeout": "2m",
    }
    monkeypatch.setenv("PERDURE_EDITOR", "sed -i s/10m/5m/")
    edited = run("svc", "config", "edit", "Counter", input="y\n")
    assert (edited.exit_code, some.received[-1][2]["abort_timeout"]) == (0, "5m")
    some.received.clear()
    assert run("svc", "config", "edit", "Counter", input="n\n").exit_code == 1
    monkeypatch.setenv("PERDURE_EDITOR", "true")
    assert "Nothing was changed" in run("svc", "config", "edit", "Counter").stdout
    assert some.patched() == []


@pytest.mark.parametrize("editor", ["false", "/nowhere/vi", "sed -i s/{/[/", "sed -i s/abort/abandon/"])
def test_an_edit_that_cannot_be_used(some: Any, run: Any, monkeypatch: pytest.MonkeyPatch, editor: str) -> None:
    monkeypatch.setenv("EDITOR", editor)
    for name in ("PERDURE_EDITOR", "RESTATE_EDITOR", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    assert run("svc", "config", "edit", "Counter", "-y").exit_code == 2
    assert some.patched() == []


def test_a_config_patch_of_nothing(some: Any, run: Any) -> None:
    assert run("svc", "config", "patch", "Counter").exit_code == 2


def test_describe_a_deployment(some: Any, run: Any) -> None:
    some.invocation("inv_a", "Counter/k/add", "paused", pinned_deployment_id="dp_old")
    shown = run("deployments", "describe", "dp_old").stdout
    assert "1 paused" in shown
    assert "only what is pinned" in shown
    assert "new invocations" in run("dp", "get", "dp_new").stdout


def test_a_drained_deployment_is_removed(some: Any, run: Any) -> None:
    assert run("dp", "rm", "dp_old", input="n\n").exit_code == 1
    result = run("deployments", "remove", "dp_old", "--reason", "old", input="y\n")
    assert (result.exit_code, "is removed" in result.stdout) == (0, True)
    assert [path for method, path, _ in some.received if method == "DELETE"] == ["/deployments/dp_old?force=true"]
    assert some.headers[-1]["x-perdure-reason"] == "old"


def test_a_needed_deployment_is_removed_by_force_only(some: Any, run: Any) -> None:
    some.invocation("inv_a", "Counter/k/add", "paused", pinned_deployment_id="dp_new")
    refused = run("dp", "remove", "dp_new", "-y")
    assert refused.exit_code == 1
    for text in ("1 paused", "new invocations of Counter", "--force", "E0404"):
        assert text in refused.stderr
    forced = run("dp", "remove", "dp_new", "--force", "-y", "--json")
    assert json.loads(forced.stdout)["removed"] is True
