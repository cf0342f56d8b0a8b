"""The code in the how-to pages runs as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.embedded import embedded

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

GREETER = """
import perdure
from perdure import Context, ObjectContext

greeter = perdure.Service("Greeter")
counter = perdure.VirtualObject("Counter")

@greeter.handler()
async def greet(ctx: Context, name: str) -> str:
    return f"Hello, {name}"

@greeter.handler()
async def refuse(ctx: Context, reason: str) -> str:
    raise perdure.TerminalError(reason, status_code=418)

@counter.handler()
async def count(ctx: ObjectContext, amount: int) -> int:
    return amount

app = perdure.app([greeter, counter])
"""


def page(name: str) -> str:
    """All the code of a page, as one file."""
    blocks = BLOCK.findall((ROOT / "docs" / "howto" / name).read_text("utf-8"))
    assert blocks, f"{name} has no code"
    return "\n\n".join(blocks)


def run(folder: Path, code: str, *arguments: str) -> str:
    (folder / "test_page.py").write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, *arguments, "test_page.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_embedding(tmp_path: Path) -> None:
    said = run(tmp_path, page("embedding.md"))
    assert "Hello, Ada" in said
    assert "'status': 'completed'" in said
    assert (tmp_path / "my-data").is_dir()


def test_testing(tmp_path: Path) -> None:
    code = page("testing.md")
    # The plugin is there without an option where the package is installed from a wheel.
    said = run(tmp_path, code, "-m", "pytest", "-q", "-p", "perdure.testing.plugin", "-p", "no:cacheprovider")
    assert f"{code.count('def test_')} passed" in said


def test_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "greeter.py").write_text(GREETER, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    from greeter import app

    with embedded(tmp_path / "data", app) as server:
        code = page("client.md").replace("http://localhost:8080", server.ingress)
        said = run(tmp_path, code.replace("http://localhost:9070", server.admin))
    assert "Hello, Ada 2" in said
    assert "the handler said: no coffee 418" in said
    assert "the server said: 404" in said
