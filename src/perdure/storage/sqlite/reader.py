"""Reads a whole partition out of its file, in the shape in which stores are compared."""

from typing import Any

from perdure.engine.tables import Key, Tables
from perdure.engine.tx import Awaiter, CancelledCall, HeldCompletion, InboxItem, JournalEvent, Promise, Timer
from perdure.model.invocation import JournalEntry
from perdure.storage.sqlite.tx import SqliteTx


def read_tables(tx: SqliteTx) -> Tables:
    """Everything, the open transaction included."""
    return Tables(
        invocations={row.number: row for row in tx.invocations()},
        journals=_lists(tx, "all_entries", lambda row: JournalEntry(*row)),
        events=_lists(tx, "all_events", lambda row: JournalEvent(*row)),
        awaiters=_lists(tx, "all_awaiters", lambda row: Awaiter(*row)),
        cancelled_calls=_lists(tx, "all_cancelled_calls", lambda row: CancelledCall(*row)),
        held=_lists(tx, "all_held_completions", lambda row: HeldCompletion(*row)),
        locks={(service, key): holder for service, key, holder in tx.rows("all_locks")},
        inboxes=_by_key(tx, "all_inboxes", lambda row: InboxItem(*row)),
        states={key: dict(entries) for key, entries in _by_key(tx, "all_states", tuple).items()},
        promises={
            key: {name: Promise(value, failure) for name, value, failure in promises}
            for key, promises in _by_key(tx, "all_promises", tuple).items()
        },
        promise_awaiters=_by_key(tx, "all_promise_awaiters", tuple),
        timers=[Timer(*row) for row in tx.rows("all_timers")],
        outbox=tx.outbox(),
        last_sequences=dict(tx.rows("all_last_sequences")),
        sequences=tx.sequences(),
        deployments={deployment.id: deployment for deployment in tx.deployments()},
        settings=tx.service_settings(),
    )


def _lists(tx: SqliteTx, query: str, make: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for number, *row in tx.rows(query):
        found.setdefault(number, []).append(make(row))
    return found


def _by_key(tx: SqliteTx, query: str, make: Any) -> dict[Key, list[Any]]:
    found: dict[Key, list[Any]] = {}
    for service, key, *row in tx.rows(query):
        found.setdefault((service, key), []).append(make(row))
    return found
