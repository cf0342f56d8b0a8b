"""A partition file filled by hand, one invocation in each state."""

from importlib import resources
from pathlib import Path
from typing import Any

import apsw
import msgspec

from perdure.introspection.query import QueryEngine, QueryLimits
from perdure.model.invocation import (
    AttemptFailure,
    Failure,
    HandlerKind,
    Invocation,
    InvokedBy,
    ServiceKind,
    Status,
)
from perdure.model.registry import Defaults, Deployment, Registry
from perdure.protocol.futures import flat_tree
from perdure.registration.services import build_registry

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
        one(9, "paused", Status.PAUSED, last_failure=msgspec.json.encode(FAILURE), **started),
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


def fill(path: Path, journal: list[tuple[int, int, int, bytes, int | None]]) -> None:
    """journal: invocation number, index, type, raw, completion id."""
    connection = apsw.Connection(str(path))
    migrations = resources.files("perdure.storage.sqlite").joinpath("migrations")
    for migration in sorted(migrations.iterdir(), key=lambda file: file.name):
        connection.execute(migration.read_text())
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    with connection:
        for invocation in invocations():
            values = [_stored(value) for value in msgspec.structs.astuple(invocation)]
            connection.execute(f"INSERT INTO invocation VALUES ({','.join('?' * len(values))})", values)  # noqa: S608
        for number, index, type_id, raw, completion_id in journal:
            values = (number, index, type_id, raw, NOW, completion_id, None, None, 0)
            connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        event = (2, 1, NOW, 1, "TransientError", msgspec.json.encode(FAILURE))
        connection.execute("INSERT INTO journal_event VALUES (?, ?, ?, ?, ?, ?)", event)
        connection.execute("INSERT INTO journal_event VALUES (9, 1, ?, 1, 'Paused', CAST('null' AS BLOB))", (NOW,))
        connection.execute("INSERT INTO lock VALUES ('Counter', 'locked', 1)")
        connection.execute("INSERT INTO inbox VALUES ('Counter', 'locked', 7, 4, NULL)")
        connection.execute("INSERT INTO state VALUES ('Flow', 'f1', CAST('stage' AS BLOB), CAST('\"start\"' AS BLOB))")
        connection.execute("INSERT INTO state VALUES ('Flow', 'f1', CAST('raw' AS BLOB), x'ff00')")
        connection.execute("INSERT INTO promise VALUES ('Flow', 'f1', 'approval', CAST('\"y\"' AS BLOB), NULL)")
        connection.execute("INSERT INTO promise_awaiter VALUES ('Flow', 'f1', 'other', 3, 1)")
        document = (DEPLOYMENT.id, DEPLOYMENT.created_at, msgspec.json.encode(DEPLOYMENT))
        connection.execute("INSERT INTO deployment VALUES (?, ?, ?)", document)
    connection.close()


def _stored(value: Any) -> Any:
    return str(value) if isinstance(value, Status | ServiceKind | HandlerKind | InvokedBy) else value


class FixedClock:
    def now(self) -> int:
        return NOW


def engine(path: Path, limits: QueryLimits | None = None) -> QueryEngine:
    return QueryEngine(path, registry, lambda: [1], FixedClock(), server_version="1.7.12", limits=limits)
