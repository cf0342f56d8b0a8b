"""Checks that every relative link in the repository's documents leads to a file, and every anchor to a heading.

With a folder, checks the site that was built there: a page loads nothing from anywhere else.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("*.md", "docs/**/*.md", "examples/**/*.md", "changelog.d/*.md", "benchmarks/**/*.md")
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=\"(?:https?:)?//[^>]*>|url\([\"']?(?:https?:)?//[^)]*\)"
)
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)


def documents() -> list[Path]:
    return sorted({path for pattern in PLACES for path in ROOT.glob(pattern)})


def prose(path: Path) -> str:
    """The document without its code blocks, where brackets and hashes mean something else."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """The anchors that the usual renderers give to a document's headings."""
    headings = HEADING.findall(prose(path))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> list[str]:
    broken = []
    for target in LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", target):
            continue  # another site: its links are not ours to check, and a build must not need the network
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if not there.exists():
            broken.append(f"{path.relative_to(ROOT)}: {target}: no such file")
        elif anchor and there.suffix == ".md" and anchor not in anchors(there):
            broken.append(f"{path.relative_to(ROOT)}: {target}: no such heading")
    return broken


def loads_from_elsewhere(path: Path) -> list[str]:
    """What a reader's browser would fetch from the network to show a page; links that readers may follow are fine."""
    return [f"{path}: {match[0]}" for match in ELSEWHERE.finditer(path.read_text(encoding="utf-8"))]


def main() -> int:
    if sys.argv[1:]:
        found = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix in (".html", ".css"))
        broken = [line for path in found for line in loads_from_elsewhere(path)]
        print(*broken, f"{len(found)} files of the site, {len(broken)} load from elsewhere", sep="\n")
        return 1 if broken or not found else 0
    found = documents()
    broken = [line for path in found for line in broken_links(path)]
    print(*broken, f"{len(found)} documents, {len(broken)} broken links", sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
