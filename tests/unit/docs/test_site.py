"""What the site is made with: the form of docstrings, and the check that its pages need no network."""

import runpy
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
DOCSTRING = """Books a flight.

    book(seats=2)

    print("booked")

Slowly. seats: how many, a count.  name, title: of the passenger,
on two lines. Note: this is a word before a colon.
Returns: the number.
Raises: BookedOut (E0001) when it is. Raises, when awaited: TooLate.
Source: a book."""


@pytest.fixture
def parsed() -> Any:
    return runpy.run_path(str(SCRIPTS / "docstrings.py"))["parse"](DOCSTRING, {"seats", "name", "title"})


def test_a_docstring_is_text_and_examples_in_their_order(parsed: Any) -> None:
    assert parsed.blocks == ["Books a flight.", '    book(seats=2)\n\n    print("booked")', "Slowly."]
    assert parsed.examples == ['book(seats=2)\n\nprint("booked")']


def test_a_field_ends_where_the_next_begins_and_other_words_before_a_colon_are_words(parsed: Any) -> None:
    passenger = "of the passenger, on two lines. Note: this is a word before a colon."
    assert parsed.fields == {"seats": "how many, a count.", "name": passenger, "title": passenger}
    assert parsed.sections == {
        "Returns": "the number.",
        "Raises": "BookedOut (E0001) when it is.",
        "Raises, when awaited": "TooLate.",
        "Source": "a book.",
    }


@pytest.mark.parametrize(
    ("page", "fetched"),
    [
        ('<script src="https://cdn.example/x.js"></script>', 1),
        ('<link rel="stylesheet" href="//fonts.example/x.css">', 1),
        ("@font-face { src: url('https://fonts.example/x.woff2') }", 1),
        ('<a href="https://example.org">a link to follow</a> <img src="../logo.svg"> url("x.png")', 0),
    ],
)
def test_what_a_page_loads_from_elsewhere_is_found(page: str, fetched: int, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page, "utf-8")
    check = runpy.run_path(str(SCRIPTS / "check_docs.py"))["loads_from_elsewhere"]
    assert len(check(tmp_path / "page.html")) == fetched
