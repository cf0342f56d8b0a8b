"""Durations as people write them: ISO 8601 (`PT1H30M`, `P1D`) and words (`1h 30m`, `500ms`, `1 hour, 5 secs`)."""

import re
from typing import Final

_NS: Final = {
    "w": 7 * 86_400 * 10**9,
    "d": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}
_ORDER: Final = list(_NS)
_LONGEST_DIGITS: Final = 15
"""Enough for any delay in nanoseconds that makes sense, and short enough that arithmetic stays cheap."""

_WORDS: Final = {
    word: unit
    for unit, words in {
        "w": "w wk wks week weeks",
        "d": "d day days",
        "h": "h hr hrs hour hours",
        "m": "m min mins minute minutes",
        "s": "s sec secs second seconds",
        "ms": "ms msec msecs milli millis millisecond milliseconds",
        "us": "us µs μs usec usecs µsec µsecs μsec μsecs micro micros microsecond microseconds",
        "ns": "ns nsec nsecs nano nanos nanosecond nanoseconds",
    }.items()
    for word in words.split()
}
_TOO_LONG: Final = frozenset(["mo", "mos", "month", "months", "y", "yr", "yrs", "year", "years"])
_ISO: Final = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+(?:[.,]\d+)?)H)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?",
    re.IGNORECASE | re.ASCII,
)
_PART: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s*([a-zA-Zµμ]+)(?:\s*,\s+|\s*)", re.ASCII)
_WRITTEN: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms"))


class BadDuration(ValueError):
    """Text that is not a duration. `str()` says why."""


def parse_duration(text: str) -> int:
    """The duration in ms, rounded up so that nothing starts too early. Raises: BadDuration."""
    text = text.strip()
    if not text:
        raise BadDuration("it is empty; write for example `PT10S` or `10s`")
    if text[0] == "-" or text.endswith(" ago"):
        raise BadDuration("it is negative")
    if text == "0":
        return 0
    text = text.removeprefix("+")
    ns = _iso(text) if text[:1] in ("P", "p") else _friendly(text)
    return -(-ns // 10**6)


def _iso(text: str) -> int:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        raise BadDuration(f"`{text[:40]}` is not an ISO 8601 duration such as `PT1H30M` or `P1D`")
    years, months, weeks, days, hours, minutes, seconds = match.groups()
    if years or months:
        raise BadDuration("units above weeks have no fixed length; use weeks or smaller units")
    numbers = (weeks, days, hours, minutes, seconds)
    return _sum([(number, unit) for number, unit in zip(numbers, "wdhms", strict=True) if number])


def _friendly(text: str) -> int:
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _PART.match(text, at)
        if match is None:
            raise BadDuration(f"`{text[at : at + 40]}` is not a number with a unit such as `10s`, `500ms` or `1 hour`")
        number, word = match.groups()
        if word in _TOO_LONG:
            raise BadDuration("units above weeks have no fixed length; use weeks or smaller units")
        unit = _WORDS.get(word)
        if unit is None:
            raise BadDuration(f"`{word[:40]}` is not a unit; use w, d, h, m, s or ms")
        if parts and _ORDER.index(unit) <= _ORDER.index(parts[-1][1]):
            raise BadDuration("units must come once each, from large to small")
        parts.append((number, unit))
        at = match.end()
    return _sum(parts)


def _sum(parts: list[tuple[str, str]]) -> int:
    total = 0
    for position, (number, unit) in enumerate(parts):
        whole, _, fraction = number.replace(",", ".").partition(".")
        if len(whole) > _LONGEST_DIGITS:
            raise BadDuration("it is too long")
        total += int(whole) * _NS[unit]
        if fraction:
            if position + 1 < len(parts) or unit in ("w", "d", "ns") or len(fraction) > 9:
                raise BadDuration("only the last unit may have a fraction, hours or smaller, with up to nine digits")
            total += int(fraction) * _NS[unit] // 10 ** len(fraction)
    return total


def format_duration(milliseconds: int) -> str:
    """Short words, largest unit first: `1d`, `1m 30s`, `500ms`, `0s`."""
    if milliseconds == 0:
        return "0s"
    parts = []
    rest = milliseconds
    for size, unit in _WRITTEN:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts)
