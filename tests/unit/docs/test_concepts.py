"""The pictures of docs/concepts are what their script draws, can be read without eyes, and are used."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from support.documents import DOCS, ROOT

PICTURES = sorted((DOCS / "images" / "concepts").glob("*.svg"))
PAGES = sorted((DOCS / "concepts").glob("*.md"))
SVG = "{http://www.w3.org/2000/svg}"


def test_the_pictures_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "draw_concepts.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_has_a_text_alternative_and_a_page_that_shows_it(picture: Path) -> None:
    drawing = ET.parse(picture).getroot()
    assert all(drawing.findtext(f"{SVG}{name}") for name in ("title", "desc"))
    shown = [
        alt for page in PAGES for alt in re.findall(rf"!\[([^\]]+)\]\([^)]*{picture.name}\)", page.read_text("utf-8"))
    ]
    assert shown, picture.name
    assert all(len(alt) > 40 for alt in shown)
