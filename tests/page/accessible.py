"""What axe finds wrong with a page, in both colour schemes."""

from typing import Any, Literal

from playwright.sync_api import Page

from page.conftest import CHECKERS

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def faults(page: Page) -> list[str]:
    """One line for each element that a rule finds fault with; empty is what a test wants."""
    page.evaluate((CHECKERS / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        result: dict[str, Any] = page.evaluate("axe.run()")
        found += [
            f"{scheme}: {rule['id']}: {node['html'][:200]}" for rule in result["violations"] for node in rule["nodes"]
        ]
    return found
