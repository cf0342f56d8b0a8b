"""Values to bytes and back: what a handler takes and gives, state, results of runs, awakeables and promises.

None has no bytes, and no bytes are None. JSON is written as Python's own `json` does, so that what one version of
a handler wrote into a journal is what every other version writes for the same value.
"""

import dataclasses
import json
from abc import ABC, abstractmethod
from typing import Any, Final, Generic, TypeVar, cast

import msgspec

from perdure.sdk import hints
from perdure.sdk.definition_errors import CannotDecode, CannotEncode

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741  # the name that the public vocabulary has
O = TypeVar("O")  # noqa: E741


class Serde(ABC, Generic[T]):
    """How values of one type become bytes and values again. Subclass it for a format of your own.

        class WordsSerde(Serde[list[str]]):
            def serialize(self, obj: list[str] | None) -> bytes:
                return b"" if obj is None else " ".join(obj).encode()

            def deserialize(self, buf: bytes) -> list[str] | None:
                return buf.decode().split() if buf else None

    The same value must give the same bytes for as long as journals with it live: replays compare them.
    """

    @abstractmethod
    def deserialize(self, buf: bytes) -> T | None:
        """The value of `buf`; no bytes at all usually mean None.

        What cannot be read raises CannotDecode (E0351), which for an input means a failure with status 400. Anything
        else that it raises fails the attempt.
        """

    @abstractmethod
    def serialize(self, obj: T | None) -> bytes:
        """The bytes of `obj`; None usually has none. Whatever it raises fails the attempt."""


class BytesSerde(Serde[bytes]):
    """Bytes as they are."""

    def deserialize(self, buf: bytes) -> bytes | None:
        """The same bytes."""
        return buf

    def serialize(self, obj: bytes | None) -> bytes:
        """The same bytes, none for None. Raises: CannotEncode (E0352) for anything else."""
        if obj is None:
            return b""
        if not isinstance(obj, (bytes, bytearray, memoryview)):
            raise CannotEncode(f"a value of type {hints.name_of(type(obj))} where bytes are expected")
        return bytes(obj)


def to_json(obj: Any) -> bytes:
    """JSON of plain values, and of dataclasses, models, structs, dates and so on within them.

    Raises: CannotEncode (E0352).
    """
    try:
        # The same digits, without the way through `json`.
        return b"%d" % obj if type(obj) is int else _encoder.encode(obj).encode()
    except CannotEncode:
        raise
    except (TypeError, ValueError) as error:
        raise CannotEncode(f"a value of type {hints.name_of(type(obj))} cannot be written: {error}") from error


def _plainer(obj: Any) -> Any:
    """What `json` can write in place of an object that it cannot."""
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        return {field.name: getattr(obj, field.name) for field in dataclasses.fields(obj)}
    if hints.is_pydantic(type(obj)):
        return obj.model_dump(mode="json")
    try:
        return msgspec.to_builtins(obj)
    except TypeError:
        raise CannotEncode(f"an object of type {hints.name_of(type(obj))} has no form in JSON") from None


# Made once: `json.dumps` and `json.loads` would make or look for them each time.
_encoder: Final = json.JSONEncoder(default=_plainer)
_decoder: Final = json.JSONDecoder()


_PLAIN: Final = frozenset({str, int, float, bool, dict, list})
"""Types that need no second look."""


def from_json(buf: bytes) -> Any:
    """The value of JSON. Raises: CannotDecode (E0351)."""
    try:
        text = buf.decode()
        try:
            value, end = _decoder.raw_decode(text)
            if end == len(text):
                return value
        except ValueError:
            pass
        # There is space around it, or `decode` says what is wrong.
        return _decoder.decode(text)
    except (ValueError, RecursionError) as error:
        raise CannotDecode(f"not JSON: {error}") from error


class JsonSerde(Serde[I], Generic[I]):
    """Any value in JSON (RFC 8259), as Python's own `json` reads and writes it."""

    def deserialize(self, buf: bytes) -> I | None:
        """What the JSON is; no bytes are None. Raises: CannotDecode (E0351)."""
        return cast("I", from_json(buf)) if buf else None

    def serialize(self, obj: I | None) -> bytes:
        """JSON in UTF-8; None has no bytes. Raises: CannotEncode (E0352)."""
        return b"" if obj is None else to_json(obj)


