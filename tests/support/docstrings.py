"""The public docstrings, as `scripts/docstrings.py` reads them, with what they inherit from each other."""

import functools
import inspect
import re
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = runpy.run_path(str(ROOT / "scripts" / "docstrings.py"))
public_names = _SCRIPT["public_names"]
_REFERENCE = re.compile(r"\b(?:[Aa]s|for|in|of|see|what) `([\w.]+)`")


@dataclass(frozen=True, eq=False)
class Documented:
    """path: the name that users write. thing: a class, a function, a method or a property. owner: its class."""

    path: str
    thing: Any
    owner: type | None = None

    def __str__(self) -> str:
        return self.path

    @property
    def function(self) -> Any:
        """What is run when it is used."""
        if isinstance(self.thing, type):
            return self.thing.__init__
        if isinstance(self.thing, property):
            return self.thing.fget
        return inspect.unwrap(getattr(self.thing, "__func__", self.thing))

    @property
    def docstring(self) -> str:
        """A class's with that of its `__init__`."""
        own = inspect.getdoc(self.thing) or ""
        if isinstance(self.thing, type) and inspect.isfunction(self.thing.__init__):
            own += f"\n\n{inspect.getdoc(self.thing.__init__) or ''}"
        return own

    @functools.cached_property
    def doc(self) -> Any:
        """What the docstring says, taken apart."""
        return _SCRIPT["parse"](self.docstring, _SCRIPT["names_of"](self.thing))


@functools.cache
def documented() -> dict[str, Documented]:
    """All public names, and the public members that their classes define or inherit from this package; each once."""
    found: dict[str, Documented] = {}
    seen: set[int] = set()
    for path, thing in public_names().items():
        for each in _with_members(path, thing):
            if id(each.thing) not in seen:
                seen.add(id(each.thing))
                found[each.path] = each
    return found


def _with_members(path: str, thing: Any) -> Iterator[Documented]:
    if not isinstance(thing, type) and not inspect.isroutine(thing):
        return  # an alias of a type
    yield Documented(path, thing)
    if not isinstance(thing, type):
        return
    for name in dir(thing):
        member = inspect.getattr_static(thing, name)
        if name.startswith("_") or not (isinstance(member, property | classmethod) or inspect.isroutine(member)):
            continue
        if _is_ours(member):
            yield Documented(f"{path}.{name}", member, thing)


def _is_ours(member: Any) -> bool:
    function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return str(getattr(function, "__module__", "")).startswith("perdure.")


def told(each: Documented, seen: frozenset[str] = frozenset()) -> tuple[dict[str, str], str]:
    """What is said of its parameters, and of what it raises: by itself, its class, and what it refers to."""
    doc = each.doc
    raises = [text for label, text in doc.sections.items() if label.startswith("Raises")]
    fields = dict(doc.fields)
    if each.owner is not None:
        for base in each.owner.__mro__:
            of_class = _of_class(base)
            raises += [text for label, text in of_class.sections.items() if label.startswith("Raises")]
            fields = {**of_class.fields, **fields}
    for name in _REFERENCE.findall(each.docstring):
        other = _find(name, each)
        if other is not None and other.path not in seen:
            further, errors = told(other, seen | {each.path, other.path})
            for field, text in fields.items():
                if _REFERENCE.search(text):
                    fields[field] = f"{text} {further.get(field, '')}"
            fields = {**further, **fields}
            raises.append(errors)
    return fields, " ".join(raises)


@functools.cache
def _of_class(base: type) -> Any:
    return Documented(base.__name__, base).doc


def _find(name: str, near: Documented) -> Documented | None:
    everything = documented()
    places = (near.path.rpartition(".")[0], "perdure", "perdure.client", "perdure.testing")
    return next((everything[path] for place in places if (path := f"{place}.{name}") in everything), None)
