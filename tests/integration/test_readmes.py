"""The first page and those of the examples, read to the letter: every command typed, every output compared."""

import shutil
from pathlib import Path

import pytest

from support.documents import ROOT, Reader

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The folder in which readers type: what examples write stays out of the repository."""
    folder = tmp_path / "checkout"
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__", "rates.json"))
    return folder


def test_the_first_page(checkout: Path, tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    # `make dev` does this, as the page says.
    begun = "```sh\nperdure dev examples/coding_agent/agent.py\n```\n"
    page.write_text(begun + (ROOT / "README.md").read_text("utf-8"), "utf-8")
    with Reader(page, checkout, tmp_path) as reader:
        reader.read()


@pytest.mark.parametrize("page", ["coding_agent/README.md", "dead_endpoint/README.md", "insurance_claim/README.md"])
def test_an_example(page: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(ROOT / "examples" / page, checkout, tmp_path)
    monkeypatch.setenv("ORDER_TOOL_URL", f"http://{reader.address('5999')}/")
    with reader:
        reader.read()