class DefaultSerde(Serde[I], Generic[I]):
    """JSON, converted to what a type hint says; bytes as they are where the hint is `bytes`.

    Plain hints (`str`, `list[int]`, `dict`, a TypedDict of such) leave values as JSON gives them, and so does None.
    Dataclasses, msgspec structs, attrs classes, enums, dates, UUIDs, decimals, tuples and sets, and what contains them,
    are made by msgspec; what contains a pydantic model, by pydantic.
    """

    def __init__(self, type_hint: type[I] | None = None) -> None:
        """type_hint: of the values; any form of a hint, not only classes."""
        self.type_hint = type_hint

    def with_maybe_type(self, type_hint: type[I] | None = None) -> "DefaultSerde[I]":
        """A serde like this for values of `type_hint`."""
        return DefaultSerde(type_hint)

    def deserialize(self, buf: bytes) -> I | None:
        """The value of that type; no bytes are None. Raises: CannotDecode (E0351), BadHint (E0344)."""
        if self.type_hint is None:
            plain: I | None = from_json(buf) if buf else None
            return plain
        if hints.is_bytes(self.type_hint):
            return cast("I", buf if buf or self.type_hint is bytes else None)
        if not buf:
            return None
        convert = hints.decoder(self.type_hint)
        return cast("I", from_json(buf) if convert is None else convert(buf))

    def serialize(self, obj: I | None) -> bytes:
        """JSON in UTF-8, or the bytes; None has no bytes. Raises: CannotEncode (E0352), BadHint (E0344)."""
        if obj is None:
            return b""
        if type(obj) in _PLAIN:
            return to_json(obj)
        if isinstance(obj, bytes) and hints.is_bytes(self.type_hint):
            return obj
        if isinstance(obj, bytes) and (self.type_hint is None or hints.decoder(self.type_hint) is None):
            # They would be read as JSON later.
            raise CannotEncode("bytes need the type hint `bytes`, or a BytesSerde, to be read as such again")
        if hints.is_pydantic(type(obj)):
            return cast("str", cast("Any", obj).model_dump_json()).encode()
        if isinstance(obj, msgspec.Struct):
            return msgspec.json.encode(obj)
        return to_json(obj)


class MsgspecJsonSerde(Serde[I], Generic[I]):
    """JSON of one type that msgspec knows, for example a `msgspec.Struct`; it is checked when it is read."""

    def __init__(self, model: type[I]) -> None:
        """model: the type."""
        self.model = model
        self._decoder = msgspec.json.Decoder(model)

    def deserialize(self, buf: bytes) -> I | None:
        """The value; no bytes are None. Raises: CannotDecode (E0351)."""
        if not buf:
            return None
        try:
            return self._decoder.decode(buf)
        except msgspec.DecodeError as error:
            raise CannotDecode(f"not a {hints.name_of(self.model)}: {error}") from error

    def serialize(self, obj: I | None) -> bytes:
        """JSON in UTF-8, with the fields in their order; None has no bytes. Raises: TypeError for an unknown type."""
        return b"" if obj is None else msgspec.json.encode(obj)


class PydanticJsonSerde(Serde[I], Generic[I]):
    """JSON of one pydantic model; it is checked when it is read."""

    def __init__(self, model: type[I]) -> None:
        """model: the model's class."""
        self.model = model

    def deserialize(self, buf: bytes) -> I | None:
        """The model; no bytes are None. Raises: CannotDecode (E0351), with what pydantic found; BadHint (E0344)."""
        if not buf:
            return None
        convert = hints.decoder(self.model)
        return cast("I", from_json(buf) if convert is None else convert(buf))

    def serialize(self, obj: I | None) -> bytes:
        """JSON in UTF-8, as `model_dump_json` writes it; None has no bytes."""
        return b"" if obj is None else cast("str", cast("Any", obj).model_dump_json()).encode()
