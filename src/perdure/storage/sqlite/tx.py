"""The tables of a partition in SQLite: one method, one or two prepared statements."""

from collections.abc import Collection
from typing import Any

import apsw
import msgspec

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
from perdure.model.invocation import (
    HandlerKind,
    Invocation,
    InvokedBy,
    JournalEntry,
    Position,
    ServiceKind,
    Status,
)
from perdure.model.records import Message
from perdure.model.registry import Deployment, Registry, ServiceSettings
from perdure.storage.sqlite.hot_entries import HotEntries
from perdure.storage.sqlite.hot_rows import HotRows
from perdure.storage.sqlite.queries import load_queries

_FIXED_FIELDS = Invocation.__struct_fields__.index("status")
_SERVICE_KINDS: dict[Any, ServiceKind] = {kind.value: kind for kind in ServiceKind}
_HANDLER_KINDS: dict[Any, HandlerKind] = {kind.value: kind for kind in HandlerKind}
_INVOKED_BY: dict[Any, InvokedBy] = {value.value: value for value in InvokedBy}
_STATUSES: dict[Any, Status] = {status.value: status for status in Status}

_message_encoder = msgspec.msgpack.Encoder()
_message_decoder = msgspec.msgpack.Decoder(Message)
_deployment_decoder = msgspec.json.Decoder(Deployment)
_settings_decoder = msgspec.json.Decoder(ServiceSettings)


_QUERIES = load_queries("perdure.storage.sqlite")


