"""The remote control of invocations, by HTTP and by command line: the same operations, the same answers."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import httpx

from support.client import Client

SOURCES = Path(__file__).resolve().parents[2] / "src"
ANSWER_S: Final = 60.0

STATES: Final = {
    "cancel": "status != 'completed'",
    "kill": "status != 'completed'",
    "pause": "status NOT IN ('completed', 'paused')",
    "resume": "status != 'completed'",
    "retry-now": "status = 'backing-off'",
    "purge": "status = 'completed'",
    "purge-journal": "status = 'completed'",
    "restart-as-new": "status = 'completed'",
}
"""What somebody with SQL and curl would pick for each operation."""


class Answer(NamedTuple):
    """What became of an operation. done: ids, with the new one of each restart. refused: ids, with the reason."""

    done: dict[str, str | None]
    refused: dict[str, str]


class Remote(Protocol):
    """Steers the invocations that a target means: an invocation id, or a service for all of its invocations."""

    def do(self, verb: str, target: str, **options: str) -> Answer:
        """options: `deployment`, `from`, `key`, `reason`; `from` as an index, or for the command line a step's name.

        Raises: httpx.TransportError when no server answers.
        """
        ...


@dataclass(frozen=True)
class HttpRemote:
    """SQL finds them, and one request does it: to one by its route, to many by the route for batches."""

    client: Client

    def do(self, verb: str, target: str, **options: str) -> Answer:
        headers = {"x-perdure-reason": options.pop("reason").encode()} if "reason" in options else {}
        route = "resume" if verb == "retry-now" else verb
        with httpx.Client(base_url=self.client.admin, timeout=ANSWER_S, headers=headers) as http:
            if target.startswith("inv_"):
                return _one(target, http.patch(f"/invocations/{target}/{route}", params=options))
            sql = f"SELECT id FROM sys_invocation WHERE target_service_name = '{target}' AND {STATES[verb]}"
            ids = [row["id"] for row in self.client.query(sql)]
            path = f"/internal/invocations_batch_operations/{route}"
            response = http.post(path, json={"invocation_ids": ids, **options})
            assert response.status_code == 200, response.text
            return _many(response.json())


def _one(target: str, response: httpx.Response) -> Answer:
    if response.is_success:
        new = response.json()["new_invocation_id"] if response.content else None
        return Answer({target: new}, {})
    return Answer({}, {target: response.json()["message"]})


def _many(body: Any) -> Answer:
    done = [one if isinstance(one, dict) else {"old_invocation_id": one} for one in body["succeeded"]]
    return Answer(
        {one["old_invocation_id"]: one.get("new_invocation_id") for one in done},
        {one["invocation_id"]: one["error"] for one in body["failed"]},
    )


@dataclass(frozen=True)
class CommandLineRemote:
    """One `perdure invocations …` for all of them."""

    client: Client

    def do(self, verb: str, target: str, **options: str) -> Answer:
        flags = [text for name, value in options.items() for text in (f"--{name}", value)]
        ended = run_perdure(self.client.admin, "invocations", verb, target, *flags, "--yes", "--json")
        if ended.returncode == 3:
            raise httpx.ConnectError(ended.stderr)
        assert ended.returncode in (0, 1), ended.stderr
        if not ended.stdout:
            raise AssertionError(f"no report: {ended.stderr}")
        report = json.loads(ended.stdout)
        assert (ended.returncode == 1) is bool(report["failed"]), ended.stderr
        return Answer(
            {one["id"]: one.get("new_invocation_id") for one in report["succeeded"]},
            {one["id"]: one["message"] for one in report["failed"]},
        )


REMOTES: Final[Mapping[str, type[HttpRemote] | type[CommandLineRemote]]] = {
    "http": HttpRemote,
    "cli": CommandLineRemote,
}


def perdure_program() -> list[str]:
    """The command that users type."""
    beside = Path(sys.executable).parent / "perdure"
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "perdure.cli.main"]


def perdure_environment() -> dict[str, str]:
    """What makes the command run the code under test."""
    paths = [str(SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths)}


def run_perdure(admin: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command against the server at `admin`, and waits for its end."""
    return subprocess.run(
        [*perdure_program(), *arguments],
        env={**os.environ, **perdure_environment(), "PERDURE_ADMIN_URL": admin},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=ANSWER_S,
        check=False,
    )
