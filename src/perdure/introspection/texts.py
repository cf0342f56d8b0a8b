"""Functions on texts that the dialect has and SQLite has not."""

import hashlib
from collections.abc import Callable
from typing import Any, Final


def _split_part(text: str, separator: str, position: int) -> str:
    """The part at a position that counts from 1, or backwards from -1; empty if there is none."""
    if position == 0:
        raise ValueError("split_part counts from 1")
    parts = text.split(separator) if separator else [text]
    index = position - 1 if position > 0 else position
    return parts[index] if -len(parts) <= index < len(parts) else ""


def _left(text: str, count: int) -> str:
    return text[:count]


def _right(text: str, count: int) -> str:
    return text[max(0, len(text) - count) :] if count >= 0 else text[-count:]


def _translate(text: str, wanted: str, replacements: str) -> str:
    table: dict[int, str | None] = {}
    for index, character in enumerate(wanted):
        table.setdefault(ord(character), replacements[index] if index < len(replacements) else None)
    return text.translate(table)


TEXT_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "starts_with": lambda text, prefix: text.startswith(prefix),
    "ends_with": lambda text, suffix: text.endswith(suffix),
    "split_part": _split_part,
    "left": _left,
    "right": _right,
    "reverse": lambda text: text[::-1],
    "translate": _translate,
    "initcap": lambda text: text.title(),
    "md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
}
