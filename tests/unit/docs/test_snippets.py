"""Every snippet of the documents is run by a test, or says above it why not: `<!-- not run: … -->`."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("README.md", "docs/**/*.md", "examples/*/README.md", "benchmarks/*.md")
PAGES = sorted(path for folder in FOLDERS for path in ROOT.glob(folder))
READERS = ("unit/docs/test_*.py", "integration/test_documents.py", "integration/test_readmes.py")
TESTS = "\n".join(path.read_text("utf-8") for files in READERS for path in sorted((ROOT / "tests").glob(files)))
FENCE = re.compile(r"^ *```([^\n`]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: \S.* -->\n\Z")
RUN = ("python", "sh", "console", "toml", "json", "sql")
"""Languages in which something can be wrong; `diff`, `text` and blocks without one are for people."""

SHOWN = ("", "text", "diff", "mermaid", "{eval-rst}")


def snippets(page: Path) -> list[tuple[int, str, bool]]:
    """Line, language, and whether a comment says that it is not run."""
    text = page.read_text("utf-8")
    return [
        (text.count("\n", 0, match.start()) + 1, match[1].strip(), bool(NOT_RUN.search(text[: match.start()])))
        for match in FENCE.finditer(text)
    ]


def name_in_tests(page: Path) -> str:
    """How a test names the page that it runs, with or without `.md`; of a README with its folder."""
    return f"{page.parent.name}/{page.name}" if page.name == "README.md" and page.parent != ROOT else page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_snippet_is_run_or_says_why_not(page: Path) -> None:
    found = snippets(page)
    unknown = [f"line {line}: {language}" for line, language, _ in found if language not in (*RUN, *SHOWN)]
    assert not unknown, f"is this to be run? {unknown}"
    wanted = [line for line, language, left_out in found if language in RUN and not left_out]
    if wanted:
        named = re.search(rf'["/]{re.escape(name_in_tests(page).removesuffix(".md"))}(\.md)?"', TESTS)
        assert named, f"no test runs the snippets of this page, in lines {wanted}"
