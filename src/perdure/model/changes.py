"""What a batch of records has changed, for whoever follows along."""

import msgspec


class Changes(msgspec.Struct, frozen=True, gc=False):
    """May name what was not changed in the end, never leaves out what was.

    invocations: numbers of those whose row, journal or events were written. removed: number to id of those that were
    removed. states: service and key of what has other state.
    """

    invocations: set[int]
    removed: dict[int, str]
    states: set[tuple[str, str]]
