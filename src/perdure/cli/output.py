"""What commands write: JSON for programs, tables for people, questions on standard error."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import typer

from perdure.cli.failures import Declined

STYLES: Final = {
    "running": "green",
    "ready": "green",
    "completed": "dim",
    "success": "green",
    "failure": "red",
    "backing-off": "yellow",
    "paused": "red",
    "suspended": "cyan",
    "failed": "red",
}
"""Colours of a cell with one of these words; terminals only."""

BAR_FROM: Final = 5
"""Fewer steps are done before a bar could be read."""

Step = TypeVar("Step")

_UTC_TIME: Final = re.compile(r"(\d+-\d+-\d+)T(\d+:\d+:\d+(?:\.\d{1,3})?)\d*Z")


def write_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def write_line(text: str = "") -> None:
    typer.echo(text)


def write_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Cells that do not fit are folded, never cut; the first column stays whole, as ids must be good for copying.

    Colours appear on terminals only.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*(Text(cell, STYLES.get(cell, "")) for cell in map(_cell, row)))
    # Through a pipe there is no width to fit into, and a line stays a line for grep.
    Console(width=None if sys.stdout.isatty() else 500).print(table)


def write_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Name and value per line; values of None are left out."""
    shown = [(name, _cell(value)) for name, value in facts if value is not None]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        first, *rest = value.splitlines() or [""]
        typer.echo(f"{name:<{width}}  {first}")
        for line in rest:
            typer.echo(f"{'':<{width}}  {line}")


def confirm(question: str, *, yes: bool) -> None:
    """Raises: Declined, also when nobody is there to answer."""
    if yes:
        return
    # Not input(), nor a prompt of Typer: both write to standard output, which may be meant for a program.
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer:
        typer.echo(err=True)
        raise Declined("nothing was done, because nobody confirmed it")
    if answer.strip().lower() not in ("y", "yes"):
        raise Declined("nothing was done")


def readable_time(value: Any) -> str | None:
    """`2026-11-20T10:19:47.590000000Z` as `2026-11-20 10:19:47.590 UTC`; other texts as they are."""
    if value is None:
        return None
    found = _UTC_TIME.fullmatch(str(value))
    return f"{found[1]} {found[2]} UTC" if found else str(value)


def progress(steps: Sequence[Step], doing: str) -> Iterator[Step]:
    """The steps, one after the other, behind a bar on standard error where that is a terminal."""
    if len(steps) < BAR_FROM or not sys.stderr.isatty():
        yield from steps
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(steps, doing, console=Console(stderr=True), transient=True)


def first_line(text: str, width: int = 80) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= width else line[: width - 1] + "…"


def _cell(value: object) -> str:
    return "" if value is None else str(value)
