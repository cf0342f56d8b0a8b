"""Durations as people write them, in both notations, to and from milliseconds."""

import re
from typing import Final

_UNITS: Final = {
    "ns": 1e-6,
    "nsec": 1e-6,
    "us": 1e-3,
    "usec": 1e-3,
    "ms": 1,
    "msec": 1,
    "millis": 1,
    "millisecond": 1,
    "s": 1000,
    "sec": 1000,
    "second": 1000,
    "m": 60_000,
    "min": 60_000,
    "minute": 60_000,
    "h": 3_600_000,
    "hr": 3_600_000,
    "hour": 3_600_000,
    "d": 86_400_000,
    "day": 86_400_000,
    "w": 604_800_000,
    "wk": 604_800_000,
    "week": 604_800_000,
}
_PLURALS: Final = frozenset(_UNITS) - {"ns", "us", "ms", "s", "m", "h", "d", "w", "millis"}
_WORDS: Final = re.compile(r"\s*,?\s*(\d{1,18}(?:\.\d{1,9})?)\s*([a-zA-Z]+)")
_ISO: Final = re.compile(
    r"[Pp](?=[\dTt])(?:(\d{1,18})[Ww])?(?:(\d{1,18})[Dd])?"
    r"(?:[Tt](?=\d)(?:(\d{1,18})[Hh])?(?:(\d{1,18})[Mm])?(?:(\d{1,18}(?:[.,]\d{1,9})?)[Ss])?)?"
)
_WRITTEN: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms"))


class BadDuration(ValueError):
    """Text that is no duration. `str()` says why."""


def parse_duration(text: str) -> int:
    """Milliseconds, rounded down. text: words (`2 hours`, `1h 30min`, `500ms`) or ISO 8601 (`PT30M`, `P1D`).

    Units up to weeks; months and years have no fixed length. Raises: BadDuration.
    """
    text = text.strip()
    if text[:1] in ("P", "p"):
        return _parse_iso(text)
    total = 0.0
    at = 0
    while at < len(text):
        found = _WORDS.match(text, at)
        if found is None:
            raise BadDuration("expected a number followed by a unit, such as `90s` or `2 hours`")
        total += float(found[1]) * _unit(found[2])
        at = found.end()
    if not text:
        raise BadDuration("expected a duration such as `90s`, `2 hours` or `PT30M`, but the text is empty")
    return int(total)


def _unit(word: str) -> float:
    name = word.lower()
    if name in _UNITS:
        return _UNITS[name]
    if name.endswith("s") and name[:-1] in _PLURALS:
        return _UNITS[name[:-1]]
    raise BadDuration(f"`{word}` is not a unit of time; use d, h, m, s or ms")


def _parse_iso(text: str) -> int:
    found = _ISO.fullmatch(text)
    if found is None:
        raise BadDuration("not an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as `PT30M`")
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups()[:4])
    seconds = float((found[5] or "0").replace(",", "."))
    return ((weeks * 7 + days) * 24 + hours) * 3_600_000 + minutes * 60_000 + int(round(seconds * 1000, 6))


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
