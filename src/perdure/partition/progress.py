"""Which records can wait for others, and with which they become one."""

from collections.abc import Callable

import msgspec

from perdure.engine.commands import UNANSWERED
from perdure.errors import StoreUnavailable
from perdure.model.records import AttemptProgress, Record
from perdure.protocol.framing import ACK_FLAG

Applied = Callable[[StoreUnavailable | None], None]
"""Told when a record is durable (None), or why it never will be."""

Item = tuple[Record, Applied | None]

ENTRIES_MAX = 64
"""A record with so many is not joined any more."""


def can_wait(record: Record) -> bool:
    """True: nothing happens outside when it is durable, and the handler has more to say."""
    if type(record) is not AttemptProgress or record.end is not None:
        return False
    # A loop, since a generator would cost more than the rest. What is answered is said last.
    for entry in reversed(record.entries):  # noqa: SIM110
        if entry.flags & ACK_FLAG or entry.type not in UNANSWERED:
            return False
    return True


def joined(first: Item, second: Item) -> Item | None:
    """As one: what an attempt said that can wait, and what it says next. None: they are something else."""
    one, two = first[0], second[0]
    if type(two) is not AttemptProgress or type(one) is not AttemptProgress:
        return None
    if one.number != two.number or one.attempt != two.attempt:
        return None
    if len(one.entries) >= ENTRIES_MAX or not can_wait(one):
        return None
    return msgspec.structs.replace(two, entries=one.entries + two.entries), _both(first[1], second[1])


def _both(first: Applied | None, second: Applied | None) -> Applied:
    def applied(error: StoreUnavailable | None) -> None:
        for each in (first, second):
            if each is not None:
                each(error)

    return applied
