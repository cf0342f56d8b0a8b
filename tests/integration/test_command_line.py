"""The command line against a real server."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from perdure.cli.main import app
from support.client import Client, wait_for
from support.servers import perdure

Run = Callable[..., Result]
APP = Path(__file__).parent / "command_line_app.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with perdure(tmp_path_factory.mktemp("command-line"), dict(os.environ), dev=APP) as client:
        wait_for(lambda: client.call("Counter/ready/add", 1), "the handlers to be served")
        yield client


@pytest.fixture
def run(server: Client) -> Run:
    def command(*words: str) -> Result:
        return CliRunner().invoke(app, list(words), env={"PERDURE_ADMIN_URL": server.admin})

    return command


def document(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def described(run: Run, id: str, status: str) -> dict[str, Any]:
    def look() -> Any:
        found = document(run("inv", "get", id, "--json"))
        return found if found["invocation"]["status"] == status else None

    found: dict[str, Any] = wait_for(look, f"{id} to be {status}")
    return found


def test_what_is_there(run: Run) -> None:
    assert "Perdure" in run("whoami").stdout
    assert document(run("status", "--json"))["services"] == 2
    services = document(run("services", "list", "--json"))["services"]
    assert [one["name"] for one in services] == ["Counter", "Probe"]
    (deployment,) = document(run("dp", "ls", "--json"))["deployments"]
    assert "new invocations" in run("dp", "get", deployment["id"]).stdout
    assert "is not drained" in run("dp", "rm", deployment["id"], "-y").stderr
    assert "add" in run("services", "describe", "Counter").stdout
    changed = document(run("services", "config", "patch", "Counter", "--abort-timeout", "3m", "-y", "--json"))
    assert changed["abort_timeout"] == "3m"


def test_a_journal_as_a_tree(server: Client, run: Run) -> None:
    id = server.send("Probe/steps")
    described(run, id, "completed")
    shown = run("inv", "describe", id).stdout
    assert "├─ 1  Run `plan`" in shown
    assert "│  └─ 2  Success" in shown
    assert "Call Counter/steps/add" in shown
    assert "completed, success" in run("inv", "watch", id).stdout
    assert document(run("inv", "purge-journal", id, "--json"))["failed"] == []
    assert document(run("inv", "purge", id, "--json"))["failed"] == []
    assert run("inv", "describe", id).exit_code == 1


def test_why_it_does_not_move(server: Client, run: Run) -> None:
    id = server.send("Probe/wait")
    (callee,) = wait_for(lambda: document(run("inv", "get", id, "--json"))["callees"], "the call")
    described(run, callee["id"], "running")
    status = run("services", "status", "Counter").stdout
    assert "held" in status
    assert callee["id"] in status
    assert document(run("inv", "pause", callee["id"], "--json", "--reason", "später"))["failed"] == []
    described(run, callee["id"], "paused")
    assert "which is paused" in run("inv", "get", id).stdout
    assert "waits for somebody to resume it" in run("inv", "get", callee["id"]).stdout
    assert document(run("inv", "resume", "Counter/held", "--json"))["failed"] == []
    assert document(run("inv", "kill", "Probe/wait", "-y", "--json"))["failed"] == []
    described(run, id, "completed")
    described(run, callee["id"], "completed")


def test_a_failing_one_is_retried_now_and_cancelled(server: Client, run: Run) -> None:
    id = server.send("Probe/fail")
    described(run, id, "backing-off")
    assert "ValueError: broken" in run("inv", "get", id).stdout
    assert document(run("inv", "retry-now", id, "--json"))["failed"] == []
    assert id in {one["id"] for one in document(run("inv", "ls", "--service", "Probe", "--json"))["invocations"]}
    assert document(run("inv", "ls", "--zombie", "--json"))["invocations"] == []
    assert document(run("inv", "cancel", "--kill", id, "--json"))["failed"] == []
    rows = run("sql", f"SELECT completion_failure FROM sys_invocation WHERE id = '{id}'", "--jsonl").stdout
    assert json.loads(rows) == {"completion_failure": "[409] killed"}


def test_state(server: Client, run: Run) -> None:
    server.call("Counter/state/add", 3)
    assert document(run("state", "get", "Counter", "state", "--json"))["state"] == {"count": 3}
    patch = '[{"op":"replace","path":"/count","value":10},{"op":"add","path":"/note","value":"ü"}]'
    changed = run("state", "patch", "Counter", "state", "-p", patch, "-y", "--json")
    assert document(changed)["changes"][0]["effect"] == "changed"
    assert server.call("Counter/state/add", 1) == 11
    assert document(run("state", "clear", "Counter/state", "-y", "--json"))["changes"][0]["effect"] == "changed"
    assert server.call("Counter/state/add", 1) == 1
