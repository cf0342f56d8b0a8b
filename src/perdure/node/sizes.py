"""Sizes as people write them, in bytes."""

import re
from typing import Final

_UNITS: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_SIZE: Final = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([a-zA-Z]*)", re.ASCII)


class BadSize(ValueError):
    """Text that is no size. `str()` says why."""


def parse_size(text: str) -> int:
    """Bytes, rounded down. text: a number of bytes, or one with kB, MB, GB (powers of 1000) or KiB, MiB, GiB (1024).

    Raises: BadSize.
    """
    found = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise BadSize("expected a size such as `32 MiB`, `500 kB` or a number of bytes")
    return int(float(found[1]) * unit)
