"""Regular expressions in queries, in the syntax of Python's `re`.

A bad one can take for ever, and nothing in the process can interrupt it: the process as a whole is ended then.
"""

import functools
import re
from typing import Final

import msgspec

_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}


@functools.lru_cache(256)
def _compile(pattern: str, flags: str) -> re.Pattern[str]:
    """Raises: ValueError."""
    unknown = set(flags) - _FLAGS.keys()
    if unknown:
        raise ValueError(f"regular expressions have the flags {', '.join(_FLAGS)}, not '{min(unknown)}'")
    try:
        return re.compile(pattern, functools.reduce(lambda all_, flag: all_ | _FLAGS[flag], flags, re.NOFLAG))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"the regular expression cannot be read: {error}") from None


def regexp_like(text: str, pattern: str, flags: str = "") -> bool:
    return _compile(pattern, flags).search(text) is not None


def regexp_match(text: str, pattern: str, flags: str = "") -> str | None:
    """The groups of the first match as a JSON array, the whole of it when there are none; None without a match."""
    found = _compile(pattern, flags).search(text)
    if found is None:
        return None
    return msgspec.json.encode(found.groups() or (found[0],)).decode()
