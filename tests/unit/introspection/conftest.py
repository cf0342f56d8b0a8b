"""A partition file filled by hand, one invocation in each state."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from perdure.engine.tx import CancelledCall, InboxItem, JournalEvent, Promise
from perdure.introspection.query import QueryEngine, Shape
from perdure.introspection.result import QueryLimits, QueryResult
from perdure.model.invocation import (
    AttemptFailure,
    CancelGraceOver,
    Failure,
    HandlerKind,
    Invocation,
    InvokedBy,
    JournalEntry,
    OperationEvent,
    ServiceKind,
    Status,
)
from perdure.model.registry import Defaults, Deployment, Registry
from perdure.protocol.futures import flat_tree
from perdure.protocol.messages import NAMES, MessageType
from perdure.protocol.messages_pb2 import NotificationMessage
from perdure.registration.services import build_registry
from perdure.storage.sqlite.store import SqliteStore

NOW = 1_795_173_000_000
DAY = 86_400_000
IDS = {
    "running": "inv_1iN9ydXW3zeB0zdyYQrG3CTAkGm3SV1qlC",
    "backing-off": "inv_1dDOYsiRiAr45eAoKB7iC8TfGwQCARm7Mk",
    "suspended": "inv_1g1KG8igX0QD2KcEv0Nf2ulzDJ01D32oAs",
    "pending": "inv_14NAYWOkWeyC4vHZikjeqctO73Mt9PNk9A",
    "scheduled": "inv_17cYN0LoqwqS0coTRO6kYuWmHMzvWhoHIL",
    "succeeded": "inv_15XrKI6E8WY60XZ8FZdg5UI7JdGb9QYV8b",
    "failed": "inv_1fAFmuDrxBps2OLrA7ton07nPCqiTMet1v",
    "ready": "inv_12CZvmauhPMH53SfR1aICu4zz5KTLegUAZ",
    "paused": "inv_103V0529jnq233wduQtgmqNEBmO6wChZ2W",
}
FAILURE = AttemptFailure(500, "RT0007", "ValueError('boom in run')", "Traceback", 1, "bad-run", "Run")


def invocations() -> list[Invocation]:
    def one(number: int, name: str, status: Status, **more: Any) -> Invocation:
        facts: dict[str, Any] = {
            "service": "Probe",
            "handler": "slow",
            "key": None,
            "service_kind": ServiceKind.SERVICE,
            "handler_kind": HandlerKind.SERVICE,
            "execution_time": None,
            "caller_id": None,
            "caller_target": None,
            "invoked_by": InvokedBy.INGRESS,
            "trace_parent": None,
            "created_at": NOW - number * 1000,
            "modified_at": NOW,
        }
        return Invocation(
            number=number,
            id=IDS[name],
            idempotency_key=f"key-{number}",
            root_id=None,
            restarted_from=None,
            completion_retention=DAY,
            journal_retention=DAY,
            status=status,
            **(facts | more),
        )

    counter = {"service": "Counter", "handler": "add", "key": "locked", "service_kind": ServiceKind.VIRTUAL_OBJECT}
    counter["handler_kind"] = HandlerKind.EXCLUSIVE
    started = {"running_at": NOW - 500, "last_start_at": NOW - 400, "journal_size": 2, "command_count": 2}
    pinned = {"deployment_id": "dp_1536mVBfRpdy4D3ecgA6fQt", "protocol_version": 6}
    failing = {"retry_count": 6, "next_retry_at": NOW + 1500, "last_failure": msgspec.json.encode(FAILURE)}
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    tree = msgspec.json.encode(flat_tree([1], [1], []))
    called = {"invoked_by": InvokedBy.SERVICE, "caller_id": IDS["running"], "caller_target": "Probe/caller"}
    failure = msgspec.json.encode(Failure(400, "terminal boom"))
    done = {"completed_at": NOW - 1, "running_at": NOW - 300}
    return [
        one(1, "running", Status.INVOKED, retry_count=1, trace_parent=trace, **counter, **started, **pinned),
        one(2, "backing-off", Status.INVOKED, **failing, **started, **pinned),
        one(3, "suspended", Status.SUSPENDED, awaiting=tree, **called, **started, **pinned),
        one(4, "pending", Status.INBOXED, inboxed_at=NOW - 100, **counter),
        one(5, "scheduled", Status.SCHEDULED, execution_time=NOW + DAY),
        one(6, "succeeded", Status.COMPLETED, **done),
        one(7, "failed", Status.COMPLETED, failure=failure, **done),
        one(8, "ready", Status.INVOKED),
        one(9, "paused", Status.PAUSED, last_failure=msgspec.json.encode(FAILURE), cancel_due=NOW + 9000, **started),
    ]


DEPLOYMENT = Deployment(
    id="dp_1536mVBfRpdy4D3ecgA6fQt",
    uri="http://localhost:9080/",
    bidirectional=True,
    http_version="HTTP/2.0",
    min_version=5,
    max_version=7,
    sdk_version="restate-sdk-python/1.2.0",
    created_at=NOW - DAY,
    manifest=b'{"protocolMode":"BIDI_STREAM","minProtocolVersion":5,"maxProtocolVersion":7,"services":['
    b'{"name":"Probe","ty":"SERVICE","handlers":[{"name":"slow"}]},'
    b'{"name":"Counter","ty":"VIRTUAL_OBJECT","handlers":[{"name":"add","ty":"EXCLUSIVE"}]}]}',
    revisions={"Probe": 2, "Counter": 1},
)


def registry() -> Registry:
    return build_registry([DEPLOYMENT], {}, Defaults())


def fill(folder: Path, entries: list[JournalEntry]) -> Path:
    """Makes a partition file in that folder; the entries are the journal of the running invocation."""
    store = SqliteStore(folder, lambda deployments, settings: build_registry(deployments, settings, Defaults()))
    store.begin()
    tx = store.tx
    for invocation in invocations():
        tx.insert_invocation(invocation)
    for entry in entries:
        tx.append_entry(1, entry)
    tx.append_event(2, JournalEvent(NOW, 1, "TransientError", msgspec.json.encode(FAILURE)), keep=9)
    tx.append_event(9, JournalEvent(NOW, 1, "Paused", b"null"), keep=9)
    tx.append_event(9, JournalEvent(NOW, 1, "Operation", msgspec.json.encode(OperationEvent("pause", "ada"))), keep=9)
    over = CancelGraceOver([IDS["running"]], 2)
    tx.append_event(9, JournalEvent(NOW, 1, "CancelGraceOver", msgspec.json.encode(over)), keep=9)
    for completion_id, callee in enumerate(("running", "ready", "ready", "backing-off")):
        tx.put_cancelled_call(9, CancelledCall(completion_id, IDS[callee]))
    tx.put_cancelled_call(3, CancelledCall(2, IDS["running"]))
    tx.set_lock("Counter", "locked", 1)
    tx.push_inbox("Counter", "locked", InboxItem(4, None))
    tx.set_state("Flow", "f1", b"stage", b'"start"')
    tx.set_state("Flow", "f1", b"raw", b"\xff\0")
    tx.set_promise("Flow", "f1", "approval", Promise(b'"y"', None))
    tx.set_promise("Flow", "f1", "denied", Promise(None, msgspec.json.encode(Failure(500, "no"))))
    tx.set_promise("Flow", "f2", "missing", Promise(None, msgspec.json.encode(Failure(404, "no"))))
    tx.set_promise("Flow", "f2", "odd", Promise(None, msgspec.json.encode(Failure(451, "no"))))
    tx.add_promise_awaiter("Flow", "f1", "other", 3, 1)
    tx.put_deployment(DEPLOYMENT)
    store.commit()
    store.close()
    return store.path


class FixedClock:
    def now(self) -> int:
        return NOW


class Sql:
    """Asks an engine over a file filled by hand."""

    deployment = DEPLOYMENT

    def __init__(self, path: Path, limits: QueryLimits | None = None) -> None:
        self._path = path
        self._limits = limits

    def result(self, text: str, shape: Shape = Shape.JSON) -> QueryResult:
        async def ask() -> QueryResult:
            engine = QueryEngine(
                self._path, registry, lambda: [1], FixedClock(), server_version="1.7.12", limits=self._limits
            )
            try:
                return await engine.query(text, shape)
            finally:
                await engine.close()

        return asyncio.run(ask())

    def rows(self, text: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self.result(text).body)["rows"]
        return rows

    def column(self, text: str) -> list[Any]:
        """The values of the only column."""
        return [next(iter(row.values()), None) for row in self.rows(text)]

    def limited(self, **limits: Any) -> "Sql":
        return Sql(self._path, QueryLimits(**limits))


@pytest.fixture(scope="session")
def ids() -> dict[str, str]:
    """Invocation ids by state."""
    return IDS


@pytest.fixture(scope="session")
def sql_fixtures() -> dict[str, Any]:
    """Recorded: table schemas, journal entries of each kind, and the queries of clients."""
    text = Path(__file__).parents[2].joinpath("data", "sql-fixtures.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="session")
def samples(sql_fixtures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A recorded journal entry of each kind, and how it was shown."""
    found: dict[str, dict[str, Any]] = sql_fixtures["journal_entry_samples"]
    return found


@pytest.fixture(scope="session")
def sql(tmp_path_factory: pytest.TempPathFactory, samples: dict[str, dict[str, Any]]) -> Sql:
    entries = [
        JournalEntry(index, _type_of(name), bytes.fromhex(sample["raw"]), NOW)
        for index, (name, sample) in enumerate(samples.items())
    ]
    callee = NotificationMessage(completion_id=1, invocation_id=IDS["suspended"]).SerializeToString()
    kind = MessageType.CALL_INVOCATION_ID_COMPLETION
    entries.append(JournalEntry(len(entries), kind, callee, NOW, completion_id=1))
    return Sql(fill(tmp_path_factory.mktemp("partition"), entries))


def _type_of(shown: str) -> MessageType:
    group, name = shown.split(": ")
    return next(
        type_id for type_id in MessageType if NAMES.get(type_id) == name and (type_id < 0x8000) == (group == "Command")
    )
