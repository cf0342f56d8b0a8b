"""`perdure sql`, `whoami`, `status`, `example` and `completions`."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
QUERY = "SELECT id, status FROM sys_invocation ORDER BY id"


@pytest.fixture
def some(admin: Any) -> Any:
    admin.invocation("inv_1", "Probe/a", "paused")
    admin.invocation("inv_2", "Probe/a", "running")
    admin.answers["GET", "/health"] = (200, None)
    server = {"version": "1.7.12", "perdure_version": "9.9", "ingress_endpoint": "http://in:8080/"}
    admin.answers["GET", "/version"] = (200, server)
    admin.answers["GET", "/services"] = (200, {"services": []})
    admin.answers["GET", "/deployments"] = (200, {"deployments": [{}]})
    return admin


def test_sql(some: Any, run: Any) -> None:
    shown = run("sql", QUERY).stdout
    assert "inv_1" in shown
    assert "2 rows" in shown
    assert json.loads(run("sql", QUERY, "--json").stdout)["rows"][1] == {"id": "inv_2", "status": "running"}
    lines = run("sql", "-", "--jsonl", input=QUERY).stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["inv_1", "inv_2"]
    assert "No rows" in run("sql", "SELECT id FROM sys_invocation WHERE id = 'x'").stdout


def test_sql_that_is_wrong(some: Any, run: Any) -> None:
    assert run("sql", " ").exit_code == 2
    some.answers["POST", "/query"] = (500, {"message": "Datafusion error: table 'nix' not found"})
    result = run("sql", "SELECT * FROM nix")
    assert (result.exit_code, "table 'nix' not found" in result.stderr) == (1, True)


def test_whoami(some: Any, run: Any) -> None:
    shown = run("whoami").stdout
    assert all(text in shown for text in ("Perdure 9.9, compatible with 1.7.12", "http://in:8080/", some.url))
    assert json.loads(run("whoami", "--json").stdout)["server"]["version"] == "1.7.12"


def test_status(some: Any, run: Any) -> None:
    assert "perdure invocations list --status paused" in run("status").stdout
    document = json.loads(run("status", "--json").stdout)
    assert (document["deployments"], document["services"]) == (1, 0)
    assert {one["status"] for one in document["invocations"]} == {"paused", "running"}


def test_example(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [one["name"] for one in json.loads(run("example", "--json").stdout)["examples"]]
    assert "coding_agent" in names
    assert "insurance_claim" in run("example").stdout
    result = run("example", "coding-agent")
    assert "perdure dev coding_agent/agent.py\n" in result.stdout
    assert "perdure dev coding_agent/agent_restate.py    the same with the official SDK" in result.stdout
    copied = tmp_path / "coding_agent" / "agent.py"
    assert copied.read_bytes() == (ROOT / "examples" / "coding_agent" / "agent.py").read_bytes()
    assert run("example", "coding_agent").exit_code == 2
    assert run("example", "coding_agent", "mine", "--json").exit_code == 0
    assert run("example", "nothing").exit_code == 1


def test_the_wheel_carries_the_examples() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["examples"] == "perdure/examples"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(run: Any, shell: str) -> None:
    assert "_PERDURE_COMPLETE" in run("completions", shell).stdout
    assert json.loads(run("completions", shell, "--json").stdout)["shell"] == shell


def test_completion() -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "COMP_WORDS": "perdure inv retr",
        "COMP_CWORD": "2",
        "_PERDURE_COMPLETE": "complete_bash",
    }
    command = [sys.executable, "-m", "perdure.cli.main"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == ["retry-now"]
