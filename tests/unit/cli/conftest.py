"""A stand-in for the admin API, and the command line pointed at it."""

import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from perdure.cli.main import app

Run = Callable[..., Result]

COLUMNS = {
    "sys_invocation": """id target target_service_name target_service_key target_handler_name target_service_ty status
        created_at modified_at scheduled_start_at running_at last_start_at completed_at invoked_by invoked_by_target
        invoked_by_id pinned_deployment_id last_attempt_server retry_count next_retry_at last_failure
        last_failure_error_code last_failure_related_command_index last_failure_related_command_name
        last_failure_related_command_type completion_result completion_failure journal_size idempotency_key
        restarted_from trace_id suspended_waiting_future_json last_awaiting_on_future_json
        cancelling""",
    "sys_journal": "id index entry_type name entry_lite_json appended_at",
    "sys_journal_events": "id after_journal_entry_index appended_at event_type event_json",
    "sys_deployment": "id",
    "state": "service_name service_key key value value_utf8",
    "sys_keyed_service_status": "service_name service_key invocation_id",
}
CREATE = "create table {table} ({names})"
INSERT = "insert into {table} ({names}) values ({places})"
STORED = {"pending": "inboxed", "ready": "invoked", "running": "invoked", "backing-off": "invoked"}


@dataclass
class FakeAdmin:
    """Answers `/query` from tables, and other routes with what a test has put there.

    answers: (method, path) to status and body. received: method, path and JSON body of every request but queries.
    headers: of the same requests. streams: what `/events` says on one connection after the other; then it is gone.
    resumed: where clients of it wanted to go on.
    """

    url: str = ""
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    received: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    resumed: list[str | None] = field(default_factory=list)
    tables: sqlite3.Connection = field(default_factory=lambda: sqlite3.connect(":memory:", check_same_thread=False))

    def __post_init__(self) -> None:
        for table, columns in COLUMNS.items():
            names = ", ".join(f"[{name}]" for name in columns.split())
            self.tables.execute(CREATE.format(table=table, names=names))
        self.tables.execute("create table sys_invocation_status as select * from sys_invocation")
        self.tables.row_factory = sqlite3.Row

    def insert(self, table: str, **values: Any) -> None:
        names = ", ".join(f"[{name}]" for name in values)
        statement = INSERT.format(table=table, names=names, places=", ".join("?" * len(values)))
        self.tables.execute(statement, [*values.values()])

    def invocation(self, id: str, target: str, status: str, ty: str = "virtual_object", **values: Any) -> None:
        service, *key, handler = target.split("/")
        values = {
            "id": id,
            "target": target,
            "target_service_name": service,
            "target_service_key": "/".join(key) or None,
            "target_handler_name": handler,
            "target_service_ty": ty if key else "service",
            "created_at": "2026-11-20T10:19:47.590Z",
            **values,
        }
        self.insert("sys_invocation", status=status, **values)
        self.insert("sys_invocation_status", status=STORED.get(status, status), **values)
        over = (409, {"message": f"The invocation '{id}' was already completed."})
        for operation, done in (("cancel", 202), ("kill", 200), ("pause", 202), ("resume", 200)):
            self.answers["PATCH", f"/invocations/{id}/{operation}"] = over if status == "completed" else (done, None)
        early = (409, {"message": f"The invocation '{id}' is not yet completed."})
        for operation in ("purge", "purge-journal"):
            self.answers["PATCH", f"/invocations/{id}/{operation}"] = (200, None) if status == "completed" else early

    def patched(self) -> list[str]:
        return [path for method, path, _ in self.received if method == "PATCH"]

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/query" and (method, path) not in self.answers:
            # The servers take a bare `index` as a column; SQLite wants it quoted.
            rows = self.tables.execute(re.sub(r"\bindex\b", "[index]", body["query"])).fetchall()
            return 200, {
                "rows": [
                    {name: value for name, value in zip(row.keys(), row, strict=True) if value is not None}
                    for row in rows
                ]
            }
        self.received.append((method, path, body))
        status, document = self.answers.get((method, path), (404, {"message": f"no {method} {path}"}))
        return status, document(body) if callable(document) else document


@pytest.fixture
def admin() -> Iterator[FakeAdmin]:
    fake = FakeAdmin()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            if self.path.startswith("/events?"):
                self.stream()
                return
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            assert self.headers["accept"] == "application/json"
            assert body is None or self.headers["content-type"] == "application/json"
            if self.path != "/query":
                fake.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, document = fake.answer(self.command, self.path, body)
            if isinstance(document, bytes):
                raw = document
            else:
                raw = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def stream(self) -> None:
            fake.resumed.append(self.headers["last-event-id"])
            if fake.streams:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(fake.streams.pop(0).encode())

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield fake
    server.shutdown()
    server.server_close()
    thread.join()
    fake.tables.close()


@pytest.fixture
def run(admin: FakeAdmin, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line against the stand-in. input: what the user types."""
    monkeypatch.delenv("RESTATE_ADMIN_URL", raising=False)

    def command(*words: str, input: str = "") -> Result:
        return CliRunner().invoke(app, list(words), input=input, env={"PERDURE_ADMIN_URL": admin.url})

    return command
