"""The command line as a whole: help, addresses, errors, and what it does not load."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from perdure import __version__
from perdure.cli.main import app

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "command-line.md"
HEAVY = ("perdure.engine", "perdure.storage", "perdure.partition", "perdure.invoker", "fastapi", "granian", "pydantic")


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return done.stdout


@pytest.mark.parametrize("words", [["version"], ["--help"], ["invocations", "--help"], ["dp", "register", "--help"]])
def test_help_and_version_load_nothing_heavy(words: list[str]) -> None:
    loaded = python(
        "import sys\n"
        "from perdure.cli.main import app\n"
        f"sys.argv = ['perdure', *{words!r}]\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        "print('|', *sys.modules)"
    ).partition("|")[2]
    assert not [name for name in loaded.split() if name.startswith((*HEAVY, "rich", "http.client"))]


def test_client_commands_load_no_server(admin: Any) -> None:
    loaded = python(
        "import sys\n"
        "from perdure.cli.main import app\n"
        f"sys.argv = ['perdure', 'inv', 'ls', '--admin', {admin.url!r}]\n"
        "try:\n    app()\nexcept SystemExit as stop:\n    assert not stop.code, stop\n"
        "print('|', *sys.modules)"
    ).partition("|")[2]
    # Typer itself reads option values with Pydantic.
    assert not [name for name in loaded.split() if name.startswith(HEAVY[:-1])]


def test_version(run: Any) -> None:
    assert __version__ in run("version").stdout
    assert __version__ in run("--version").stdout
    assert json.loads(run("version", "--json").stdout)["version"] == __version__


@pytest.mark.parametrize("words", [[], ["inv"], ["deployments"]])
def test_a_noun_alone_shows_its_help(run: Any, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 0
    assert "Commands:" in result.stdout


@pytest.mark.parametrize("noun", ["", "deployments", "services", "services config", "invocations", "state"])
def test_each_command_is_told_in_a_whole_line(run: Any, noun: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(*noun.split(), "--help").stdout
    commands = shown.partition("Commands:")[2].splitlines()
    assert commands
    assert not [line for line in commands if line.endswith("...")], "cut off"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "nonsense"),
        (["inv", "nonsense"], "nonsense"),
        (["dp", "register"], "URI"),
        (["inv", "ls", "--limit", "0"], "--limit"),
        (["inv", "ls", "--status", "odd"], "--status"),
        (["inv", "ls", "--odd"], "--odd"),
    ],
)
def test_a_wrong_command_is_one_line_that_leads_to_the_help(run: Any, words: list[str], said: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert said in line
    assert "--help`" in line


def test_no_server(run: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can answer there
        result = run("inv", "ls", "--admin", f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert result.exit_code == 3
    (line,) = result.stderr.splitlines()
    assert all(word in line for word in ("no server answers", "perdure dev", "perdure up", "--admin"))


@pytest.mark.parametrize("url", ["localhost:9070", "ftp://localhost", "http://", "http://localhost:port"])
def test_a_bad_address(run: Any, url: str) -> None:
    result = run("inv", "ls", "--admin", url)
    assert result.exit_code == 2
    assert "http://127.0.0.1:9070" in result.stderr


@pytest.mark.parametrize("body", [b"<html>", b"[]", {"rows": 1}])
def test_something_else_answers(admin: Any, run: Any, body: Any) -> None:
    admin.answers["POST", "/query"] = (200, body)
    result = run("inv", "ls")
    assert result.exit_code == 3
    assert "is not the admin API" in result.stderr


@pytest.mark.parametrize("words", [("ls",), ("register", "http://localhost:9080")])
def test_something_else_answers_about_deployments(admin: Any, run: Any, words: tuple[str, ...]) -> None:
    for method in ("GET", "POST"):
        admin.answers[method, "/deployments"] = (200, {"something": "else"})
    result = run("dp", *words)
    assert result.exit_code == 3
    assert "is not the admin API" in result.stderr


def test_the_ingress_answers(admin: Any, run: Any) -> None:
    admin.answers["POST", "/query"] = (404, {"code": 404, "message": "service 'query' not found", "source": "ingress"})
    result = run("inv", "ls")
    assert result.exit_code == 3
    assert "is the ingress" in result.stderr
    assert "--admin" in result.stderr


def test_an_error_in_plain_text(admin: Any, run: Any) -> None:
    admin.answers["POST", "/query"] = (415, b"Expected something else")
    result = run("inv", "ls")
    assert result.exit_code == 1
    assert "Expected something else" in result.stderr


def test_a_page_for_people_answers(admin: Any, run: Any) -> None:
    admin.answers["POST", "/query"] = (501, b"<!DOCTYPE HTML><title>Error response</title>")
    result = run("inv", "ls")
    assert result.exit_code == 3
    assert "is not the admin API" in result.stderr


def test_the_address_may_have_a_path(admin: Any, run: Any) -> None:
    admin.answers["GET", "/behind/proxy/deployments"] = (200, {"deployments": []})
    assert run("dp", "ls", "--admin", f"{admin.url}/behind/proxy/").exit_code == 0


def test_the_official_tools_variable_is_honoured(admin: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    admin.answers["GET", "/deployments"] = (200, {"deployments": []})
    monkeypatch.delenv("PERDURE_ADMIN_URL", raising=False)
    assert CliRunner().invoke(app, ["dp", "ls"], env={"RESTATE_ADMIN_URL": admin.url}).exit_code == 0
