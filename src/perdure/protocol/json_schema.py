"""Says whether a JSON Schema in a manifest is one, and stands on its own.

The schemas document handlers; no value is ever checked against them. So this looks only for what would
break a reader: keywords of the wrong shape, and references that lead nowhere or to another document.
"""

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote, urljoin

_TYPES: Final = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
_ONE: Final = frozenset(
    {
        "not",
        "if",
        "then",
        "else",
        "contains",
        "propertyNames",
        "additionalProperties",
        "additionalItems",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_LIST: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAP: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_METASCHEMAS: Final = ("http://json-schema.org/", "https://json-schema.org/")


class BadSchema(ValueError):
    """Not a JSON Schema, or not one that stands on its own. `str()` says where and why."""


def check_schema(schema: Any) -> None:
    """Raises: BadSchema. schema: decoded JSON."""
    subschemas = list(_subschemas(schema))
    objects = [(where, item) for where, item in subschemas if isinstance(item, dict)]
    root_id = schema.get("$id", "") if isinstance(schema, dict) else ""
    ids = {_absolute(where, root_id, item["$id"]).rstrip("#") for where, item in objects if "$id" in item}
    anchors = {item[key] for _, item in objects for key in ("$anchor", "$dynamicAnchor") if key in item}
    for where, item in objects:
        for keyword in ("$ref", "$dynamicRef"):
            if keyword not in item:
                continue
            document, _, fragment = item[keyword].partition("#")
            if document and _absolute(where, root_id, document) not in ids and not document.startswith(_METASCHEMAS):
                raise BadSchema(f"{where}: {keyword} leads to another document: {item[keyword]}")
            # A schema with embedded documents has several roots, and which one is meant is not looked into.
            if document or len(ids - {root_id.rstrip("#")}) > 0:
                continue
            if not (_points_somewhere(schema, fragment) or fragment in anchors):
                raise BadSchema(f"{where}: {keyword} leads nowhere: {item[keyword]}")


def _absolute(where: str, base: str, uri: str) -> str:
    try:
        return urljoin(base, uri)
    except ValueError:
        raise BadSchema(f"{where}: not a URI: {uri}") from None


def _points_somewhere(schema: Any, fragment: str) -> bool:
    """True if a JSON pointer, without its `#`, finds something."""
    if not fragment:
        return True
    if not fragment.startswith("/"):
        return False
    at = schema
    for step in unquote(fragment).split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(at, dict) and step in at:
            at = at[step]
        elif isinstance(at, list) and step.isascii() and step.isdigit() and len(step) < 10 and int(step) < len(at):
            at = at[int(step)]
        else:
            return False
    return True


def _subschemas(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every schema within a schema and where it is, itself included. Raises: BadSchema."""
    todo: list[tuple[str, Any]] = [("#", schema)]
    while todo:
        where, item = todo.pop()
        if not isinstance(item, (dict, bool)):
            raise BadSchema(f"{where}: a schema is an object, true or false")
        yield where, item
        if isinstance(item, dict):
            for keyword, value in item.items():
                _check_keyword(f"{where}/{keyword}", keyword, value)
                todo += _below(f"{where}/{keyword}", keyword, value)


def _below(where: str, keyword: str, value: Any) -> list[tuple[str, Any]]:
    """The schemas directly under one keyword, whose shape was checked."""
    if keyword in _LIST or (keyword == "items" and isinstance(value, list)):
        return [(f"{where}/{index}", item) for index, item in enumerate(value)]
    if keyword in _ONE or keyword == "items":
        return [(where, value)]
    if keyword in _MAP:
        return [(f"{where}/{name}", item) for name, item in value.items()]
    return []


def _check_keyword(where: str, keyword: str, value: Any) -> None:
    if keyword in _MAP and not isinstance(value, dict):
        raise BadSchema(f"{where}: must be an object")
    if keyword in _LIST and not (isinstance(value, list) and value):
        raise BadSchema(f"{where}: must be a list with something in it")
    if keyword in ("$ref", "$dynamicRef", "$id", "$anchor", "$dynamicAnchor", "pattern") and not isinstance(value, str):
        raise BadSchema(f"{where}: must be a string")
    if keyword == "enum" and not isinstance(value, list):
        raise BadSchema(f"{where}: must be a list")
    if keyword == "required" and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise BadSchema(f"{where}: must be a list of names")
    if keyword == "type":
        names = value if isinstance(value, list) else [value]
        if not all(isinstance(name, str) and name in _TYPES for name in names):
            raise BadSchema(f"{where}: must be one of {', '.join(sorted(_TYPES))}, or a list of them")
