"""What importing the SDK costs, and what it does without."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SOURCES = Path(__file__).resolve().parents[3] / "src"
SERVER_PACKAGES = (
    "fastapi",
    "starlette",
    "pydantic",
    "pydantic_settings",
    "apsw",
    "sqlglot",
    "typer",
    "rich",
    "structlog",
    "nanoarrow",
    "watchfiles",
    "uvloop",
    "h11",
    "h2",
    "jh2",
    "httptools",
    "hypercorn",
    "cryptography",
)
SERVER_ROOMS = (
    "admin",
    "cli",
    "engine",
    "ingress",
    "introspection",
    "invoker",
    "node",
    "partition",
    "registration",
    "storage",
    "telemetry",
    "worker",
)

BLOCK = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {SERVER_PACKAGES!r}:
            raise ModuleNotFoundError(f"{{name}} is not installed")

sys.meta_path.insert(0, Blocked())
"""

USE = """
import asyncio, json, sys
import perdure as restate

service = restate.Service("S")

@service.handler()
async def greet(ctx: restate.Context, name: str) -> str:
    return f"hello {name}"

app = restate.app([service])
restate.getLogger("x")
answers = []

async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}

async def send(message):
    answers.append(message)

scope = {"type": "http", "path": "/discover", "headers": [], "http_version": "2"}
asyncio.run(app(scope, receive, send))
assert answers[0]["status"] == 200, answers
"""

TELL = """
print(json.dumps(sorted(sys.modules)))
"""


def run(code: str) -> Any:
    program = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(
        program, capture_output=True, text=True, timeout=50, env={"PYTHONPATH": str(SOURCES)}, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def test_the_sdk_needs_no_package_of_the_server() -> None:
    run(BLOCK + USE)


def test_the_sdk_loads_nothing_of_the_server() -> None:
    loaded = run(USE + TELL)
    assert [name for name in SERVER_PACKAGES if name in loaded] == []
    assert [name for name in SERVER_ROOMS if f"perdure.{name}" in loaded] == []


def test_importing_the_package_loads_nothing_else() -> None:
    loaded = run("import json, sys; old = {*sys.modules}; import perdure; print(json.dumps([*{*sys.modules} - old]))")
    assert [name for name in loaded if name.startswith("perdure")] == ["perdure"]
    assert not {"asyncio", "msgspec", "google"} & {*loaded}


@pytest.mark.parametrize("name", ["serve", "identity_keys"])
def test_what_needs_more_says_so(name: str) -> None:
    use = {
        "serve": "asyncio.run(app.serve(0))",
        "identity_keys": "restate.app([service], identity_keys=['publickeyv1_x'])",
    }[name]
    told = run(
        BLOCK + USE + f"\ntry:\n    {use}\nexcept ModuleNotFoundError as error:\n    print(json.dumps(str(error)))"
    )
    assert "not installed" in told
