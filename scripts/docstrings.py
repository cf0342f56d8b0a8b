"""The form that public docstrings of this package have, read.

    What it does, in a sentence; then paragraphs, and examples that are indented by four spaces.

    name, other: what a parameter or an attribute means.  third: two spaces may stand for a new line.
    Returns: …
    Raises: SomeError (E0123) when …
    Raises, when awaited: …
    Source: …

The reference of `make docs` is made from it, and `tests/unit/docs/test_docstrings.py` holds docstrings to it.
"""

import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import perdure

MODULES = ("client", "exceptions", "extensions", "logging", "serde", "testing", "context")
"""Beside the package itself; a name that both have is documented as the package's."""

ERRORS = ("sdk.exceptions", "sdk.definition_errors", "embedded", "errors")
"""Where exceptions are that handlers and callers meet, and that have no name in those modules."""

SECTIONS = ("Returns", "Yields", "Raises", "Raises, when awaited", "Source")
_LABEL = re.compile(r"(?:(?<=\n)|(?<=^)|(?<=  )|(?<=[.;!?] ))(?P<label>[A-Za-z_]\w*(?:, [A-Za-z_][\w ]*)*): (?=\S)")
_ASSIGNED = re.compile(r"self\.([a-z]\w*)\b[^=\n]*=")


@dataclass
class Docstring:
    """blocks: paragraphs and examples, in order; an example keeps its lines. fields: by name. sections: by label."""

    blocks: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)


def parse(docstring: str, names: Iterable[str]) -> Docstring:
    """docstring: as `inspect.getdoc` gives it. names: what may have a field; other words before a colon are words."""
    known = set(names)
    found = Docstring()
    for paragraph in _paragraphs(docstring):
        if paragraph.startswith("    "):
            example = textwrap.dedent(paragraph)
            found.examples.append(example)
            found.blocks.append(paragraph)
        else:
            _read(paragraph, known, found)
    return found


def public_names() -> dict[str, Any]:
    """Everything that the reference has, by the name that users write; of a class with two names, its own."""
    found: dict[str, Any] = {f"perdure.{name}": getattr(perdure, name) for name in perdure._WHERE}
    found = {path: thing for path, thing in found.items() if not _is_other_name(path, thing)}
    known = {id(thing) for thing in found.values()}
    for module in MODULES:
        there = importlib.import_module(f"perdure.{module}")
        for name in there.__all__:
            thing = getattr(there, name)
            if id(thing) not in known and not _is_other_name(name, thing):
                found[f"perdure.{module}.{name}"] = thing
                known.add(id(thing))
    for module in ERRORS:
        there = importlib.import_module(f"perdure.{module}")
        for name, thing in vars(there).items():
            is_error = isinstance(thing, type) and issubclass(thing, BaseException)
            if is_error and thing.__module__ == there.__name__ and id(thing) not in known:
                found[f"{there.__name__}.{name}"] = thing
    return found


def _is_other_name(path: str, thing: Any) -> bool:
    return isinstance(thing, type) and thing.__name__ != path.rpartition(".")[2]


def names_of(thing: object) -> set[str]:
    """What a docstring may have fields for: parameters, and a class's attributes."""
    if not isinstance(thing, type):
        return parameters_of(thing)
    names: set[str] = set()
    for each in thing.__mro__[:-1]:
        names |= set(vars(each).get("__annotations__", {}))
        init = vars(each).get("__init__")
        if inspect.isfunction(init):
            names |= parameters_of(init) - {"self"}
            names |= set(_ASSIGNED.findall(_source(init)))
    return names


def parameters_of(thing: object) -> set[str]:
    """The names of what it is called with; none for what cannot be called, or does not tell."""
    if not callable(thing):
        return set()
    try:
        return set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return set()


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except OSError:  # of a dataclass, made at run time
        return ""


def _paragraphs(text: str) -> list[str]:
    """Split at blank lines; indented ones that follow each other are one example."""
    found: list[str] = []
    for part in re.split(r"\n[ \t]*\n", text):
        if part.startswith("    ") and found and found[-1].startswith("    "):
            found[-1] += "\n\n" + part
        elif part.strip():
            found.append(part)
    return found


def _read(paragraph: str, known: set[str], found: Docstring) -> None:
    at = 0
    target: list[str] = []
    for match in _LABEL.finditer(paragraph):
        label = match["label"]
        names = [label] if label in SECTIONS else label.split(", ")
        if label not in SECTIONS and not set(names) <= known:
            continue
        _keep(paragraph[at : match.start()], target, found)
        at, target = match.end(), names
    _keep(paragraph[at:], target, found)


def _keep(text: str, target: list[str], found: Docstring) -> None:
    text = " ".join(text.split())
    if not text:
        return
    for name in target:
        place = found.sections if name in SECTIONS else found.fields
        place[name] = f"{place[name]} {text}" if name in place else text
    if not target:
        found.blocks.append(text)
