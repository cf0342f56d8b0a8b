"""Public docstrings say what their readers need: what a number counts, in which unit, and what is raised."""

import ast
import builtins
import inspect
import re
import textwrap
import types
import typing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from perdure.client import Client, HttpError, NoConnection
from perdure.sdk.definition_errors import NotAHandler
from perdure.testing import Journal
from support.docstrings import Documented, documented, public_names, told

ROOT = Path(__file__).resolve().parents[3]
ALL = documented().values()
SPAN = re.compile(r"\b(ms|(milli)?seconds?|minutes?|hours?|days?|years?)\b")
NUMBER = re.compile(
    r"\b(bytes?|bits?|attempts|times|rows|status|port|index|number|the most|count|version|(milli)?seconds|wait)\b"
)
ERROR = re.compile(r"\b([A-Z][A-Za-z]+)(?: \((E\d{4})\))?")
DEFAULT = re.compile(r"`((?:timeouts|retention|retry|limits)\.\w+)`, ([^);.]+(?:\.\d+)?)")
ROOMS = ("perdure.sdk.", "perdure.client.", "perdure.testing.", "perdure.embedded")
"""Where calls are followed to see what they raise."""


def test_a_public_name_has_its_place_in_the_reference() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in ROOT.glob("docs/reference/python/*.md"))
    shown = re.findall(r"^\.\. auto\w+:: (\S+)$", pages, re.MULTILINE)
    first: dict[int, str] = {}
    for path, thing in public_names().items():
        first.setdefault(id(thing), path)
    missing = set(first.values()) - set(shown)
    assert not missing, f"add these to a page of docs/reference/python: {sorted(missing)}"
    assert len(shown) == len(set(shown)), "a name stands on two pages"


def test_it_says_what_it_does() -> None:
    silent = [each.path for each in ALL if not any(not block.startswith("    ") for block in each.doc.blocks)]
    assert not silent, f"these have no docstring, or nothing says what they do: {silent}"


def test_an_example_is_indented_by_four_spaces_and_followed_by_something_that_is_not() -> None:
    code = re.compile(r"(async |def |@|with |for |\w+ = )")
    lost = [each.path for each in ALL if any(code.match(block) for block in each.doc.blocks)]
    assert not lost


def annotations(each: Documented) -> dict[str, set[Any]]:
    """The types that each parameter may have."""
    thing = each.thing if isinstance(each.thing, type) else each.function
    try:
        parameters = inspect.signature(thing).parameters
    except ValueError:
        return {}
    return {name: set(alternatives(one.annotation)) for name, one in parameters.items()}


def alternatives(hint: Any) -> Iterator[Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        for one in typing.get_args(hint):
            yield from alternatives(one)
    elif isinstance(hint, typing.Hashable):
        yield hint


def test_a_span_of_time_and_a_number_have_their_unit() -> None:
    unclear = []
    for each in ALL:
        fields, _ = told(each)
        for name, kinds in annotations(each).items():
            wanted = SPAN if timedelta in kinds else NUMBER if kinds & {int, float} else None
            if wanted is not None and not wanted.search(fields.get(name, "")):
                unclear.append(f"{each}: {name}: {fields.get(name, 'is not explained')}")
    assert not unclear, "\n".join(unclear)


def test_errors_exist_and_have_these_codes() -> None:
    known = {path.rpartition(".")[2]: thing for path, thing in public_names().items()}
    wrong = [
        f"{each}: {name} ({code})"
        for each in ALL
        for label, text in each.doc.sections.items()
        if label.startswith("Raises")
        for name, code in ERROR.findall(text)
        if code and name in known and known[name].code != code
    ]
    assert not wrong


def settings() -> dict[str, str]:
    rows = re.findall(
        r"^\| `([\w.]+)` \| ([^|]+) \|", (ROOT / "docs/reference/settings.md").read_text("utf-8"), re.MULTILINE
    )
    return {name: default.strip().strip("`") for name, default in rows}


def test_a_default_is_that_of_the_settings() -> None:
    defaults = settings()
    said = [(each, *found) for each in ALL for found in DEFAULT.findall(" ".join(each.docstring.split()))]
    assert len(said) > 10
    assert not [f"{each}: {name} is {defaults[name]}" for each, name, default in said if defaults[name] != default]


# ---- What is raised ----


def raised(function: Any, owner: type | None, depth: int = 4) -> set[type[BaseException]]:
    """What a function raises, by itself and by what it calls in these rooms, as far as names tell."""
    function = inspect.unwrap(function)
    if depth == 0 or not inspect.isfunction(function) or not function.__module__.startswith(ROOMS):
        return set()
    if function.__code__.co_filename.startswith("<"):
        return set()  # of a dataclass, made at run time
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    names = {**vars(builtins), **function.__globals__}
    return set(_of(tree.body[0].body, names, owner, depth))  # type: ignore[attr-defined]


def _of(nodes: list[Any], names: dict[str, Any], owner: type | None, depth: int) -> Iterator[type[BaseException]]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            continue  # runs later, if at all
        if isinstance(node, ast.Try):
            caught = tuple(_caught(node, names))
            yield from (one for one in _of(node.body, names, owner, depth) if not issubclass(one, caught))
            yield from _of([*node.handlers, *node.orelse, *node.finalbody], names, owner, depth)
            continue
        if isinstance(node, ast.Raise) and node.exc is not None:
            target = _value(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, names, owner)
            if isinstance(target, type) and issubclass(target, BaseException):
                yield target
        elif isinstance(node, ast.Call):
            target = _value(node.func, names, owner)
            if isinstance(target, type):
                yield from raised(target.__init__, target, depth - 1)
            elif target is not None:
                yield from raised(target, owner if _is_own(node.func) else None, depth - 1)
        yield from _of(list(ast.iter_child_nodes(node)), names, owner, depth)


def _caught(node: ast.Try, names: dict[str, Any]) -> Iterator[type[BaseException]]:
    for handler in node.handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for kind in kinds:
            found = BaseException if kind is None else _value(kind, names, None)
            if isinstance(found, type):
                yield found


def _is_own(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _value(node: ast.expr, names: dict[str, Any], owner: type | None) -> Any:
    """What a name stands for, where that can be told: a global, something of a module, a method of the same object."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.value.id == "self" and owner is not None:
            return getattr(owner, node.attr, None)
        return getattr(names.get(node.value.id), node.attr, None) if _is_module(names.get(node.value.id)) else None
    return None


def _is_module(thing: Any) -> bool:
    return isinstance(thing, types.ModuleType)


def test_what_it_raises_is_said() -> None:
    known = {path.rpartition(".")[2]: thing for path, thing in public_names().items()} | vars(builtins)
    silent = []
    for each in ALL:
        _, text = told(each)
        said = tuple(known[name] for name, _ in ERROR.findall(text) if isinstance(known.get(name), type))
        owner = each.thing if isinstance(each.thing, type) else each.owner
        names = sorted(one.__name__ for one in raised(each.function, owner) if not issubclass(one, said))
        silent += [f"{each}: may raise {', '.join(names)}; it says {text!r}"] if names else []
    assert not silent, "\n".join(silent)


def test_raised_errors_are_found_through_calls_but_not_where_they_are_caught() -> None:
    assert raised(Client.handle, Client) >= {NotAHandler}
    assert raised(Client.describe, Client) >= {HttpError, NoConnection}
    assert not raised(Journal.save, Journal)