class SqliteTx:
    """See `engine.tx.Tx`. One per connection; the store opens, commits and rolls back its transactions."""

    def __init__(self, connection: apsw.Connection, build_registry: BuildRegistry) -> None:
        self._connection = connection
        self._build_registry = build_registry
        self._registry: Registry | None = None
        self._sequences: dict[str, int] = {}
        self._dirty_sequences: set[str] = set()
        # One cursor serves all: no statement is left half read. Its statement cache does the preparing.
        cursor = connection.cursor()
        self._execute = cursor.execute
        self._hot = HotRows(
            lambda number: self._stored_invocation("invocation", number),
            cursor.executemany,
            insert=_QUERIES["insert_invocation"],
            save=_QUERIES["save_invocation"],
            save_progress=_QUERIES["save_progress"],
            save_appended=_QUERIES["save_appended"],
        )
        self._entries = HotEntries(
            self._execute, append_one=_QUERIES["append_entry"], append_many=_QUERIES["append_entries"]
        )
        self.append_entry = self._entries.append
        self.invocation = self._hot.get
        self.insert_invocation = self._hot.insert
        self.save_invocation = self._hot.save

    # transaction turns

    def flush(self) -> None:
        """Writes what was kept back for one write per transaction. Nothing may follow but the commit."""
        self._entries.write()
        self._entries.end()
        self._hot.write()
        self._hot.end()
        for name in self._dirty_sequences:
            self._execute(_QUERIES["put_meta"], (name, self._sequences[name]))
        self._dirty_sequences.clear()

    def forget(self) -> None:
        """Drops what was derived from tables, because a rollback may have changed them."""
        self._entries.clear()
        self._hot.clear()
        self._registry = None
        self._sequences.clear()
        self._dirty_sequences.clear()

    # registry

    @property
    def registry(self) -> Registry:
        if self._registry is None:
            self._registry = self._build_registry(self.deployments(), self.service_settings())
        return self._registry

    def deployments(self) -> list[Deployment]:
        """Oldest first."""
        return [_deployment_decoder.decode(row[0]) for row in self._execute(_QUERIES["deployments"])]

    def service_settings(self) -> dict[str, ServiceSettings]:
        return {row[0]: _settings_decoder.decode(row[1]) for row in self._execute(_QUERIES["all_service_settings"])}

    def put_deployment(self, deployment: Deployment) -> None:
        document = msgspec.json.encode(deployment)
        self._execute(_QUERIES["put_deployment"], (deployment.id, deployment.created_at, document))
        self._registry = None

    def delete_deployment(self, deployment_id: str) -> None:
        self._execute(_QUERIES["delete_deployment"], (deployment_id,))
        self._registry = None

    def put_service_settings(self, service: str, settings: ServiceSettings) -> None:
        self._execute(_QUERIES["put_service_settings"], (service, msgspec.json.encode(settings)))
        self._registry = None

    def delete_service_settings(self, service: str) -> None:
        self._execute(_QUERIES["delete_service_settings"], (service,))
        self._registry = None

    # sequences

    def next_number(self, sequence: str) -> int:
        value = self._sequences.get(sequence)
        if value is None:
            row = self._one("meta", (sequence,))
            value = row[0] if row else 0
        value += 1
        self._sequences[sequence] = value
        self._dirty_sequences.add(sequence)
        return value

    # invocations

    def invocation_by_id(self, invocation_id: str) -> Invocation | None:
        return self._hot.by_id(invocation_id) or self._stored_invocation("invocation_by_id", invocation_id)

    def _stored_invocation(self, query: str, argument: int | str) -> Invocation | None:
        row = self._one(query, (argument,))
        return None if row is None else _to_invocation(row)

    def invocations(self) -> list[Invocation]:
        """All of them: for checks, never while serving."""
        return [_to_invocation(row) for row in self.rows("all_invocations")]

    def delete_invocation(self, number: int) -> None:
        self._entries.forget(number)
        self._hot.delete(number)
        for query in ("delete_invocation", "delete_entries", "delete_events", "take_awaiters"):
            self._execute(_QUERIES[query], (number,)).fetchall()

    def invoked_after(self, position: Position, limit: int) -> list[Position]:
        self._hot.write()
        return [Position(*row) for row in self._execute(_QUERIES["invoked_after"], (*position, limit))]

    def expired_completions(self, now: int, limit: int) -> list[int]:
        return self._numbers_of("expired_completions", now, limit)

    def expired_journals(self, now: int, limit: int) -> list[int]:
        return self._numbers_of("expired_journals", now, limit)

    def _numbers_of(self, query: str, bound: int, limit: int) -> list[int]:
        self._hot.write()
        return [row[0] for row in self._execute(_QUERIES[query], (bound, limit))]

    def count_unfinished(self, deployment_id: str, services: list[str], limit: int) -> int:
        self._hot.write()
        row = self._one("count_unfinished", (deployment_id, msgspec.json.encode(services).decode(), limit))
        assert row is not None
        count: int = row[0]
        return count

    # journals

    def entry(self, number: int, index: int) -> JournalEntry | None:
        self._entries.write()
        row = self._one("entry", (number, index))
        return None if row is None else JournalEntry(*row)

    def entries(self, number: int) -> list[JournalEntry]:
        if (only := self._entries.only_entry(number)) is not None:
            return [only]
        self._entries.write()
        return [JournalEntry(*row) for row in self._execute(_QUERIES["entries"], (number,))]

    def entries_of(self, number: int, types: Collection[int]) -> list[JournalEntry]:
        self._entries.write()
        wanted = msgspec.json.encode(list(types)).decode()
        return [JournalEntry(*row) for row in self._execute(_QUERIES["entries_of"], (number, wanted))]

    def notified(self, number: int) -> list[Notified]:
        self._entries.write()
        return [Notified(*row) for row in self._execute(_QUERIES["notified"], (number,))]

    def delete_entries(self, number: int, keep: int | None) -> None:
        self._entries.forget(number)
        if keep is None:
            self._execute(_QUERIES["delete_entries"], (number,))
        else:
            self._execute(_QUERIES["delete_entries_but"], (number, keep))

    def append_event(self, number: int, event: JournalEvent, keep: int) -> None:
        self._execute(_QUERIES["append_event"], (number, *event))
        self._execute(_QUERIES["forget_events"], (number, keep))

    def last_event(self, number: int) -> JournalEvent | None:
        row = self._one("last_event", (number,))
        return None if row is None else JournalEvent(*row)

    # who gets an outcome

    def add_awaiter(self, number: int, awaiter: Awaiter) -> None:
        self._hot.note_awaiter(number)
        self._execute(_QUERIES["add_awaiter"], (number, *awaiter))

    def take_awaiters(self, number: int) -> list[Awaiter]:
        if self._hot.nobody_waits(number):
            return []
        rows: list[Any] = self._execute(_QUERIES["take_awaiters"], (number,)).fetchall()
        return sorted(Awaiter(*row) for row in rows)

    # cancels that wait for callees

    def put_cancelled_call(self, number: int, call: CancelledCall) -> None:
        self._execute(_QUERIES["put_cancelled_call"], (number, *call))

    def cancelled_calls(self, number: int) -> list[CancelledCall]:
        return [CancelledCall(*row) for row in self._execute(_QUERIES["cancelled_calls"], (number,))]

    def has_cancelled_calls(self, number: int) -> bool:
        return self._one("any_cancelled_call", (number,)) is not None

    def cancelled_call_to(self, number: int, callee_id: str) -> CancelledCall | None:
        row = self._one("cancelled_call_to", (number, callee_id))
        return None if row is None else CancelledCall(*row)

    def remove_cancelled_calls(self, number: int, completion_id: int) -> None:
        self._execute(_QUERIES["remove_cancelled_calls"], (number, completion_id))

    def hold_completion(self, number: int, completion: HeldCompletion) -> None:
        self._execute(_QUERIES["hold_completion"], (number, *completion))

    def take_held_completions(self, number: int) -> list[HeldCompletion]:
        held = [HeldCompletion(*row) for row in self._execute(_QUERIES["held_completions"], (number,))]
        self._execute(_QUERIES["forget_held_completions"], (number,))
        return held

    def forget_cancel(self, number: int) -> None:
        for query in ("forget_cancelled_calls", "forget_held_completions"):
            self._execute(_QUERIES[query], (number,))

    # object keys

    def lock_holder(self, service: str, key: str) -> int | None:
        row = self._one("lock_holder", (service, key))
        return row[0] if row else None

    def set_lock(self, service: str, key: str, number: int) -> None:
        self._execute(_QUERIES["set_lock"], (service, key, number))

    def clear_lock(self, service: str, key: str) -> None:
        self._execute(_QUERIES["clear_lock"], (service, key))

    def push_inbox(self, service: str, key: str, item: InboxItem) -> None:
        self._execute(_QUERIES["push_inbox"], (service, key, self.next_number("inbox"), *item))

    def pop_inbox(self, service: str, key: str) -> InboxItem | None:
        row = self._one("inbox_head", (service, key))
        if row is None:
            return None
        self._execute(_QUERIES["delete_inbox"], (service, key, row[0]))
        return InboxItem(row[1], row[2])

    def remove_from_inbox(self, service: str, key: str, number: int) -> None:
        self._execute(_QUERIES["remove_from_inbox"], (service, key, number))

    # state

    def state(self, service: str, key: str) -> list[tuple[bytes, bytes]]:
        return [(row[0], row[1]) for row in self._execute(_QUERIES["state"], (service, key))]

    def state_value(self, service: str, key: str, name: bytes) -> bytes | None:
        row = self._one("state_value", (service, key, name))
        return row[0] if row else None

    def set_state(self, service: str, key: str, name: bytes, value: bytes) -> None:
        self._execute(_QUERIES["set_state"], (service, key, name, value))

    def clear_state(self, service: str, key: str, name: bytes) -> None:
        self._execute(_QUERIES["clear_state"], (service, key, name))

    def clear_all_state(self, service: str, key: str) -> None:
        self._execute(_QUERIES["clear_all_state"], (service, key))

    # promises

    def promise(self, service: str, key: str, name: str) -> Promise | None:
        row = self._one("promise", (service, key, name))
        return None if row is None else Promise(*row)

    def set_promise(self, service: str, key: str, name: str, promise: Promise) -> None:
        self._execute(_QUERIES["set_promise"], (service, key, name, *promise))

    def delete_promises(self, service: str, key: str) -> None:
        self._hot.write()
        self._execute(_QUERIES["delete_promises"], (service, key))
        self._execute(_QUERIES["delete_promise_awaiters"], (service, key))

    def add_promise_awaiter(self, service: str, key: str, name: str, number: int, completion_id: int) -> None:
        self._execute(_QUERIES["add_promise_awaiter"], (service, key, name, number, completion_id))

    def take_promise_awaiters(self, service: str, key: str, name: str) -> list[tuple[int, int]]:
        rows: list[Any] = self._execute(_QUERIES["take_promise_awaiters"], (service, key, name)).fetchall()
        return sorted((row[0], row[1]) for row in rows)

    # timers

    def add_timer(self, timer: Timer) -> None:
        self._execute(_QUERIES["add_timer"], timer)

    def take_due_timers(self, now: int, limit: int) -> list[Timer]:
        timers = [Timer(*row) for row in self._execute(_QUERIES["due_timers"], (now, limit))]
        for timer in timers:
            self._execute(_QUERIES["delete_timer"], timer)
        return timers

    def next_due(self) -> int | None:
        row = self._one("next_due", ())
        return row[0] if row else None

    # messages between partitions

    def put_outbox(self, partition: int, sequence: int, message: Message) -> None:
        self._execute(_QUERIES["put_outbox"], (partition, sequence, _message_encoder.encode(message)))

    def delete_outbox(self, partition: int, sequence: int) -> None:
        self._execute(_QUERIES["delete_outbox"], (partition, sequence))

    def outbox(self) -> list[tuple[int, int, Message]]:
        rows = self._execute(_QUERIES["outbox"])
        return [(row[0], row[1], _message_decoder.decode(row[2])) for row in rows]

    def last_sequence(self, source: int) -> int:
        row = self._one("last_sequence", (source,))
        return row[0] if row else 0

    def set_last_sequence(self, source: int, sequence: int) -> None:
        self._execute(_QUERIES["set_last_sequence"], (source, sequence))

    # the whole

    def rows(self, query: str) -> list[Any]:
        """What a statement without parameters returns."""
        self._entries.write()
        self._hot.write()
        return self._execute(_QUERIES[query]).fetchall()

    def sequences(self) -> dict[str, int]:
        """The number given last of every sequence."""
        return {**dict(self.rows("all_sequences")), **self._sequences}

    def _one(self, query: str, bindings: tuple[Any, ...]) -> Any:
        """The only row, or None. Reads to the end, so that the cursor is free again."""
        rows = self._execute(_QUERIES[query], bindings).fetchall()
        return rows[0] if rows else None


def _to_invocation(row: tuple[Any, ...]) -> Invocation:
    fields = list(row)
    fields[5] = _SERVICE_KINDS[row[5]]
    fields[6] = _HANDLER_KINDS[row[6]]
    fields[8] = _INVOKED_BY[row[8]]
    fields[_FIXED_FIELDS] = _STATUSES[row[_FIXED_FIELDS]]
    return Invocation(*fields)
