"""Pages that are read to the letter: every file is written, every command typed, every output compared."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.documents import DOCS, HOWTO, Reader
from support.servers import missing

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def _what_the_commands_need() -> None:
    for tool in ("curl", "jq", "pgrep"):
        if shutil.which(tool) is None:
            missing(f"the commands of the documents need {tool}")
    if subprocess.run(["curl", "--json", "{}", "--version"], capture_output=True, check=False).returncode:
        missing("the commands of the documents need curl 7.82 or newer, for its option --json")


def test_the_tutorial(tmp_path: Path) -> None:
    folder = tmp_path / "tutorial"
    folder.mkdir()
    with Reader(DOCS / "tutorial.md", folder, tmp_path) as reader:
        reader.read()
        steps = re.findall(r"^model: (\w+)$", reader.log, re.MULTILINE)
    # Tea; coffee with a kill -9 in its draft; tea until it was interrupted; coffee.
    assert steps == ["plan", "draft", "polish", "plan", "draft", "draft", "polish", "plan", "plan", "draft", "polish"]


@pytest.mark.parametrize(
    "page",
    [
        "client",
        "fan-out",
        "human-approval",
        "managing-invocations",
        "move-from-the-official-sdk",
        "sagas",
        "separate-services",
        "versioning",
    ],
)
def test_a_how_to(page: str, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    with Reader(HOWTO / f"{page}.md", folder, tmp_path) as reader:
        reader.read()
