"""Just enough of protobuf's wire format to read what is nested deeper than the library allows, and to write fast."""

from collections.abc import Iterator
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""Start and end of a length-delimited field's content."""


class WireError(ValueError):
    """The bytes are not a protobuf message."""


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A varint (u64) at `at`, and the position behind it. Raises: WireError."""
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise WireError("cut off or overlong varint")


def read_field(data: bytes, at: int, end: int) -> tuple[int, int | Span | None, int]:
    """The field at `at`: its number, its value, and the position behind it.

    The value is an int for a varint, a span for anything with a length, None for fixed-width ones.
    Raises: WireError.
    """
    tag, at = read_varint(data, at, end)
    number, wire_type = tag >> 3, tag & 7
    value: int | Span | None = None
    match wire_type:
        case 0:
            value, at = read_varint(data, at, end)
        case 1:
            at += 8
        case 2:
            length, at = read_varint(data, at, end)
            value = (at, at + length)
            at += length
        case 5:
            at += 4
        case _:
            raise WireError(f"wire type {wire_type} is not used by proto3")
    if at > end or number == 0:
        raise WireError("a field goes beyond its message")
    return number, value, at


def read_fields(data: bytes) -> Iterator[tuple[int, int | Span | None]]:
    """All fields of a whole message, in order. Raises: WireError."""
    at = 0
    while at < len(data):
        number, value, at = read_field(data, at, len(data))
        yield number, value


def read_numbers(data: bytes, value: int | Span | None) -> list[int]:
    """The numbers (u32) in a repeated field, whether packed or single. Raises: WireError."""
    if isinstance(value, int):
        return [value & 0xFFFFFFFF]
    numbers: list[int] = []
    if value is not None:
        at, end = value
        while at < end:
            number, at = read_varint(data, at, end)
            numbers.append(number & 0xFFFFFFFF)
    return numbers


def write_varint(value: int) -> bytes:
    """value: not negative."""
    if value < 0x80:
        return _ONE_BYTE[value]
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


_ONE_BYTE = [bytes([value]) for value in range(0x80)]


def write_bytes(tag: bytes, content: bytes) -> bytes:
    """A field with a length. tag: the encoded number and wire type."""
    return tag + write_varint(len(content)) + content
