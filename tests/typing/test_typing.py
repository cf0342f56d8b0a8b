"""mypy in strict mode on code as users write it: what it infers, and what it refuses."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.documents import DOCS, HOWTO, write_files

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src"
CHECK_S = 170.0
PAGES = [
    DOCS / "tutorial.md",
    *(HOWTO / f"{name}.md" for name in ("client", "fan-out", "human-approval", "managing-invocations", "sagas")),
    HOWTO / "move-from-the-official-sdk.md",
]

pytestmark = pytest.mark.timeout(180)


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


def marked(name: str, kind: str) -> dict[int, str]:
    """What the marks in a file want, by line."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    found = ((number, re.search(rf"# {kind}: (.+)$", line)) for number, line in enumerate(lines, 1))
    return {number: mark[1] for number, mark in found if mark}


def test_what_is_inferred(told: str) -> None:
    revealed = {
        int(line): kind for line, kind in re.findall(r"handlers\.py:(\d+): note: Revealed type is \"(.+)\"", told)
    }
    short = {line: kind.replace("builtins.", "").replace("typing.", "") for line, kind in revealed.items()}
    assert short == marked("handlers.py", "R")
    assert not re.search(r"handlers\.py:\d+: error", told), told


def test_what_is_refused(told: str) -> None:
    errors = {int(line): code for line, code in re.findall(r"mistakes\.py:(\d+): error: .*\[([\w-]+)\]", told)}
    assert errors == marked("mistakes.py", "E"), told


def test_the_programs_in_the_documents(told: str) -> None:
    assert not re.findall(r"^.*pages/.*error.*$", told, re.MULTILINE), told


def test_the_package_says_that_it_is_typed() -> None:
    assert (SOURCES / "perdure" / "py.typed").is_file()
