"""The official command line, as a program, against a Perdure server."""

import json
import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.client import Client, wait_for
from support.records import Records
from support.servers import INTEROP, perdure, python_services

pytestmark = pytest.mark.interop

DEPLOYMENTS = "SELECT id FROM sys_deployment"


@dataclass(frozen=True)
class CommandLine:
    """The program, with a home of its own and the server's addresses."""

    program: Path
    home: Path
    client: Client
    services: str
    records: Records

    def run(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        """Its output: standard output, or where it must fail standard error."""
        known = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "DO_NOT_TRACK": "1",
            "RESTATE_ADMIN_URL": self.client.admin,
            "RESTATE_INGRESS_URL": self.client.ingress,
        }
        ended = subprocess.run(
            [self.program, "-y", *arguments],
            cwd=self.home,
            env=known | environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (ended.returncode != 0) is fails, f"{arguments} ended with {ended.returncode}: {ended.stderr}"
        return ended.stderr if fails else ended.stdout

    def sql(self, query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.run("sql", query, "--json"))
        return rows

    @property
    def deployment(self) -> str:
        return str(self.sql(DEPLOYMENTS)[0]["id"])

    def waiting(self, tag: str) -> str:
        """Starts an invocation that runs until it is released."""
        invocation = self.client.send("Waiter/wait", {"tag": tag, "point": "run", "target": None})
        self.records.wait_for(tag, "running")
        return invocation


def installed() -> Path:
    """The program. Skips without it, and fails where all tests must run."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"restate-{platform.system().lower()}-{machine}"
    program = INTEROP / "cli" / "node_modules" / "@restatedev" / package / "bin" / "restate"
    if not program.exists():
        missing = "the official command line is not installed; `make setup` does it where npm has a package registry"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return program


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    program = installed()
    folder = tmp_path_factory.mktemp("command-line")
    (folder / "records").mkdir()
    records = Records(folder / "records")
    with python_services(folder, records.environment) as uri, perdure(folder, {}) as client:
        found = CommandLine(program, folder, client, uri, records)
        found.run("deployments", "register", uri)
        yield found


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_it_finds_the_server(cli: CommandLine) -> None:
    shown = cli.run("whoami")
    assert cli.client.admin in shown
    assert cli.client.ingress in shown


def test_a_deployment_that_is_known_is_registered_again_by_force(cli: CommandLine) -> None:
    before = cli.sql("SELECT revision FROM sys_service WHERE name = 'Tree'")
    shown = cli.run("deployments", "register", cli.services, "--force", "--metadata", "team=a", "--extra-header", "x=y")
    assert "SERVICES THAT WILL BE UPDATED" in shown
    assert cli.sql("SELECT revision FROM sys_service WHERE name = 'Tree'") == [{"revision": before[0]["revision"] + 1}]


def test_what_cannot_be_reached_is_not_registered(cli: CommandLine) -> None:
    assert "META0003" in cli.run("deployments", "register", "http://127.0.0.1:9/", fails=True)


@pytest.mark.parametrize("options", [[], ["--extra"]])
def test_deployments(cli: CommandLine, options: list[str]) -> None:
    for command in (["list"], ["describe", cli.deployment]):
        shown = cli.run("deployments", *command, *options)
        assert cli.deployment in shown
        assert cli.services in shown
        assert "Ledger" in shown
        assert ("Active" in shown) is bool(options)


@pytest.mark.parametrize("options", [[], ["--extra"], ["--public-only"]])
def test_services(cli: CommandLine, options: list[str]) -> None:
    rows = lines(cli.run("services", "list", *options))
    assert any(row[:2] == ["[public]", "Ledger"] and "virtual" in row for row in rows)
    assert any(row[:2] == ["[private]", "Hidden"] for row in rows) is ("--public-only" not in options)


def test_one_service(cli: CommandLine) -> None:
    shown = cli.run("services", "describe", "Ledger")
    assert ["Name:", "Ledger"] in lines(shown)
    assert ["Deployment", "ID:", cli.deployment] in lines(shown)
    assert ["add", "JSON", "integer", "JSON", "integer"] in lines(shown)
    assert "The requested service 'Nope' does not exist" in cli.run("services", "describe", "Nope", fails=True)


def test_the_settings_of_a_service_are_changed(cli: CommandLine) -> None:
    settings = {"idempotency-retention": "3h", "journal-retention": "2h", "inactivity-timeout": "90s", "public": "true"}
    cli.run(
        "services", "config", "patch", "Steps", *(part for name in settings for part in (f"--{name}", settings[name]))
    )
    shown = lines(cli.run("services", "config", "view", "Steps"))
    assert ["Idempotent", "requests", "retention:", "3h"] in shown
    assert ["Journal", "retention:", "2h"] in shown
    assert ["Inactivity", "timeout:", "1m", "30s"] in shown


def test_the_status_of_services(cli: CommandLine, tag: str) -> None:
    invocation = cli.waiting(tag)
    assert "Waiter" in cli.run("services", "status")
    [row] = [row for row in lines(cli.run("services", "status", "Waiter")) if row[:1] == ["wait"]]
    assert int(row[4]) >= 1
    assert invocation in cli.run("services", "status", "Waiter")
    assert ["put", *"-----"] in [row[:6] for row in lines(cli.run("services", "status", "Ledger"))]
    cli.run("invocations", "kill", invocation)


def test_invocations_are_found_by_each_filter(cli: CommandLine, tag: str) -> None:
    running = cli.waiting(tag)
    later = cli.client.send("Ledger/" + tag + "/add", 1, delay="1h")
    done = cli.client.send("Echo/echo", tag)
    failed = cli.client.send("Echo/fail", {"code": 409, "message": tag})
    cli.client.attach(done)
    cli.client.failure(failed)
    everything = {running, later, done, failed}
    expected: dict[tuple[str, ...], set[str]] = {
        (): {running, later},
        ("--all",): everything,
        ("--service", "Echo", "--all"): {done, failed},
        ("--handler", "wait"): {running},
        ("--status", "running", "--status", "scheduled"): {running, later},
        ("--status", "suspended"): set(),
        ("--completion-result", "failure"): {failed},
        ("--completion-result", "success"): {done},
        ("--deployment", cli.deployment): {running},
        ("--key", tag): {later},
        ("--virtual-objects-only",): {later},
        ("--zombie",): set(),
        ("--oldest-first", "--all", "--limit", "1000"): everything,
    }
    for options, found in expected.items():
        shown = cli.run("invocations", "list", *options)
        assert {invocation for invocation in everything if invocation in shown} == found, options
    cli.run("invocations", "kill", running)
    cli.run("invocations", "cancel", later)


def test_an_invocation_is_described_with_its_journal(cli: CommandLine, tag: str) -> None:
    invocation = cli.waiting(tag)
    shown = cli.run("invocations", "describe", invocation)
    assert ["Target:", "Waiter/wait"] in lines(shown)
    assert "Command: Input" in shown
    assert "Command: Run" in shown
    cli.run("invocations", "kill", invocation)


def test_an_invocation_is_paused_and_resumed(cli: CommandLine, tag: str) -> None:
    invocation = cli.client.send("Waiter/hold", tag)
    cli.records.wait_for(tag, "started")
    assert "Paused 1 invocations" in cli.run("invocations", "pause", invocation)
    cli.client.wait_status(invocation, "paused", "suspended")
    assert "Resumed 1 invocations" in cli.run("invocations", "resume", invocation, "--deployment", "keep")
    cli.client.wait_status(invocation, "running", "suspended")
    assert "Cancelled 1 invocations" in cli.run("invocations", "cancel", invocation)
    assert cli.client.failure(invocation).status == 409


@pytest.mark.parametrize("command", [["kill"], ["cancel", "--kill"]])
def test_invocations_are_ended_by_target_and_purged(cli: CommandLine, tag: str, command: list[str]) -> None:
    invocation = cli.client.send(f"Ledger/{tag}/add", 1, delay="1h")
    assert "1 invocations" in cli.run("invocations", *command, f"Ledger/{tag}")
    assert cli.client.invocation(invocation)["completion_result"] == "failure"
    done = cli.client.send(f"Ledger/{tag}/add", 1)
    cli.client.attach(done)
    assert "Purged 2 invocations" in cli.run("invocations", "purge", f"Ledger/{tag}/add")
    assert cli.client.invocation(done) is None
    assert "No invocations found" in cli.run("invocations", "purge", f"Ledger/{tag}/add", fails=True)


def test_state_is_shown_patched_edited_and_cleared(cli: CommandLine, tag: str) -> None:
    def state() -> dict[str, str]:
        query = f"SELECT key, value_utf8 FROM state WHERE service_name = 'Ledger' AND service_key = '{tag}'"
        return {row["key"]: row["value_utf8"] for row in cli.sql(query)}

    cli.client.call(f"Ledger/{tag}/put", {"a": 1, "b": {"c": 2}})
    shown = lines(cli.run("state", "get", "Ledger", tag))
    assert ["a", "1"] in shown
    assert ['"c":', "2"] in shown
    cli.run("state", "patch", "Ledger", tag, "-p", '[{"op":"replace","path":"/a","value":5}]')
    wait_for(lambda: state().get("a") == "5", "the patch to be applied")
    editor = cli.home / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i s/5/6/ "$1"\n', encoding="utf-8")
    editor.chmod(0o755)
    cli.run("state", "edit", "Ledger", tag, RESTATE_EDITOR=str(editor))
    wait_for(lambda: state().get("a") == "6", "the edit to be applied")
    cli.run("state", "clear", f"Ledger/{tag}")
    wait_for(lambda: not state(), "the state to be cleared")


def test_sql_is_shown_as_a_table_as_json_and_as_lines(cli: CommandLine) -> None:
    query = "SELECT name, revision, public, ty FROM sys_service WHERE name = 'Waiter'"
    [row] = cli.sql(query)
    assert (row["name"], row["public"], row["ty"]) == ("Waiter", True, "service")
    assert json.loads(cli.run("sql", query, "--jsonl")) == row
    assert ["Waiter", str(row["revision"]), "true", "service"] in lines(cli.run("sql", query))
    assert cli.sql("SELECT 1 AS a, 'x' AS b, INTERVAL '1 hour' AS d") == [{"a": 1, "b": "x", "d": "PT3600S"}]
    assert "table 'restate.public.nope' not found" in cli.run("sql", "SELECT * FROM nope", fails=True)
    assert len(cli.sql("SELECT * FROM sys_deployment")[0]["services"]) > 5


def test_a_deployment_is_removed_by_force(cli: CommandLine, tmp_path: Path) -> None:
    with python_services(tmp_path, cli.records.environment) as uri:
        cli.run("deployments", "register", uri)
        [row] = cli.sql(f"SELECT id FROM sys_deployment WHERE endpoint = '{uri}/'")
        cli.run("deployments", "remove", row["id"], fails=True)
        cli.run("deployments", "remove", row["id"], "--force")
        assert cli.sql(f"SELECT id FROM sys_deployment WHERE id = '{row['id']}'") == []
