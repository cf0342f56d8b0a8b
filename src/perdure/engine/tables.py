"""Everything a partition holds, read out at once: what invariants are checked on and stores are compared by."""

import msgspec

from perdure.engine.tx import Awaiter, CancelledCall, HeldCompletion, InboxItem, JournalEvent, Promise, Timer
from perdure.model.invocation import Invocation, JournalEntry
from perdure.model.records import Message
from perdure.model.registry import Deployment, ServiceSettings

Key = tuple[str, str]
"""Service and object or workflow key."""


class Tables(msgspec.Struct):
    """Whole contents, in one shape for every store: equal contents compare equal.

    Mappings hold no empty collections. Lists are in the table's order: journals by index, inboxes by arrival.
    """

    invocations: dict[int, Invocation]
    journals: dict[int, list[JournalEntry]]
    events: dict[int, list[JournalEvent]]
    awaiters: dict[int, list[Awaiter]]
    cancelled_calls: dict[int, list[CancelledCall]]
    held: dict[int, list[HeldCompletion]]
    locks: dict[Key, int]
    inboxes: dict[Key, list[InboxItem]]
    states: dict[Key, dict[bytes, bytes]]
    promises: dict[Key, dict[str, Promise]]
    promise_awaiters: dict[Key, list[tuple[str, int, int]]]
    """Name of the promise, number of the invocation that waits, its completion id."""
    timers: list[Timer]
    outbox: list[tuple[int, int, Message]]
    last_sequences: dict[int, int]
    sequences: dict[str, int]
    deployments: dict[str, Deployment]
    settings: dict[str, ServiceSettings]
