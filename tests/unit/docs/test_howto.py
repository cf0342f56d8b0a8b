"""The code in the how-to pages runs as it stands there."""

import subprocess
import sys
from pathlib import Path

from support.documents import HOWTO, blocks, file_name, programs
from support.embedded import embedded


def page(name: str) -> str:
    """The code of a page that is in no file, as one file."""
    found = [block for block in blocks(HOWTO / name) if block.language == "python" and not file_name(block)]
    assert found, f"{name} has no code"
    return "\n\n".join(block.text for block in found)


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


def test_client(tmp_path: Path) -> None:
    with (
        programs(HOWTO / "client.md", tmp_path) as files,
        embedded(tmp_path / "data", files.greeter.app) as server,
    ):
        code = page("client.md").replace("http://localhost:8080", server.ingress)
        said = run(tmp_path, code.replace("http://localhost:9070", server.admin))
    assert "Hello, Ada 2" in said
    assert "the handler said: no coffee 418" in said
    assert "the server said: 404" in said
