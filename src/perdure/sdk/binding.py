"""How a body becomes the arguments of a handler, and what the manifest says of it.

| the handler, after its context | the body |
|---|---|
| nothing | must be empty |
| one parameter | the value itself |
| several, or one that is keyword-only | a JSON object with a value for each name; those with a default may be missing |

`*args` stands for one value of any type, as for decorators that pass on what they get. What the hints mean is
found out when it is first needed, so that handlers may name types that are defined below them.
"""

import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from perdure.sdk import hints
from perdure.sdk.definition_errors import BadArgument, BadHandler, BadHint, CannotDecode
from perdure.sdk.serde import BytesSerde, DefaultSerde, Serde, from_json, to_json

_VARIABLE: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_MISSING: Final = inspect.Parameter.empty


@dataclass(frozen=True)
class Payload:
    """What the manifest says of a body. content_type None: there is none.  schema: decoded JSON, None if not given."""

    content_type: str | None
    schema: Any = None


def parameters_of(where: str, function: Callable[..., Any]) -> list[inspect.Parameter]:
    """What a handler takes after its context. Raises: BadHandler (E0343)."""
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise BadHandler(f"{where} is a generator; a handler returns one result")
    try:
        first, *others = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise BadHandler(f"{where} has no context parameter") from None
    if first.kind is inspect.Parameter.VAR_POSITIONAL:
        return [first]
    if first.kind not in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
        raise BadHandler(f"{where} takes no context: its first parameter is `{first}`")
    if any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in others):
        return [one for one in others if one.kind is inspect.Parameter.VAR_POSITIONAL]
    for one in others:
        if one.kind is inspect.Parameter.VAR_KEYWORD:
            raise BadHandler(f"{where} has `{one}`, and nothing says what belongs into it")
    return others


class Hints:
    """The type hints of a function, each resolved when it is asked for."""

    def __init__(self, where: str, function: Callable[..., Any], local_names: Mapping[str, Any] | None = None) -> None:
        """local_names: of the function in which the handler is defined, if it is."""
        plain = inspect.unwrap(function)
        self._where = where
        self._annotations: dict[str, Any] = dict(getattr(plain, "__annotations__", {}))
        self._globals: dict[str, Any] = getattr(plain, "__globals__", {})
        names = set(self._free_names())
        self._locals = {name: value for name, value in (local_names or {}).items() if name in names}

    def _free_names(self) -> list[str]:
        """The names in hints that are text, so that no more of a frame is kept than they need."""
        texts = [hint for hint in self._annotations.values() if isinstance(hint, str)]
        found: list[str] = []
        for text in texts:
            try:
                found += compile(text, "<hint>", "eval").co_names
            except SyntaxError:
                continue
        return found

    def of(self, name: str) -> Any:
        """The hint of a parameter, or of `return`; `inspect.Parameter.empty` if there is none.

        Raises: BadHint (E0344).
        """
        if name not in self._annotations:
            return _MISSING
        holder = types.SimpleNamespace(__annotations__={name: self._annotations[name]})
        try:
            return typing.get_type_hints(holder, self._globals, self._locals, include_extras=True)[name]
        except (NameError, AttributeError, SyntaxError, TypeError) as error:
            which = "its result" if name == "return" else f"the parameter `{name}`"
            raise BadHint(f"{self._where}: the hint of {which}, `{self._annotations[name]}`: {error}") from error


def locals_of_caller(function: Any, depth: int) -> Mapping[str, Any] | None:
    """The local names where a handler is defined, if that is inside of a function."""
    if "<locals>" not in getattr(function, "__qualname__", ""):
        return None
    return dict(sys._getframe(depth + 1).f_locals)


