"""Points in time as text, from milliseconds since the epoch and back."""

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 253_402_300_799_999
"""The last millisecond of the year 9999; later times are written as this one."""


def format_time(milliseconds: int, zeros: str = "") -> str:
    """RFC 3339 in UTC: `2026-11-20T10:16:20.625Z`. zeros: more decimals, put before the `Z`."""
    moment = _EPOCH + timedelta(milliseconds=max(min(milliseconds, _LATEST), 0))
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}{zeros}Z"


def format_time_ns(milliseconds: int) -> str:
    """RFC 3339 with nine decimals, as the admin API writes times."""
    return format_time(milliseconds, "000000")


def parse_time(text: str) -> int:
    """Milliseconds since the epoch. text: a date, or date and time; without a zone it is UTC. Raises: ValueError."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
