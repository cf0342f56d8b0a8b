"""The snippets of the reference and of the first pages do what the text around them says."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import perdure
from perdure.node.settings import load_settings
from perdure.testing import Harness
from support.client import Client
from support.embedded import embedded

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs" / "reference"


def only_block(page: Path, language: str) -> str:
    [block] = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return str(block)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Client]:
    greeter = perdure.Service("Greeter")

    @greeter.handler()
    async def greet(ctx: perdure.Context, name: str) -> str:
        return f"Hello, {name}"

    with embedded(tmp_path / "data", perdure.app([greeter])) as client:
        yield client


def typed(command: str, server: Client, *options: str) -> str:
    """What a reader sees who types it, against this server."""
    for usual in ("localhost:9070", "127.0.0.1:9070"):
        command = command.replace(usual, server.admin.removeprefix("http://"))
    command = command.replace("curl", " ".join(["curl", "-s", *options]), 1)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_first_handler_answers(page: str) -> None:
    names: dict[str, Any] = {"__name__": "greeter"}
    exec(only_block(ROOT / page, "python"), names)
    with Harness(names["app"]) as harness:
        assert harness.run(harness.client.call(names["greet"], "Ada")) == "Hello, Ada"


def test_the_settings_of_the_example_are_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "perdure.toml"
    file.write_text(only_block(REFERENCE / "settings.md", "toml"), "utf-8")
    settings = load_settings(file, {})
    assert str(settings.ingress) == "0.0.0.0:8080"
    assert settings.data == Path("/var/lib/perdure")
    assert settings.timeouts.inactivity == 5 * 60 * 1000
    assert settings.retry.max_attempts == "unlimited"


def test_sql_over_http_finds_the_newest_invocations(server: Client) -> None:
    server.call("Greeter/greet", "Ada")
    answer = json.loads(typed(only_block(REFERENCE / "sql.md", "sh"), server))
    assert [(row["target"], row["status"]) for row in answer["rows"]] == [("Greeter/greet", "completed")]


def test_events_come_as_shown(server: Client) -> None:
    page = only_block(REFERENCE / "events.md", "console")
    command, *shown = page.splitlines()
    seen = typed(command.removeprefix("$ "), server, "--max-time", "2").splitlines()
    first = [line.partition(":")[0] for line in shown[: shown.index("", 2)]]
    assert [line.partition(":")[0] for line in seen[: len(first)]] == first
    assert seen[:3] == shown[:3]
    [data, promised] = [next(line for line in lines if line.startswith("data:")) for lines in (seen, shown)]
    names = re.findall(r'"(topic|now|invocations|more)":', promised)
    assert json.loads(data.removeprefix("data:")).keys() == set(names)
