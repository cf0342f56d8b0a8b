"""Which page stands where: sections of the start page, and what lies beside a README.

On a code host these lists would be noise, so they are added when a page is read.
"""

from typing import Any

from sphinx.application import Sphinx
from sphinx.util.matching import patfilter

SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("docs/tutorial", "docs/tutorial/*"),
    "How to": ("docs/howto/*",),
    "Concepts": ("docs/concepts/*",),
    "Examples": ("examples/*/README",),
    "Reference": ("docs/reference/*", "docs/reference/*/README"),
    "How it is built": ("docs/internals/README", "docs/decisions/README", "benchmarks/README"),
}
"""Captions of the navigation, and the pages below them; what is not there is left out."""

TEMPLATE = "docs/decisions/0000-template"
"""Is linked to, but it is no decision."""


def _toctree(caption: str, entries: list[str]) -> str:
    lines = ["```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else []), *entries, "```"]
    return "\n" + "\n".join(lines) + "\n"


def _there(app: Sphinx, patterns: tuple[str, ...], page: str) -> list[str]:
    """Pages that exist, in the order of the patterns and then of their names."""
    found: dict[str, None] = {}
    for pattern in patterns:
        for name in sorted(patfilter(app.env.found_docs, pattern)):
            found.setdefault(name)
    return [f"/{name}" for name in found if name not in (page, TEMPLATE)]


def _add_lists(app: Sphinx, page: str, source: list[str]) -> None:
    if page == app.config.root_doc:
        for caption, patterns in SECTIONS.items():
            if entries := _there(app, patterns, page):
                source[0] += _toctree(caption, entries)
    elif page.endswith("/README") and (entries := _there(app, (f"{page.rpartition('/')[0]}/*",), page)):
        source[0] += _toctree("", entries)
    elif page == TEMPLATE:
        source[0] = f"---\norphan: true\n---\n{source[0]}"


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", _add_lists)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
