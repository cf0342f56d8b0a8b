"""Pages that are read to the letter: every file is written, every command typed, every output compared."""

import re
from pathlib import Path

import pytest

from support.documents import DOCS, HOWTO, Reader

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


def test_the_tutorial(tmp_path: Path) -> None:
    folder = tmp_path / "tutorial"
    folder.mkdir()
    with Reader(DOCS / "tutorial.md", folder, tmp_path) as reader:
        reader.read()
        steps = re.findall(r"^model: (\w+)$", reader.log, re.MULTILINE)
    # Tea; coffee with a kill -9 in its draft; tea until it was interrupted; coffee.
    assert steps == ["plan", "draft", "polish", "plan", "draft", "draft", "polish", "plan", "plan", "draft", "polish"]
