"""Makes a partition file of the state behind a recorded answer.

`given` of a case in `recorded-queries.json` has it by table: what the recorded rows tell, and where they do not tell
(a list of ids, a count) what the conditions of the query ask for. Facts have the names of `sys_invocation`.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from perdure import ids
from perdure.engine.tx import InboxItem, JournalEvent, Promise
from perdure.model.durations import parse_duration
from perdure.model.invocation import (
    AttemptFailure,
    Failure,
    HandlerKind,
    Invocation,
    InvokedBy,
    JournalEntry,
    ServiceKind,
    Status,
)
from perdure.model.registry import Defaults, Deployment
from perdure.model.timestamps import parse_time
from perdure.protocol.futures import flat_tree
from perdure.protocol.messages import NAMES, MessageType
from perdure.registration.services import build_registry
from perdure.storage.sqlite.store import SqliteStore
from perdure.storage.sqlite.tx import SqliteTx

_STORED = {"pending": "inboxed", "running": "invoked", "ready": "invoked", "backing-off": "invoked"}
_ATTEMPT_FAILURE = re.compile(r"\[(\d+)[^\]]*\] ([^\n]*)(?:\n(.*))?", re.DOTALL)
_FAILURE = re.compile(r"\[(\d+)\] (.*)", re.DOTALL)
_DAY = 86_400_000

Facts = dict[str, Any]


class RecordedState:
    """A store in a folder. running: the numbers of the invocations with an open attempt."""

    def __init__(self, folder: Path, given: dict[str, list[Facts]], deployments: list[Deployment]) -> None:
        self.running: list[int] = []
        self._numbers: dict[str, int] = {}
        store = SqliteStore(folder, lambda found, settings: build_registry(found, settings, Defaults()))
        self.path = store.path
        store.begin()
        self._tx: SqliteTx = store.tx
        for deployment in deployments:
            self._tx.put_deployment(deployment)
        for table, facts in given.items():
            fill = getattr(self, f"_fill_{table}")
            for one in _repeated(facts):
                fill(one)
        store.commit()
        store.close()

    def _fill_invocations(self, facts: Facts) -> None:
        number = len(self._numbers) + 1
        invocation = _invocation(number, facts)
        self._numbers[invocation.id] = number
        self._tx.insert_invocation(invocation)
        if facts["status"] == "running":
            self.running.append(number)

    def _number(self, facts: Facts) -> int:
        """Of the invocation that a row of another table belongs to."""
        identifier = facts.get("id")
        if identifier not in self._numbers:
            more = {"id": identifier} if identifier else {}
            target = facts.get("target") or f"{facts.get('service_name', 'Probe')}/{facts.get('service_key', 'x')}/add"
            self._fill_invocations({"target": target, "status": "suspended", "journal_size": 1} | more)
            identifier = list(self._numbers)[-1]
        return self._numbers[identifier]

    def _fill_inbox(self, facts: Facts) -> None:
        item = InboxItem(self._number(facts), None)
        self._tx.push_inbox(facts["service_name"], facts["service_key"], item)

    def _fill_locks(self, facts: Facts) -> None:
        number = self._number({**facts, "id": facts["invocation_id"]})
        self._tx.set_lock(facts["service_name"], facts["service_key"], number)

    def _fill_state(self, facts: Facts) -> None:
        value = bytes.fromhex(facts["value"])
        self._tx.set_state(facts["service_name"], facts["service_key"], facts["key"].encode(), value)

    def _fill_promises(self, facts: Facts) -> None:
        promise = Promise(bytes.fromhex(facts["completion_success_value"]), None)
        self._tx.set_promise(facts["service_name"], facts["service_key"], facts["key"], promise)

    def _fill_journal(self, facts: Facts) -> None:
        raw = bytes.fromhex(facts["raw"]) if "raw" in facts else bytes(facts["raw_length"])
        entry = JournalEntry(facts["index"], _type_of(facts["entry_type"]), raw, _time(facts, "appended_at") or 0)
        self._tx.append_entry(self._number(facts), entry)

    def _fill_events(self, facts: Facts) -> None:
        shown = msgspec.json.decode(facts["event_json"], type=Facts)
        failure = shown.get("last_failure") if shown["ty"] == "Paused" else shown
        body = AttemptFailure(
            failure["error_code"],
            failure.get("restate_doc_error_code", "RT0007"),
            failure["error_message"],
            failure.get("error_stacktrace"),
        )
        event = JournalEvent(
            _time(facts, "appended_at") or _time({"at": "2026-11-20T11:00:00Z"}, "at") or 0,
            facts.get("after_journal_entry_index", 0),
            facts["event_type"],
            msgspec.json.encode(body),
        )
        self._tx.append_event(self._number(facts), event, keep=1000)


def _repeated(facts: list[Facts]) -> Iterator[Facts]:
    """`times` stands for as many that differ in nothing but their id; the first of them has the id that is given."""
    for one in facts:
        yield one
        for _ in range(one.get("times", 1) - 1):
            yield {name: value for name, value in one.items() if name != "id"}


def _time(facts: Facts, name: str) -> int | None:
    return parse_time(facts[name]) if name in facts else None


def _duration(facts: Facts, name: str) -> int:
    return parse_duration(facts[name]) if name in facts else _DAY


def _type_of(shown: str) -> MessageType:
    group, name = shown.split(": ")
    return next(
        type_id for type_id in MessageType if NAMES.get(type_id) == name and (type_id < 0x8000) == (group == "Command")
    )


def _invocation(number: int, facts: Facts) -> Invocation:
    service, *key, handler = facts["target"].split("/")
    kind = ServiceKind(facts.get("target_service_ty", "virtual_object" if key else "service"))
    unique = b"%016d" % number
    identifier = facts.get("id") or ids.fresh_invocation_id(service, key[0] if key else None, unique, 0)
    created_at = _time(facts, "created_at") or number
    waits = facts.get("suspended_waiting_for_completions"), facts.get("suspended_waiting_for_signals")
    tree = flat_tree(waits[0] or [], waits[1] or [], [])
    attempted = facts["status"] in ("running", "backing-off")
    return Invocation(
        number=number,
        id=identifier,
        service=service,
        handler=handler,
        key=key[0] if key else None,
        service_kind=kind,
        handler_kind=HandlerKind.EXCLUSIVE if key else HandlerKind.SERVICE,
        idempotency_key=facts.get("idempotency_key"),
        invoked_by=InvokedBy.SERVICE if "invoked_by_id" in facts else InvokedBy.INGRESS,
        caller_id=facts.get("invoked_by_id"),
        caller_target=facts.get("invoked_by_target"),
        root_id=None,
        restarted_from=facts.get("restarted_from"),
        created_at=created_at,
        execution_time=_time(facts, "scheduled_start_at"),
        completion_retention=_duration(facts, "completion_retention"),
        journal_retention=_duration(facts, "journal_retention"),
        trace_parent=f"00-{facts['trace_id']}-00f067aa0ba902b7-01" if "trace_id" in facts else None,
        status=Status(_STORED.get(facts["status"], facts["status"])),
        deployment_id=facts.get("pinned_deployment_id"),
        protocol_version=facts.get("pinned_service_protocol_version"),
        journal_size=facts.get("journal_size", 0),
        command_count=facts.get("journal_commands_size", 0),
        modified_at=_time(facts, "modified_at") or created_at,
        inboxed_at=_time(facts, "inboxed_at"),
        running_at=_time(facts, "running_at") or (created_at if "journal_size" in facts else None),
        completed_at=_time(facts, "completed_at"),
        last_start_at=_time(facts, "last_start_at") or (created_at if attempted else None),
        retry_count=facts.get("retry_count", 0),
        next_retry_at=_time(facts, "next_retry_at"),
        last_deployment_id=facts.get("last_attempt_deployment_id"),
        last_server=facts.get("last_attempt_server"),
        last_failure=_attempt_failure(facts),
        awaiting=msgspec.json.encode(tree) if any(waits) else None,
        failure=_failure(facts),
    )


def _attempt_failure(facts: Facts) -> bytes | None:
    found = _ATTEMPT_FAILURE.fullmatch(facts.get("last_failure", ""))
    if found is None:
        return None
    about = (facts.get(f"last_failure_related_command_{name}") for name in ("index", "name", "type"))
    return msgspec.json.encode(
        AttemptFailure(int(found[1]), facts.get("last_failure_error_code", "RT0007"), found[2], found[3], *about)
    )


def _failure(facts: Facts) -> bytes | None:
    if facts.get("completion_result") != "failure":
        return None
    found = _FAILURE.fullmatch(facts.get("completion_failure", "[500] boom"))
    assert found is not None
    return msgspec.json.encode(Failure(int(found[1]), found[2]))
