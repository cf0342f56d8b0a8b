"""What a type hint means for a value in JSON: whether it must be converted, how, and with which schema.

Plain hints (`str`, `list[int]`, `dict`, a TypedDict of such) leave a value as JSON gives it. The others are
converted: dataclasses, msgspec structs, enums, dates, UUIDs, tuples, sets and what contains them by msgspec, what
contains a pydantic model by pydantic. A class that neither of the two knows leaves the value as it is.
"""

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Literal, NewType, Union
from uuid import UUID

import msgspec

from perdure.sdk.definition_errors import BadHint, CannotDecode

Decode = Callable[[bytes], Any]

_CONVERTED: Final = (date, time, timedelta, UUID, Decimal, Enum, tuple, set, frozenset, bytes, bytearray, memoryview)
_PLAIN: Final = (str, int, float, bool, type(None), list, dict)


def is_bytes(hint: Any) -> bool:
    """True for what travels as it is, without JSON: `bytes`, also where None is allowed."""
    return hint is bytes or hint == bytes | None


def is_pydantic(hint: Any) -> bool:
    """True for a class of pydantic models. Pydantic is looked for only where somebody has imported it."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(hint, type) and issubclass(hint, pydantic.BaseModel)


def _is_converted(hint: Any) -> bool:
    """True for a class whose values are not what JSON gives."""
    if not isinstance(hint, type):
        return False
    return (
        dataclasses.is_dataclass(hint)
        or issubclass(hint, msgspec.Struct)
        or issubclass(hint, _CONVERTED)
        or hasattr(hint, "__attrs_attrs__")
    )


def _parts(hint: Any) -> Iterator[Any]:
    """A hint and everything within it, except the fields of classes other than TypedDict."""
    seen: list[Any] = []
    todo = [hint]
    while todo:
        hint = todo.pop()
        if any(hint is one for one in seen):
            continue
        seen.append(hint)
        yield hint
        if typing.get_origin(hint) is not None:
            if typing.get_origin(hint) is not Literal:
                todo += [typing.get_origin(hint), *typing.get_args(hint)]
        elif isinstance(hint, NewType):
            todo.append(hint.__supertype__)
        elif typing.is_typeddict(hint):
            todo += _typed_dict_fields(hint)
        elif (aliased := getattr(hint, "__value__", None)) is not None and not isinstance(hint, type):
            todo.append(aliased)  # `type X = …`


def _typed_dict_fields(hint: Any) -> list[Any]:
    try:
        return list(typing.get_type_hints(hint).values())
    except NameError:
        return []


@functools.lru_cache(maxsize=1024)
def _cached_decoder(hint: Any) -> Decode | None:
    parts = list(_parts(hint))
    if any(is_pydantic(part) for part in parts):
        return _pydantic_decoder(hint)
    if any(_is_converted(part) for part in parts):
        return _msgspec_decoder(hint)
    return None


def decoder(hint: Any) -> Decode | None:
    """What makes a value of this hint from JSON; None if JSON's own value is that already.

    It raises CannotDecode.  Raises: BadHint (E0344).
    """
    try:
        return _cached_decoder(hint)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        return _cached_decoder.__wrapped__(hint)


def _pydantic_decoder(hint: Any) -> Decode:
    pydantic = sys.modules["pydantic"]
    validate = pydantic.TypeAdapter(hint).validate_json

    def decode(body: bytes) -> Any:
        try:
            return validate(body)
        except pydantic.ValidationError as error:
            problems = "; ".join(_pydantic_problem(problem) for problem in error.errors(include_url=False))
            raise CannotDecode(f"not a {name_of(hint)}: {problems}") from error

    return decode


def _pydantic_problem(problem: dict[str, Any]) -> str:
    where = ".".join(str(step) for step in problem["loc"])
    return f"{problem['msg']} at `{where}`" if where else str(problem["msg"])


def _msgspec_decoder(hint: Any) -> Decode:
    try:
        strict = msgspec.json.Decoder(hint)
    except TypeError as error:
        raise BadHint(f"the type {name_of(hint)} cannot be read from JSON: {error}") from error

    def decode(body: bytes) -> Any:
        try:
            return strict.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise CannotDecode(f"not a {name_of(hint)}: {error}") from error

    return decode


@functools.lru_cache(maxsize=1024)
def _shape(hint: Any) -> Any:
    """The part of a plain hint that is checked. TypedDicts say little about what callers really send."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, NewType):
        return _shape(hint.__supertype__)
    if typing.is_typeddict(hint):
        return dict
    if hint in _PLAIN or origin is Literal:
        return hint
    if origin is list:
        return list[_shape(args[0])]  # type: ignore[misc]  # a type made at run time
    if origin is dict:
        return dict[str, _shape(args[1])] if args[0] is str else dict  # type: ignore[misc]
    if origin is Union or origin is types.UnionType:
        return Union[tuple(_shape(one) for one in args)]  # noqa: UP007  # of a tuple made at run time
    return Any


def check(value: Any, hint: Any) -> None:
    """Raises: CannotDecode, if a value that was read for a plain hint is of another type. It stays as it is."""
    if value is None:
        if not _allows_none(hint):
            raise CannotDecode(f"missing, and must be a {name_of(hint)}")
        return
    if type(value) is hint:
        return
    try:
        shape = _shape(hint)
    except TypeError:
        return  # a hint that cannot be hashed
    if shape is Any:
        return
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise CannotDecode(f"not a {name_of(hint)}: {error}") from error
    except TypeError:
        return  # a union that msgspec cannot tell apart


def _allows_none(hint: Any) -> bool:
    return any(
        part is Any or part is None or part is type(None) or isinstance(part, typing.TypeVar)
        for part in _alternatives(hint)
    )


def _alternatives(hint: Any) -> Iterator[Any]:
    """The members of a union, through aliases and annotations; else the hint itself."""
    origin = typing.get_origin(hint)
    if origin is Union or origin is types.UnionType:
        for one in typing.get_args(hint):
            yield from _alternatives(one)
    elif origin is Annotated:
        yield from _alternatives(typing.get_args(hint)[0])
    elif origin is Literal:
        yield from (None if one is None else hint for one in typing.get_args(hint))
    elif isinstance(hint, NewType):
        yield from _alternatives(hint.__supertype__)
    elif (aliased := getattr(hint, "__value__", None)) is not None and not isinstance(hint, type):
        yield from _alternatives(aliased)
    else:
        yield hint


def schema(hint: Any) -> Any:
    """The JSON schema of a hint; True, which is any value, where there is none."""
    if hint is Any or hint is None or is_bytes(hint):
        return True
    if is_pydantic(hint):
        return hint.model_json_schema()
    try:
        if any(is_pydantic(part) for part in _parts(hint)):
            return sys.modules["pydantic"].TypeAdapter(hint).json_schema()
        return msgspec.json.schema(hint) or True
    except (TypeError, RuntimeError, NameError):  # of a class that has no schema
        return True
    except Exception as error:
        if type(error).__name__ == "PydanticInvalidForJsonSchema":
            return True
        raise


def name_of(hint: Any) -> str:
    """How people write a hint."""
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")
