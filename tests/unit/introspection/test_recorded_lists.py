"""The rows of the official command line's lists, as the official server gave them for invocations in the same state."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from perdure.model.invocation import AttemptFailure, Failure, HandlerKind, Invocation, InvokedBy, ServiceKind, Status
from perdure.model.registry import Defaults
from perdure.model.timestamps import parse_time
from perdure.registration.services import build_registry
from perdure.storage.sqlite.store import SqliteStore

RECORDED = json.loads(Path(__file__).parents[2].joinpath("data", "recorded-lists.json").read_text(encoding="utf-8"))
STORED = {"pending": "inboxed", "running": "invoked", "backing-off": "invoked"}
FAILURE = re.compile(r"\[(\d+) \w+\] ([^\n]*)(?:\n(.*))?", re.DOTALL)


def invocation(number: int, row: dict[str, Any]) -> Invocation:
    """What is stored of an invocation that was shown so."""
    service, *key, handler = row["target"].split("/")
    failure = FAILURE.fullmatch(row.get("last_failure_message", ""))
    attempt = AttemptFailure(int(failure[1]), None, failure[2], failure[3]) if failure else None

    def time(name: str) -> int | None:
        return parse_time(row[name]) if name in row else None

    return Invocation(
        number=number,
        id=row["id"],
        service=service,
        handler=handler,
        key=key[0] if key else None,
        service_kind=ServiceKind(row["target_service_ty"]),
        handler_kind=HandlerKind.EXCLUSIVE if key else HandlerKind.SERVICE,
        idempotency_key=row.get("idempotency_key"),
        invoked_by=InvokedBy.SERVICE if "invoked_by_id" in row else InvokedBy.INGRESS,
        caller_id=row.get("invoked_by_id"),
        caller_target=row.get("invoked_by_target"),
        root_id=None,
        restarted_from=None,
        created_at=parse_time(row["created_at"]),
        execution_time=None,
        completion_retention=0,
        journal_retention=0,
        trace_parent=f"00-{row['trace_id']}-00f067aa0ba902b7-01" if "trace_id" in row else None,
        status=Status(STORED.get(row["status"], row["status"])),
        deployment_id=row.get("pinned_deployment_id"),
        modified_at=parse_time(row["state_modified_at"]),
        last_start_at=time("last_start_at"),
        retry_count=row.get("num_retries", 0),
        next_retry_at=time("next_retry_at"),
        last_deployment_id=row.get("last_attempt_deployment_id"),
        last_server=row.get("last_attempt_server"),
        last_failure=msgspec.json.encode(attempt) if attempt else None,
        failure=msgspec.json.encode(Failure(500, "x")) if row.get("completion_result") == "failure" else None,
    )


@pytest.fixture(scope="module")
def recorded_sql(sql: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The invocation that runs has number 1, as the engine of `sql` is told."""
    rows = {row["id"]: row for case in RECORDED for row in case["rows"]}
    ordered = sorted(rows.values(), key=lambda row: row["status"] != "running")
    folder = tmp_path_factory.mktemp("recorded")
    store = SqliteStore(folder, lambda deployments, settings: build_registry(deployments, settings, Defaults()))
    store.begin()
    for number, row in enumerate(ordered, 1):
        store.tx.insert_invocation(invocation(number, row))
    known = {row["pinned_deployment_id"] for row in ordered if row["pinned_deployment_exists"]}
    for deployment in sorted(known):
        store.tx.put_deployment(msgspec.structs.replace(sql.deployment, id=deployment))
    store.commit()
    store.close()
    return type(sql)(store.path)


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["rows"][0]["status"] + " " + case["rows"][0]["target"])
def test_the_rows_are_the_recorded_ones(recorded_sql: Any, case: dict[str, Any]) -> None:
    assert recorded_sql.rows(case["query"]) == case["rows"]
