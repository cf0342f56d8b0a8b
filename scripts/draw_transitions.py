"""Draws the legal moves of an invocation into docs/internals/engine.md."""

from pathlib import Path

from perdure.engine.transitions import NEW_ATTEMPTS, TRANSITIONS
from perdure.model.invocation import Status

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "internals" / "engine.md"
BEGIN, END = "<!-- drawn by scripts/draw_transitions.py -->\n", "<!-- end of the drawing -->\n"


def draw() -> str:
    """The diagram in Mermaid, and the table of causes."""
    arrows = [f"    {_node(source)} --> {_node(target)}\n" for source, target in TRANSITIONS]
    rows = [
        f"| {source or '–'} | {target or 'gone'} | {_names(by)} |\n" for (source, target), by in TRANSITIONS.items()
    ]
    rows.append(f"| {Status.INVOKED} | {Status.INVOKED}, next attempt | {_names(NEW_ATTEMPTS)} |\n")
    return (
        "```mermaid\nstateDiagram-v2\n" + "".join(arrows) + "```\n\n| from | to | by |\n|---|---|---|\n" + "".join(rows)
    )


def _node(status: Status | None) -> str:
    return "[*]" if status is None else status.value


def _names(causes: tuple[type, ...]) -> str:
    return ", ".join(f"`{cause.__name__}`" for cause in causes)


def redrawn(text: str) -> str:
    """The document with the drawing replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{draw()}\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(redrawn(DOCUMENT.read_text("utf-8")), "utf-8")
