"""Draws the pictures of docs/concepts/ into docs/images/concepts/; `--check` compares."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images" / "concepts"
WIDTH = 760
MARGIN = 20
# Each picture has a ground of its own, so that it can be read on any page.
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1c2430 }
.ground { fill: #ffffff; stroke: #c9d1db }
.small { font-size: 12px; fill: #4a5666 }
.code { font: 13px ui-monospace, monospace }
.title { font-weight: 600 }
.kept { fill: #e3f3e6; stroke: #2f7d43 }
.now { fill: #e1ecfb; stroke: #2b62b3 }
.lost { fill: #fbe6e4; stroke: #b3372b; stroke-dasharray: 5 3 }
.none { fill: none; stroke: #6b7787; stroke-dasharray: 3 4 }
.line { fill: none; stroke: #4a5666; stroke-width: 1.5; marker-end: url(#head) }
#head path { fill: #4a5666 }
@media (prefers-color-scheme: dark) {
text { fill: #e8edf3 }
.ground { fill: #161b22; stroke: #3c4653 }
.small { fill: #b0bac6 }
.kept { fill: #16351f; stroke: #5cb574 }
.now { fill: #14294a; stroke: #6fa3ec }
.lost { fill: #401a17; stroke: #ec8078 }
.none { stroke: #8a96a5 }
.line { stroke: #b0bac6 }
#head path { fill: #b0bac6 }
}
"""


class Box(NamedTuple):
    """A box with up to two lines of text. kind: a class of the style."""

    kind: str
    text: str
    below: str = ""
    width: int = 112


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(content)}</text>'


def box(x: float, y: float, what: Box, height: int = 48) -> str:
    lines = [f'<rect class="{what.kind}" x="{x:g}" y="{y:g}" width="{what.width}" height="{height}" rx="6"/>']
    middle = x + what.width / 2
    lines.append(text(middle, y + (21 if what.below else height / 2 + 5), what.text, "code", "middle"))
    if what.below:
        lines.append(text(middle, y + 38, what.below, "small", "middle"))
    return "\n".join(lines)


def row(x: float, y: float, boxes: Iterable[Box], gap: int = 8) -> str:
    """Boxes beside each other."""
    drawn = []
    for each in boxes:
        drawn.append(box(x, y, each))
        x += each.width + gap
    return "\n".join(drawn)


def line(*points: tuple[float, float]) -> str:
    """An arrow through the points."""
    return f'<path class="line" d="M{" L".join(f"{x:g} {y:g}" for x, y in points)}"/>'


def picture(title: str, description: str, height: int, *parts: str) -> str:
    """A whole file. title, description: for those who cannot see it."""
    head = '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
            ' role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>{STYLE}</style>",
            f'<defs>{head}<path d="M0 0L8 4L0 8z"/></marker></defs>',
            f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
            *parts,
            "</svg>\n",
        ]
    )


INPUT = Box("kept", "Input", "coffee", 84)


def replay() -> str:
    """Two attempts of one invocation, with a crash between them."""
    first = [INPUT, Box("kept", "Run plan", "run, recorded"), Box("lost", "Run draft", "was running")]
    second = [
        Box("kept", "Input", "recorded", 84),
        Box("kept", "Run plan", "recorded: not run"),
        Box("now", "Run draft", "run, recorded"),
        Box("now", "Run polish", "run, recorded"),
        Box("now", "Output", "recorded", 92),
    ]
    second = [each._replace(width=max(each.width, 120)) if each.text.startswith("Run") else each for each in second]
    first = [each._replace(width=120) if each.text.startswith("Run") else each for each in first]
    end = MARGIN + 92 + 84 + 8 + 2 * 128
    return picture(
        "A crash and the next attempt",
        "The first attempt records its input and the result of the step plan; the process dies while the step draft "
        "is running. The second attempt takes input and plan from the journal without running plan, runs draft and "
        "polish, and records the output.",
        190,
        text(MARGIN, 50, "Attempt 1", "title"),
        row(MARGIN + 92, 22, first),
        text(end + 8, 50, "✗ kill -9: nothing of draft is recorded", "small"),
        line((MARGIN + 40, 64), (MARGIN + 40, 112)),
        text(MARGIN + 50, 94, "the server starts the next attempt", "small"),
        text(MARGIN, 146, "Attempt 2", "title"),
        row(MARGIN + 92, 118, second),
    )