class Binding:
    """What one handler takes and gives."""

    def __init__(
        self,
        where: str,
        parameters: list[inspect.Parameter],
        found: Hints,
        input_serde: Serde[Any],
        output_serde: Serde[Any],
    ) -> None:
        """where: the handler's name for messages.  Raises: BadHint (E0344), BadHandler (E0343)."""
        self._where = where
        self._parameters = parameters
        self._hints = {one.name: _MISSING if one.kind in _VARIABLE else found.of(one.name) for one in parameters}
        self._input_hint = self._hints[parameters[0].name] if parameters else _MISSING
        self._result = found.of("return")
        self.as_object = len(parameters) > 1 or (
            len(parameters) == 1 and parameters[0].kind is inspect.Parameter.KEYWORD_ONLY
        )
        own_serde = not isinstance(input_serde, DefaultSerde)
        if self.as_object and own_serde:
            raise BadHandler(f"{where} has an input_serde, which gives one value, for several parameters")
        self.input_serde = input_serde if own_serde or self.as_object else self._typed(input_serde, self._input_hint)
        self.output_serde = self._typed(output_serde, self._result)
        self._decode_object = _object_decoder(parameters, self._hints) if self.as_object else None

    @staticmethod
    def _typed(serde: Serde[Any], hint: Any) -> Serde[Any]:
        if not isinstance(serde, DefaultSerde) or serde.type_hint is not None or hint is _MISSING or hint is None:
            return serde
        hints.decoder(hint)  # says now if it cannot be read
        return serde.with_maybe_type(hint)

    # ---- Callers ----

    def encode_input(self, arg: Any) -> bytes:
        """Raises: BadArgument (E0350), CannotEncode (E0352)."""
        if not self.as_object:
            return self.input_serde.serialize(arg)
        if not isinstance(arg, Mapping):
            names = ", ".join(self._hints)
            raise BadArgument(f"{self._where} takes a dict with {names}, not a {hints.name_of(type(arg))}")
        required = [one.name for one in self._parameters if one.default is _MISSING]
        missing = [name for name in required if name not in arg]
        unknown = [str(name) for name in arg if name not in self._hints]
        if missing or unknown:
            problem = f"misses {', '.join(missing)}" if missing else f"has no parameter {', '.join(unknown)}"
            raise BadArgument(f"the call of {self._where} {problem}")
        return to_json(dict(arg))

    # ---- The handler itself ----

    def arguments(self, body: bytes) -> tuple[list[Any], dict[str, Any]]:
        """What to call the handler with, after its context.

        Raises: CannotDecode (E0351), and what a serde of the user's own raises.
        """
        if not self._parameters:
            return [], {}
        if self._decode_object is not None:
            return [], self._arguments_by_name(body)
        parameter, hint = self._parameters[0], self._input_hint
        if not body and parameter.default is not _MISSING:
            return [], {}
        try:
            value = self.input_serde.deserialize(body)
            if isinstance(self.input_serde, DefaultSerde) and hint is not _MISSING:
                hints.check(value, hint)
        except CannotDecode as error:
            raise CannotDecode(f"{self._where}: the parameter `{parameter.name}` is {error}") from error
        return [value], {}

    def _arguments_by_name(self, body: bytes) -> dict[str, Any]:
        assert self._decode_object is not None
        try:
            found = self._decode_object(body or b"{}")
        except CannotDecode as error:
            raise CannotDecode(f"{self._where}: {error}") from error
        return found

    # ---- The manifest ----

    def input_payload(self, accept: str) -> Payload:
        if not self._parameters:
            return Payload(None)
        if self.as_object:
            return Payload(accept, _object_schema(self._parameters, self._hints))
        hint = self._input_hint
        if hint is None or hint is type(None):
            return Payload(accept)
        return Payload(accept, self._schema(self.input_serde, hint))

    def output_payload(self, content_type: str) -> Payload:
        if self._result in (_MISSING, None) or self._result is type(None):
            return Payload(None)
        return Payload(content_type, self._schema(self.output_serde, self._result))

    @property
    def takes_bytes(self) -> bool:
        return not self.as_object and isinstance(self.input_serde, DefaultSerde) and hints.is_bytes(self._input_hint)

    @property
    def gives_bytes(self) -> bool:
        return isinstance(self.output_serde, DefaultSerde) and hints.is_bytes(self._result)

    @staticmethod
    def _schema(serde: Serde[Any], hint: Any) -> Any:
        if isinstance(serde, BytesSerde) or hint is _MISSING:
            return True
        return hints.schema(hint)


def _object_decoder(parameters: list[inspect.Parameter], found: dict[str, Any]) -> Callable[[bytes], dict[str, Any]]:
    """Reads an object with a value for each parameter; unknown names are left out, as by callers of another version."""
    each: dict[str, hints.Decode | None] = {}
    for one in parameters:
        hint = found[one.name]
        each[one.name] = None if hint is _MISSING else hints.decoder(hint)
    required = [one.name for one in parameters if one.default is _MISSING]

    def decode(body: bytes) -> dict[str, Any]:
        try:
            raw = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, RecursionError) as error:
            raise CannotDecode(f"the body is not an object with {', '.join(each)}: {error}") from error
        for name in required:
            if name not in raw:
                raise CannotDecode(f"the parameter `{name}` is missing")
        values: dict[str, Any] = {}
        for name, convert in each.items():
            if name not in raw:
                continue
            text = bytes(raw[name])
            try:
                values[name] = from_json(text) if convert is None else convert(text)
                if found[name] is not _MISSING:
                    hints.check(values[name], found[name])
            except CannotDecode as error:
                raise CannotDecode(f"the parameter `{name}` is {error}") from error
        return values

    return decode


def _object_schema(parameters: list[inspect.Parameter], found: dict[str, Any]) -> Any:
    """One schema for the object, with the definitions of all its parameters in one place."""
    properties: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for one in parameters:
        own = True if found[one.name] is _MISSING else hints.schema(found[one.name])
        if isinstance(own, dict):
            own = dict(own)
            named = own.pop("$defs", {})
            taken = {
                name: f"{one.name}.{name}" for name, one_of in named.items() if definitions.get(name, one_of) != one_of
            }
            own = _renamed(own, taken)
            definitions |= {taken.get(name, name): _renamed(one_of, taken) for name, one_of in named.items()}
        properties[one.name] = own
    required = [one.name for one in parameters if one.default is _MISSING]
    whole: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        whole["required"] = required
    if definitions:
        whole["$defs"] = definitions
    return whole


def _renamed(schema: Any, names: dict[str, str]) -> Any:
    """A schema with references to definitions of other names."""
    if not names:
        return schema
    if isinstance(schema, list):
        return [_renamed(one, names) for one in schema]
    if not isinstance(schema, dict):
        return schema
    renamed = {key: _renamed(value, names) for key, value in schema.items()}
    reference = renamed.get("$ref")
    if isinstance(reference, str):
        prefix, _, name = reference.rpartition("/")
        renamed["$ref"] = f"{prefix}/{names.get(name, name)}"
    return renamed
