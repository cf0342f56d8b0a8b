"""The table of moves is complete enough to be drawn, and the drawing is current."""

import importlib.util
from pathlib import Path

from perdure.engine.transitions import TRANSITIONS
from perdure.model.invocation import Status

SCRIPT = Path(__file__).parents[3] / "scripts" / "draw_transitions.py"


def test_the_drawing_is_current() -> None:
    spec = importlib.util.spec_from_file_location("draw_transitions", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = script.DOCUMENT.read_text("utf-8")
    assert script.redrawn(text) == text, "run scripts/draw_transitions.py"


def test_every_status_can_be_reached_and_left() -> None:
    assert {target for _, target in TRANSITIONS} >= set(Status)
    assert {source for source, _ in TRANSITIONS} >= set(Status)