def suspension() -> str:
    """A handler that sleeps for a week."""
    top = 46
    return picture(
        "A handler that waits for a week",
        "An attempt runs a step and begins to sleep, and ends: the invocation is suspended and no process runs. After "
        "a week a second attempt replays the step and the sleep from the journal and goes on.",
        170,
        row(
            MARGIN,
            top,
            [
                Box("now", "attempt 1", "charge, then sleep", 150),
                Box("none", "suspended", "seven days: a row and a timer in the store, no process", 370),
                Box("now", "attempt 2", "replays, goes on", 184),
            ],
        ),
        text(MARGIN, 30, "What runs", "title"),
        text(MARGIN, 126, "Journal", "title"),
        text(MARGIN + 70, 126, "Input · Run charge ✓ · Sleep", "code"),
        text(MARGIN + 536, 126, "Sleep ✓ · …", "code"),
        text(MARGIN + 70, 148, "written by attempt 1", "small"),
        text(MARGIN + 536, 148, "written when it is due", "small"),
    )


def restart() -> str:
    """An invocation, and a new one that keeps its first steps."""
    old = [
        Box("kept", "0 Input", "", 92),
        Box("kept", "1 Run plan", "", 116),
        Box("kept", "2 Run draft", "", 116),
        Box("kept", "3 Run polish", "", 116),
        Box("kept", "4 Output", "", 100),
    ]
    new = [
        old[0]._replace(below="copied"),
        old[1]._replace(below="copied"),
        Box("now", "2 Run draft", "run again", 116),
        Box("now", "3 Run polish", "run again", 116),
        Box("now", "4 Output", "new", 100),
    ]
    x = MARGIN + 130
    return picture(
        "Restart from a step",
        "The old invocation has the entries input, plan, draft, polish and output, and stays as it is. The new "
        "invocation, restarted from plan, begins with copies of input and plan, runs draft and polish again, and has "
        "an output of its own.",
        186,
        text(MARGIN, 42, "old, completed", "title"),
        text(MARGIN, 60, "stays as it is", "small"),
        row(x, 22, old),
        line((x + 46, 72), (x + 46, 112)),
        line((x + 158, 72), (x + 158, 112)),
        text(x + 174, 97, "restart-as-new --from plan", "code"),
        text(MARGIN, 138, "new, own id", "title"),
        row(x, 116, new),
    )


def life() -> str:
    """The statuses of an invocation as operators see them."""
    wide = 108
    places = {
        "scheduled": (MARGIN, 44, "waits for its time"),
        "pending": (MARGIN, 140, "waits for its key"),
        "ready": (178, 92, "about to run"),
        "running": (330, 92, "code runs"),
        "suspended": (482, 14, "waits for a result"),
        "backing-off": (482, 92, "attempt failed"),
        "paused": (482, 196, "rests"),
        "completed": (632, 92, "has its outcome"),
    }
    kinds = {"running": "now", "completed": "kept", "paused": "lost"}
    drawn = [box(x, y, Box(kinds.get(name, "none"), name, below, wide)) for name, (x, y, below) in places.items()]
    return picture(
        "The statuses of an invocation",
        "Scheduled and pending become ready; pending follows scheduled when the key is taken. Ready becomes running. "
        "Running becomes suspended, backing-off, paused or completed. Suspended becomes ready when the result is "
        "there. Backing-off becomes running with the next attempt, or paused when its attempts are used up. Paused "
        "becomes ready when it is resumed. Cancel, kill and pause lead out of every status that is not completed.",
        300,
        *drawn,
        line((74, 92), (74, 138)),
        text(80, 120, "key taken", "small"),
        line((128, 68), (178, 104)),
        line((128, 164), (178, 130)),
        line((286, 116), (328, 116)),
        line((400, 92), (400, 38), (480, 38)),
        line((482, 52), (250, 52), (250, 90)),
        text(262, 46, "result is there", "small"),
        line((438, 108), (480, 108)),
        line((482, 130), (440, 130)),
        line((536, 140), (536, 194)),
        text(542, 166, "attempts", "small"),
        text(542, 181, "used up", "small"),
        line((482, 222), (232, 222), (232, 142)),
        text(262, 216, "resume", "small"),
        line((424, 92), (424, 78), (686, 78), (686, 90)),
        text(
            MARGIN, 264, "From every status but completed: cancel and kill lead to completed, pause to paused.", "small"
        ),
        text(MARGIN, 284, "A handler that is cancelled runs once more, to clean up.", "small"),
    )


PICTURES = {"replay": replay, "suspension": suspension, "restart": restart, "life": life}


def main() -> int:
    """Returns the exit status."""
    stale = []
    for name, draw in PICTURES.items():
        path = FOLDER / f"{name}.svg"
        if "--check" in sys.argv[1:]:
            if not path.exists() or path.read_text("utf-8") != draw():
                stale.append(path.name)
        else:
            path.write_text(draw(), "utf-8")
    if stale:
        print(f"{', '.join(stale)} are not what scripts/draw_concepts.py draws; run it", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
