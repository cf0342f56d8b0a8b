"""mypy and pyright, both strict, on code as users write it: what they infer, and what they refuse."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.documents import DOCS, HOWTO, write_files

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src"
PYRIGHT = HERE / "node_modules" / "pyright" / "index.js"
CHECK_S = 170.0
PAGES = [
    DOCS / "tutorial.md",
    *(HOWTO / f"{name}.md" for name in ("client", "fan-out", "human-approval", "managing-invocations", "sagas")),
    HOWTO / "move-from-the-official-sdk.md",
]

pytestmark = pytest.mark.timeout(180)


def marked(name: str, kind: str) -> dict[int, str]:
    """What the marks in a file want, by line."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    found = ((number, re.search(rf"# {kind}: (.+)$", line)) for number, line in enumerate(lines, 1))
    return {number: mark[1] for number, mark in found if mark}


def plain(kind: str) -> str:
    """A type as every checker can say it: without the modules of its names."""
    return re.sub(r"\b\w+\.", "", kind)


# ---- mypy ----


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy says of both files, and of the programs in the documents."""
    folder = tmp_path_factory.mktemp("mypy")
    pages = folder / "pages"
    pages.mkdir()
    modules = ["handlers", "mistakes", *(name for page in PAGES for name in write_files(page, pages))]
    assert len(modules) == len(set(modules)), "two pages have a program of the same name"
    settings = folder / "mypy.ini"
    settings.write_text(f"[mypy]\nstrict = True\nmypy_path = {SOURCES}:{HERE}:{pages}\ncache_dir = {folder}/cache\n")
    command = [sys.executable, "-m", "mypy", "--config-file", str(settings)]
    command += [part for module in modules for part in ("-m", module)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=CHECK_S).stdout


def test_what_mypy_infers(told: str) -> None:
    revealed = {
        int(line): plain(kind)
        for line, kind in re.findall(r"handlers\.py:(\d+): note: Revealed type is \"(.+)\"", told)
    }
    assert revealed == marked("handlers.py", "R")
    assert not re.search(r"handlers\.py:\d+: error", told), told


def test_what_mypy_refuses(told: str) -> None:
    errors = {int(line): code for line, code in re.findall(r"mistakes\.py:(\d+): error: .*\[([\w-]+)\]", told)}
    assert errors == marked("mistakes.py", "E"), told


def test_the_programs_in_the_documents(told: str) -> None:
    assert not re.findall(r"^.*pages/.*error.*$", told, re.MULTILINE), told


# ---- pyright ----


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What pyright says of both files. Without it the test is skipped, and fails where CI is set."""
    if not PYRIGHT.exists():
        text = "pyright is not installed; `make setup` does it where npm has a package registry"
        if os.environ.get("CI"):
            pytest.fail(text, pytrace=False)
        pytest.skip(text)
    settings = tmp_path_factory.mktemp("pyright") / "pyrightconfig.json"
    # Relative to itself, or it finds nothing.
    files = [os.path.relpath(HERE / name, settings.parent) for name in ("handlers.py", "mistakes.py")]
    paths = [str(SOURCES), str(HERE)]
    settings.write_text(json.dumps({"typeCheckingMode": "strict", "include": files, "extraPaths": paths}))
    beside = Path(sys.executable).parent / "node"
    node = str(beside) if beside.exists() else shutil.which("node") or "node"
    command = [node, str(PYRIGHT), "--outputjson", "--pythonpath", sys.executable, "-p", str(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CHECK_S)
    found: list[dict[str, Any]] = json.loads(done.stdout)["generalDiagnostics"]
    return found


def lines(said: list[dict[str, Any]], name: str, severity: str) -> dict[int, str]:
    """What is said of a file, by line."""
    return {
        one["range"]["start"]["line"] + 1: one["message"]
        for one in said
        if Path(one["file"]).name == name and one["severity"] == severity
    }


def test_what_pyright_infers(said: list[dict[str, Any]]) -> None:
    revealed = {
        line: plain(kind[1])
        for line, text in lines(said, "handlers.py", "information").items()
        if (kind := re.search(r'is "(.+)"$', text))
    }
    assert revealed == marked("handlers.py", "R")
    assert lines(said, "handlers.py", "error") == {}


def test_what_pyright_refuses(said: list[dict[str, Any]]) -> None:
    assert lines(said, "mistakes.py", "error").keys() == marked("mistakes.py", "E").keys()


def test_the_package_says_that_it_is_typed() -> None:
    assert (SOURCES / "perdure" / "py.typed").is_file()
