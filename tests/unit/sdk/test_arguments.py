"""How a body becomes arguments, and a result a body."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, TypedDict
from uuid import UUID

import msgspec
import pydantic
import pytest

from perdure.sdk.definition_errors import BadArgument, BadHint, CannotEncode
from perdure.sdk.definitions import handler_of
from perdure.sdk.exceptions import TerminalError
from perdure.sdk.services import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from perdure.somewhere import Context, Unknown


@dataclass
class Point:
    x: int
    y: int = 0


class Colour(Enum):
    RED = "red"


class Trip(pydantic.BaseModel):
    city: str
    nights: int = 1


class Ticket(msgspec.Struct):
    seat: str


class Message(TypedDict):
    role: str


def call(function: Callable[..., Any], body: bytes) -> Any:
    """What a handler gives for a body; it gives back what it got, as text."""
    return asyncio.run(handler_of(Service("S").handler(name="h")(function)).run(None, body))


def refusal(function: Callable[..., Any], body: bytes) -> str:
    with pytest.raises(TerminalError) as caught:
        call(function, body)
    assert caught.value.status_code == 400
    return caught.value.message


def test_nothing() -> None:
    async def handler(ctx: Context) -> str:
        return "done"

    assert call(handler, b"") == b'"done"'
    assert call(handler, b'"ignored"') == b'"done"'


@pytest.mark.parametrize(
    ("hint", "body", "value"),
    [
        (Any, b'{"a": [1, null]}', {"a": [1, None]}),
        (int, b"3", 3),
        (float, b"3", 3),
        (str, b'"a"', "a"),
        (list, b"[1]", [1]),
        (dict[str, int], b'{"a": 1}', {"a": 1}),
        (str | None, b"null", None),
        (Optional[str], b"", None),  # noqa: UP045  # both forms are in use
        (Message, b'{"role": "user", "more": 1}', {"role": "user", "more": 1}),
        (Literal["a", "b"], b'"b"', "b"),
        (Annotated[int, "metres"], b"3", 3),
        (Point, b'{"x": 1}', Point(1)),
        (Point | None, b"", None),
        (list[Point], b'[{"x": 1, "y": 2}]', [Point(1, 2)]),
        (dict[str, Point], b'{"a": {"x": 1}}', {"a": Point(1)}),
        (tuple[int, str], b'[1, "a"]', (1, "a")),
        (set[int], b"[1, 1]", {1}),
        (Colour, b'"red"', Colour.RED),
        (datetime, b'"2026-11-21T10:00:00Z"', datetime.fromisoformat("2026-11-21T10:00:00+00:00")),
        (timedelta, b'"PT5S"', timedelta(seconds=5)),
        (UUID, b'"12345678-1234-5678-1234-567812345678"', UUID("12345678-1234-5678-1234-567812345678")),
        (Trip, b'{"city": "Rome"}', Trip(city="Rome")),
        (Trip | None, b"null", None),
        (list[Trip], b'[{"city": "Rome", "nights": 2}]', [Trip(city="Rome", nights=2)]),
        (Ticket, b'{"seat": "1A"}', Ticket("1A")),
        (bytes, b"\x00\xff", b"\x00\xff"),
        (bytes, b"", b""),
        (bytes | None, b"a", b"a"),
        (bytes | None, b"", None),
    ],
)
def test_one_parameter_is_the_value(hint: Any, body: bytes, value: Any) -> None:
    seen: list[Any] = []

    async def handler(ctx: Context, given) -> None:  # type: ignore[no-untyped-def]  # the hint is set below
        seen.append(given)

    handler.__annotations__["given"] = hint
    assert call(handler, body) == b""
    assert seen == [value]
    assert type(seen[0]) is type(value)


@pytest.mark.parametrize(
    ("hint", "body", "told"),
    [
        (int, b'"3"', "not a int: Expected `int`, got `str`"),
        (str, b"", "missing, and must be a str"),
        (str, b"null", "missing, and must be a str"),
        (Point, b"", "missing, and must be a Point"),
        (list[int], b'["a"]', "at `$[0]`"),
        (Point, b'{"y": 1}', "missing required field `x`"),
        (Point, b'{"x": "1"}', "Expected `int`, got `str` - at `$.x`"),
        (Trip, b'{"nights": "many"}', "Field required at `city`"),
        (Colour, b'"blue"', "Invalid enum value 'blue'"),
        (Message, b"[]", "Expected `object`"),
        (Any, b"{", "not JSON"),
        (Any, b"\xff", "not JSON"),
        (Any, b"[" * 100_000, "not JSON"),
        (Point, b"[" * 100_000, "not a Point"),
    ],
)
def test_a_body_that_does_not_fit(hint: Any, body: bytes, told: str) -> None:
    async def handler(ctx: Context, given) -> None:  # type: ignore[no-untyped-def]  # the hint is set below
        raise AssertionError("the handler is not called")

    handler.__annotations__["given"] = hint
    message = refusal(handler, body)
    assert message.startswith("S/h: the parameter `given` is ")
    assert told in message


async def book(ctx: Context, city: str, nights: int = 1, *, point: Point | None = None, tags: list[str] = []) -> Any:  # noqa: B006
    return [city, nights, point and point.x, tags]


def test_several_parameters_are_an_object() -> None:
    assert json.loads(call(book, b'{"city": "Rome"}')) == ["Rome", 1, None, []]
    body = b'{"city": "Rome", "nights": 3, "point": {"x": 5}, "tags": ["a"], "of a newer caller": 1}'
    assert json.loads(call(book, body)) == ["Rome", 3, 5, ["a"]]


def test_several_parameters_that_do_not_fit() -> None:
    assert "S/h: the parameter `city` is missing" in refusal(book, b"{}")
    assert "the parameter `city` is missing" in refusal(book, b"")
    assert "the parameter `nights` is not a int" in refusal(book, b'{"city": "Rome", "nights": "x"}')
    assert "the parameter `point` is not a" in refusal(book, b'{"city": "Rome", "point": {}}')
    assert "not an object with city, nights, point, tags" in refusal(book, b"[]")


def test_one_keyword_only_parameter_is_an_object() -> None:
    async def handler(ctx: Context, *, city: str) -> str:
        return city

    assert call(handler, b'{"city": "Rome"}') == b'"Rome"'


def test_defaults() -> None:
    async def handler(ctx: Context, count: int = 3) -> int:
        return count

    assert call(handler, b"") == b"3"
    assert call(handler, b"4") == b"4"


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (None, b""),
        ("ü", b'"\\u00fc"'),
        ({"a": 1, "b": [True, None]}, b'{"a": 1, "b": [true, null]}'),
        (Point(1), b'{"x": 1, "y": 0}'),
        (
            [Point(1), Trip(city="Rome"), Ticket("1A")],
            b'[{"x": 1, "y": 0}, {"city": "Rome", "nights": 1}, {"seat": "1A"}]',
        ),
        (Trip(city="Rome"), b'{"city":"Rome","nights":1}'),
        (Ticket("1A"), b'{"seat":"1A"}'),
        ({"at": timedelta(seconds=5), "is": Colour.RED}, b'{"at": "PT5S", "is": "red"}'),
    ],
)
def test_results(value: Any, body: bytes) -> None:
    async def handler(ctx: Context) -> Any:
        return value

    assert call(handler, b"") == body


def test_results_that_cannot_be_written() -> None:
    async def handler(ctx: Context) -> Any:
        return {"a": object()}

    with pytest.raises(CannotEncode, match="object"):
        call(handler, b"")

    async def raw(ctx: Context) -> Any:
        return b"raw"

    with pytest.raises(CannotEncode, match="type hint `bytes`"):
        call(raw, b"")

    async def typed(ctx: Context) -> bytes:
        return b"raw"

    assert call(typed, b"") == b"raw"


def test_what_callers_send() -> None:
    booked = handler_of(Service("S").handler()(book))
    assert json.loads(booked.encode_input({"city": "Rome", "point": Point(1)})) == {
        "city": "Rome",
        "point": {"x": 1, "y": 0},
    }
    with pytest.raises(BadArgument, match="S/book misses city"):
        booked.encode_input({"nights": 1})
    with pytest.raises(BadArgument, match="S/book has no parameter town"):
        booked.encode_input({"city": "Rome", "town": "Rome"})
    with pytest.raises(BadArgument, match="S/book takes a dict with city, nights, point, tags, not a str"):
        booked.encode_input("Rome")

    @Service("S").handler()
    async def one(ctx: Context, trip: Trip) -> Trip:
        return trip

    assert handler_of(one).encode_input(Trip(city="Rome")) == b'{"city":"Rome","nights":1}'
    assert handler_of(one).decode_output(b'{"city":"Rome"}') == Trip(city="Rome")


def test_types_defined_below_or_in_a_function() -> None:
    @dataclass
    class Local:
        a: int

    @Service("S").handler()
    async def handler(ctx: Context, local: Local, below: Below) -> Local:
        return Local(local.a + below.a)

    assert asyncio.run(handler_of(handler).run(None, b'{"local": {"a": 1}, "below": {"a": 2}}')) == b'{"a": 3}'


@dataclass
class Below:
    a: int


def test_types_that_are_nowhere() -> None:
    @Service("S").handler()
    async def handler(ctx: Context, what: Unknown) -> None: ...

    with pytest.raises(BadHint, match="S/handler: the hint of the parameter `what`, `Unknown`: name 'Unknown'"):
        handler_of(handler).encode_input(1)
