"""JSON Patch (RFC 6902): a list of operations that turns one document into another."""

import json
from copy import deepcopy
from typing import Any, Final

from perdure.cli.failures import BadUsage

OPERATIONS: Final = ("add", "remove", "replace", "move", "copy", "test")


def parse(text: str) -> list[dict[str, Any]]:
    """The operations in `text`. Raises: BadUsage."""
    try:
        operations = json.loads(text)
    except ValueError as error:
        raise BadUsage(f"the patch is not JSON: {error}") from error
    if isinstance(operations, dict):
        operations = [operations]
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise BadUsage('the patch is not a list of operations such as {"op":"replace","path":"/count","value":1}')
    return operations


def apply(document: Any, operations: list[dict[str, Any]]) -> Any:
    """A changed copy. Raises: BadUsage, naming the operation that does not fit."""
    document = deepcopy(document)
    for position, operation in enumerate(operations, 1):
        try:
            document = _apply_one(document, operation)
        except (LookupError, TypeError, ValueError) as error:
            raise BadUsage(f"operation {position} of the patch does not fit: {error}") from error
    return document


def _apply_one(document: Any, operation: dict[str, Any]) -> Any:
    kind = operation.get("op")
    if kind not in OPERATIONS:
        raise ValueError(f"there is no `{kind}`, only {', '.join(OPERATIONS)}")
    path = _path(operation, "path")
    match kind:
        case "add":
            return _put(document, path, deepcopy(_value(operation)), replace=False)
        case "replace":
            _get(document, path)
            return _put(document, path, deepcopy(_value(operation)), replace=True)
        case "remove":
            return _remove(document, path)
        case "move":
            source = _path(operation, "from")
            if path[: len(source)] == source and path != source:
                raise ValueError("a value cannot be moved into itself")
            value = _get(document, source)
            return _put(_remove(document, source), path, value, replace=False)
        case "copy":
            return _put(document, path, deepcopy(_get(document, _path(operation, "from"))), replace=False)
        case _:
            if not _same(_get(document, path), _value(operation)):
                raise ValueError(f"the test of `{operation['path']}` failed: there is {_get(document, path)!r}")
            return document


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise ValueError(f"`{operation['op']}` needs a value")
    return operation["value"]


def _path(operation: dict[str, Any], name: str) -> list[str]:
    pointer = operation.get(name)
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise ValueError(f"`{name}` must be a pointer such as /count")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _get(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[_place(document, part)]
    return document


def _place(container: Any, part: str) -> Any:
    """What to index the container with. Raises: LookupError, also for text and numbers, which hold nothing."""
    if isinstance(container, dict):
        if part not in container:
            raise LookupError(f"there is no `{part}`")
        return part
    if isinstance(container, list) and part.isdecimal() and int(part) < len(container):
        return int(part)
    raise LookupError(f"there is no `{part}`")


def _put(document: Any, path: list[str], value: Any, *, replace: bool) -> Any:
    if not path:
        return value
    container = _get(document, path[:-1])
    part = path[-1]
    if isinstance(container, dict):
        container[part] = value
    elif replace:
        container[_place(container, part)] = value
    elif isinstance(container, list):
        position = len(container) if part == "-" else int(part)
        if not 0 <= position <= len(container):
            raise LookupError(f"there is no place {part}")
        container.insert(position, value)
    else:
        raise LookupError(f"there is no place for `{part}`")
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        raise ValueError("the whole document cannot be removed; `perdure state clear` clears all")
    container = _get(document, path[:-1])
    del container[_place(container, path[-1])]
    return document
