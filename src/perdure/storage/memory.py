"""The tables of a partition in dicts: the oracle that the SQLite store is compared with, and a store for simulation."""

import copy
from collections.abc import Collection
from typing import Any

from perdure.engine.tables import Tables
from perdure.engine.tx import (
    Awaiter,
    BuildRegistry,
    CancelledCall,
    HeldCompletion,
    InboxItem,
    JournalEvent,
    Notified,
    Promise,
    Timer,
)
from perdure.model.invocation import Invocation, JournalEntry, Position, Status
from perdure.model.records import Message
from perdure.model.registry import Deployment, Registry, ServiceSettings

_FIRST_NOTIFICATION_TYPE = 0x8000

StateKey = tuple[str, str]


class MemoryTx:
    """See `engine.tx.Tx`. Rows are copied in and out, so that a change not saved is a change not made."""

    def __init__(self, build_registry: BuildRegistry) -> None:
        self._build_registry = build_registry
        self._registry: Registry | None = None
        self._sequences: dict[str, int] = {}
        self.invocations: dict[int, Invocation] = {}
        self.journals: dict[int, dict[int, JournalEntry]] = {}
        self.events: dict[int, list[JournalEvent]] = {}
        self.awaiters: dict[int, dict[tuple[str, int], Awaiter]] = {}
        self.calls_cancelled: dict[int, dict[tuple[int, str], CancelledCall]] = {}
        self.held: dict[int, list[HeldCompletion]] = {}
        self.locks: dict[StateKey, int] = {}
        self.inboxes: dict[StateKey, list[InboxItem]] = {}
        self.states: dict[StateKey, dict[bytes, bytes]] = {}
        self.promises: dict[StateKey, dict[str, Promise]] = {}
        self.promise_awaiters: dict[StateKey, set[tuple[str, int, int]]] = {}
        self.timers: set[Timer] = set()
        self.outgoing: dict[tuple[int, int], Message] = {}
        self.last_sequences: dict[int, int] = {}
        self.deployments: dict[str, Deployment] = {}
        self.settings: dict[str, ServiceSettings] = {}

    # registry

    @property
    def registry(self) -> Registry:
        if self._registry is None:
            ordered = sorted(self.deployments.values(), key=lambda d: (d.created_at, d.id))
            self._registry = self._build_registry(ordered, self.settings)
        return self._registry

    def put_deployment(self, deployment: Deployment) -> None:
        self.deployments[deployment.id] = deployment
        self._registry = None

    def delete_deployment(self, deployment_id: str) -> None:
        self.deployments.pop(deployment_id, None)
        self._registry = None

    def put_service_settings(self, service: str, settings: ServiceSettings) -> None:
        self.settings[service] = settings
        self._registry = None

    def delete_service_settings(self, service: str) -> None:
        self.settings.pop(service, None)
        self._registry = None

    def next_number(self, sequence: str) -> int:
        self._sequences[sequence] = self._sequences.get(sequence, 0) + 1
        return self._sequences[sequence]

    # invocations

    def invocation(self, number: int) -> Invocation | None:
        return copy.copy(self.invocations.get(number))

    def invocation_by_id(self, invocation_id: str) -> Invocation | None:
        return copy.copy(next((i for i in self.invocations.values() if i.id == invocation_id), None))

    def insert_invocation(self, invocation: Invocation) -> None:
        assert invocation.number not in self.invocations
        assert self.invocation_by_id(invocation.id) is None
        self.invocations[invocation.number] = copy.copy(invocation)

    def save_invocation(self, invocation: Invocation) -> None:
        if invocation.number in self.invocations:
            self.invocations[invocation.number] = copy.copy(invocation)

    def delete_invocation(self, number: int) -> None:
        for table in (self.invocations, self.journals, self.events, self.awaiters):
            table.pop(number, None)

    def invoked_after(self, position: Position, limit: int) -> list[Position]:
        invoked = (row.position for row in self.invocations.values() if row.status is Status.INVOKED)
        return sorted(each for each in invoked if each > position)[:limit]

    def expired_completions(self, now: int, limit: int) -> list[int]:
        return self._expired("completion_expires_at", now)[:limit]

    def expired_journals(self, now: int, limit: int) -> list[int]:
        return self._expired("journal_expires_at", now)[:limit]

    def _expired(self, field: str, now: int) -> list[int]:
        times: list[tuple[Any, int]] = [(getattr(i, field), n) for n, i in self.invocations.items()]
        return [number for time, number in sorted(t for t in times if t[0] is not None) if time <= now]

    def count_unfinished(self, deployment_id: str, services: list[str], limit: int) -> int:
        found = sum(
            i.deployment_id == deployment_id or (i.deployment_id is None and i.service in services)
            for i in self.invocations.values()
            if i.status is not Status.COMPLETED
        )
        return min(found, limit)

    # journals

    def append_entry(self, number: int, entry: JournalEntry) -> None:
        journal = self.journals.setdefault(number, {})
        assert entry.index not in journal
        journal[entry.index] = entry

    def entry(self, number: int, index: int) -> JournalEntry | None:
        return self.journals.get(number, {}).get(index)

    def entries(self, number: int) -> list[JournalEntry]:
        return [entry for _, entry in sorted(self.journals.get(number, {}).items())]

    def entries_of(self, number: int, types: Collection[int]) -> list[JournalEntry]:
        return [entry for entry in self.entries(number) if entry.type in types]

    def notified(self, number: int) -> list[Notified]:
        return [
            Notified(e.index, e.completion_id, e.signal_id, e.signal_name, e.failed)
            for e in self.entries(number)
            if e.type >= _FIRST_NOTIFICATION_TYPE
        ]

    def delete_entries(self, number: int, keep: int | None) -> None:
        journal = self.journals.pop(number, {})
        if keep is not None and keep in journal:
            self.journals[number] = {keep: journal[keep]}

    def append_event(self, number: int, event: JournalEvent, keep: int) -> None:
        self.events[number] = [*self.events.get(number, []), event][-keep:]

    def last_event(self, number: int) -> JournalEvent | None:
        events = self.events.get(number)
        return events[-1] if events else None

    # who gets an outcome

    def add_awaiter(self, number: int, awaiter: Awaiter) -> None:
        self.awaiters.setdefault(number, {})[awaiter.caller_id, awaiter.completion_id] = awaiter

    def take_awaiters(self, number: int) -> list[Awaiter]:
        return sorted(self.awaiters.pop(number, {}).values())

    # cancels that wait for callees

    def put_cancelled_call(self, number: int, call: CancelledCall) -> None:
        self.calls_cancelled.setdefault(number, {})[call.completion_id, call.callee_id] = call

    def cancelled_calls(self, number: int) -> list[CancelledCall]:
        return sorted(self.calls_cancelled.get(number, {}).values())

    def has_cancelled_calls(self, number: int) -> bool:
        return bool(self.calls_cancelled.get(number))

    def cancelled_call_to(self, number: int, callee_id: str) -> CancelledCall | None:
        calls = [call for call in self.cancelled_calls(number) if call.callee_id == callee_id]
        return min(calls, key=lambda call: (call.echoed, call.completion_id), default=None)

    def remove_cancelled_calls(self, number: int, completion_id: int) -> None:
        calls = self.calls_cancelled.get(number, {})
        for place in [place for place in calls if place[0] == completion_id]:
            del calls[place]

    def hold_completion(self, number: int, completion: HeldCompletion) -> None:
        self.held.setdefault(number, []).append(completion)

    def take_held_completions(self, number: int) -> list[HeldCompletion]:
        return self.held.pop(number, [])

    def forget_cancel(self, number: int) -> None:
        self.calls_cancelled.pop(number, None)
        self.held.pop(number, None)

    # object keys

    def lock_holder(self, service: str, key: str) -> int | None:
        return self.locks.get((service, key))

    def set_lock(self, service: str, key: str, number: int) -> None:
        self.locks[service, key] = number

    def clear_lock(self, service: str, key: str) -> None:
        self.locks.pop((service, key), None)

    def push_inbox(self, service: str, key: str, item: InboxItem) -> None:
        self.next_number("inbox")
        self.inboxes.setdefault((service, key), []).append(item)

    def pop_inbox(self, service: str, key: str) -> InboxItem | None:
        queue = self.inboxes.get((service, key))
        return queue.pop(0) if queue else None

    def remove_from_inbox(self, service: str, key: str, number: int) -> None:
        queue = self.inboxes.get((service, key), [])
        queue[:] = [item for item in queue if item.invocation != number]

    # state

    def state(self, service: str, key: str) -> list[tuple[bytes, bytes]]:
        return sorted(self.states.get((service, key), {}).items())

    def state_value(self, service: str, key: str, name: bytes) -> bytes | None:
        return self.states.get((service, key), {}).get(name)

    def set_state(self, service: str, key: str, name: bytes, value: bytes) -> None:
        self.states.setdefault((service, key), {})[name] = value

    def clear_state(self, service: str, key: str, name: bytes) -> None:
        self.states.get((service, key), {}).pop(name, None)

    def clear_all_state(self, service: str, key: str) -> None:
        self.states.pop((service, key), None)

    # promises

    def promise(self, service: str, key: str, name: str) -> Promise | None:
        return self.promises.get((service, key), {}).get(name)

    def set_promise(self, service: str, key: str, name: str, promise: Promise) -> None:
        promises = self.promises.setdefault((service, key), {})
        assert name not in promises
        promises[name] = promise

    def delete_promises(self, service: str, key: str) -> None:
        self.promises.pop((service, key), None)
        waiting = self.promise_awaiters.get((service, key), set())
        waiting -= {item for item in waiting if self._is_over(item[1])}

    def _is_over(self, number: int) -> bool:
        invocation = self.invocations.get(number)
        return invocation is None or invocation.status is Status.COMPLETED

    def add_promise_awaiter(self, service: str, key: str, name: str, number: int, completion_id: int) -> None:
        self.promise_awaiters.setdefault((service, key), set()).add((name, number, completion_id))

    def take_promise_awaiters(self, service: str, key: str, name: str) -> list[tuple[int, int]]:
        waiting = self.promise_awaiters.get((service, key), set())
        taken = {item for item in waiting if item[0] == name}
        waiting -= taken
        return sorted((number, completion_id) for _, number, completion_id in taken)

    # timers

    def add_timer(self, timer: Timer) -> None:
        self.timers.add(timer)

    def take_due_timers(self, now: int, limit: int) -> list[Timer]:
        due = sorted(timer for timer in self.timers if timer.due <= now)[:limit]
        self.timers.difference_update(due)
        return due

    def next_due(self) -> int | None:
        return min((timer.due for timer in self.timers), default=None)

    # messages between partitions

    def put_outbox(self, partition: int, sequence: int, message: Message) -> None:
        self.outgoing[partition, sequence] = message

    def delete_outbox(self, partition: int, sequence: int) -> None:
        self.outgoing.pop((partition, sequence), None)

    def outbox(self) -> list[tuple[int, int, Message]]:
        return [(partition, sequence, message) for (partition, sequence), message in sorted(self.outgoing.items())]

    def last_sequence(self, source: int) -> int:
        return self.last_sequences.get(source, 0)

    def set_last_sequence(self, source: int, sequence: int) -> None:
        self.last_sequences[source] = sequence

    # the whole

    def tables(self) -> Tables:
        """A snapshot of everything."""
        return Tables(
            invocations={number: copy.copy(row) for number, row in self.invocations.items()},
            journals={number: self.entries(number) for number, journal in self.journals.items() if journal},
            events={number: list(events) for number, events in self.events.items() if events},
            awaiters={number: sorted(rows.values()) for number, rows in self.awaiters.items() if rows},
            cancelled_calls={n: self.cancelled_calls(n) for n, calls in self.calls_cancelled.items() if calls},
            held={number: list(rows) for number, rows in self.held.items() if rows},
            locks=dict(self.locks),
            inboxes={key: list(queue) for key, queue in self.inboxes.items() if queue},
            states={key: dict(entries) for key, entries in self.states.items() if entries},
            promises={key: dict(promises) for key, promises in self.promises.items() if promises},
            promise_awaiters={key: sorted(rows) for key, rows in self.promise_awaiters.items() if rows},
            timers=sorted(self.timers),
            outbox=self.outbox(),
            last_sequences=dict(self.last_sequences),
            sequences=dict(self._sequences),
            deployments=dict(self.deployments),
            settings=dict(self.settings),
        )
