"""The engine's only door to the tables of a partition.

Two implementations: `storage.sqlite` (durable), `storage.memory` (dicts: the oracle of tests). Both see their own
writes at once; whoever opened the transaction commits or rolls back.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from perdure.model.invocation import Invocation, JournalEntry, Position
from perdure.model.records import Message
from perdure.model.registry import Deployment, Registry, ServiceSettings

BuildRegistry = Callable[[Iterable[Deployment], Mapping[str, ServiceSettings]], Registry]
"""Makes the snapshot from what is stored."""


EVENTS_KEPT = 100
"""Of one invocation: it may fail for months, each time with another message."""


class Awaiter(NamedTuple):
    """An entry of another invocation that gets an outcome. type: message type id of its notification."""

    caller_id: str
    completion_id: int
    type: int


class InboxItem(NamedTuple):
    """What waits for a key: exactly one of an invocation number and a change of state (msgpack of `StateMutation`)."""

    invocation: int | None
    mutation: bytes | None


class Timer(NamedTuple):
    """due: ms since the epoch. kind: `sleep`, `start`, `retry` or `cancel`."""

    due: int
    invocation: int
    kind: str
    reference: int


class Promise(NamedTuple):
    """Exactly one is set: the value, or the JSON of a `Failure`."""

    value: bytes | None
    failure: bytes | None


class JournalEvent(NamedTuple):
    appended_at: int
    after_index: int
    type: str
    body: bytes


class Notified(NamedTuple):
    """What a stored notification answers, without its payload. position: index in the journal."""

    position: int
    completion_id: int | None
    signal_id: int | None
    signal_name: str | None
    failed: bool


class CancelledCall(NamedTuple):
    """A call that was open when its caller was cancelled, and is cancelled with it.

    echoed: the caller's SDK, told of the cancellation, has cancelled it too.
    """

    completion_id: int
    callee_id: str
    echoed: bool = False


class HeldCompletion(NamedTuple):
    """The completion of a call, held back until the caller is told of its cancellation. raw: as on the wire."""

    completion_id: int
    raw: bytes
    failed: bool


class Tx(Protocol):
    @property
    def registry(self) -> Registry: ...

    def next_number(self, sequence: str) -> int:
        """The next of a named ascending sequence (`invocation`, `inbox`, `outbox`), from 1; never given twice."""

    # invocations

    def invocation(self, number: int) -> Invocation | None: ...
    def invocation_by_id(self, invocation_id: str) -> Invocation | None: ...
    def insert_invocation(self, invocation: Invocation) -> None: ...
    def save_invocation(self, invocation: Invocation) -> None:
        """Whoever changes the row afterwards must save it again."""

    def delete_invocation(self, number: int) -> None:
        """Removes the row, its journal, events and awaiters."""

    def invoked_after(self, position: Position, limit: int) -> list[Position]:
        """Those with status invoked that stand behind it, the oldest first."""

    def expired_completions(self, now: int, limit: int) -> list[int]: ...
    def expired_journals(self, now: int, limit: int) -> list[int]: ...

    def count_unfinished(self, deployment_id: str, services: list[str], limit: int) -> int:
        """How many that are not completed are pinned to the deployment, or to none and of one of the services.

        At most `limit`. Where there are fewer, it looks at all that are not completed: for operators, seldom.
        """

    # journals

    def append_entry(self, number: int, entry: JournalEntry) -> None: ...
    def entry(self, number: int, index: int) -> JournalEntry | None: ...
    def entries(self, number: int) -> list[JournalEntry]: ...
    def entries_of(self, number: int, types: Collection[int]) -> list[JournalEntry]:
        """Those of these message types, without reading the others."""

    def notified(self, number: int) -> list[Notified]: ...
    def delete_entries(self, number: int, keep: int | None) -> None:
        """Removes the journal, but for the entry with index `keep`."""

    def append_event(self, number: int, event: JournalEvent, keep: int) -> None:
        """Adds an event and forgets all but the newest `keep`."""

    def last_event(self, number: int) -> JournalEvent | None: ...

    # who gets an outcome

    def add_awaiter(self, number: int, awaiter: Awaiter) -> None: ...
    def take_awaiters(self, number: int) -> list[Awaiter]: ...

    # cancels that wait for callees

    def put_cancelled_call(self, number: int, call: CancelledCall) -> None: ...
    def cancelled_calls(self, number: int) -> list[CancelledCall]:
        """All that are left, rising."""

    def has_cancelled_calls(self, number: int) -> bool: ...
    def cancelled_call_to(self, number: int, callee_id: str) -> CancelledCall | None:
        """One that is not echoed, if there is one."""

    def remove_cancelled_calls(self, number: int, completion_id: int) -> None: ...
    def hold_completion(self, number: int, completion: HeldCompletion) -> None: ...
    def take_held_completions(self, number: int) -> list[HeldCompletion]:
        """In order of arrival."""

    def forget_cancel(self, number: int) -> None:
        """Removes all cancelled calls and held completions."""

    # object keys

    def lock_holder(self, service: str, key: str) -> int | None: ...
    def set_lock(self, service: str, key: str, number: int) -> None: ...
    def clear_lock(self, service: str, key: str) -> None: ...
    def push_inbox(self, service: str, key: str, item: InboxItem) -> None: ...
    def pop_inbox(self, service: str, key: str) -> InboxItem | None: ...
    def remove_from_inbox(self, service: str, key: str, number: int) -> None: ...

    # state

    def state(self, service: str, key: str) -> list[tuple[bytes, bytes]]:
        """All entries, rising by name."""

    def state_value(self, service: str, key: str, name: bytes) -> bytes | None: ...
    def set_state(self, service: str, key: str, name: bytes, value: bytes) -> None: ...
    def clear_state(self, service: str, key: str, name: bytes) -> None: ...
    def clear_all_state(self, service: str, key: str) -> None: ...

    # promises

    def promise(self, service: str, key: str, name: str) -> Promise | None:
        """None: not completed."""

    def set_promise(self, service: str, key: str, name: str, promise: Promise) -> None: ...
    def delete_promises(self, service: str, key: str) -> None:
        """All promises of the key. Who still waits for one goes on waiting; who is over does not."""

    def add_promise_awaiter(self, service: str, key: str, name: str, number: int, completion_id: int) -> None: ...
    def take_promise_awaiters(self, service: str, key: str, name: str) -> list[tuple[int, int]]: ...

    # timers

    def add_timer(self, timer: Timer) -> None: ...
    def take_due_timers(self, now: int, limit: int) -> list[Timer]:
        """Removes and returns timers due at or before `now`, oldest first, ties by invocation, kind, reference."""

    def next_due(self) -> int | None: ...

    # messages between partitions

    def put_outbox(self, partition: int, sequence: int, message: Message) -> None: ...
    def delete_outbox(self, partition: int, sequence: int) -> None: ...
    def outbox(self) -> list[tuple[int, int, Message]]: ...
    def last_sequence(self, source: int) -> int:
        """The highest sequence number taken from that partition, 0 if none."""

    def set_last_sequence(self, source: int, sequence: int) -> None: ...

    # registry

    def put_deployment(self, deployment: Deployment) -> None: ...
    def delete_deployment(self, deployment_id: str) -> None: ...
    def put_service_settings(self, service: str, settings: ServiceSettings) -> None: ...
    def delete_service_settings(self, service: str) -> None: ...
