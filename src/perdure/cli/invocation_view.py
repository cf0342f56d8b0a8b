"""One invocation with everything that explains its state, read over SQL and shown to people."""

import json
from typing import Any, Final, NamedTuple

from perdure.cli import journal_view, queries, waits
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import NothingFound
from perdure.cli.output import first_line, readable_time, write_facts, write_line, write_table
from perdure.errors import SERVER_CODES

LOOKBACK: Final = 500
"""Journal entries searched for the commands that an invocation waits for."""

STACK_LINES: Final = 10
"""Lines of a failure's stack trace to show: the innermost ones."""


class Description(NamedTuple):
    """Rows as the server gave them, entries and events in order, with their JSON texts parsed into `entry`, `event`."""

    invocation: dict[str, Any]
    waiting_for: list[str]
    callees: list[dict[str, Any]]
    journal: list[dict[str, Any]]
    events: list[dict[str, Any]]

    def document(self) -> dict[str, Any]:
        return self._asdict()


def read(client: AdminClient, invocation_id: str, limit: int) -> Description:
    """limit: entries and events. Raises: NothingFound."""
    literal = queries.literal(invocation_id)
    rows = client.query(queries.INVOCATION.format(id=literal))
    if not rows:
        raise NothingFound(f"there is no invocation `{invocation_id}`; it may have been purged or never existed")
    invocation = rows[0]
    entries = client.query(queries.JOURNAL.format(id=literal, limit=max(limit, LOOKBACK)))[::-1]
    journal = [parsed(entry, "entry_lite_json", "entry") for entry in entries]
    events = client.query(queries.EVENTS.format(id=literal, limit=limit))[::-1]
    callees = _callees(client, journal)
    return Description(
        invocation=invocation,
        waiting_for=waits.waiting_for(client, invocation, journal, {row["id"]: row for row in callees}),
        callees=callees,
        journal=journal[-limit:],
        events=[parsed(event, "event_json", "event") for event in events],
    )


def _callees(client: AdminClient, journal: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = journal_view.called(journal)
    return client.query(queries.STATUSES.format(ids=queries.one_of("id", ids))) if ids else []


def parsed(row: dict[str, Any], source: str, name: str) -> dict[str, Any]:
    """The row with the JSON text in column `source` as a document under `name`."""
    document = {key: value for key, value in row.items() if key != source}
    document[name] = json.loads(row[source]) if row.get(source) else None
    return document


def show(description: Description) -> None:
    invocation = description.invocation
    write_facts(_facts(invocation))
    if invocation.get("cancelling"):
        write_line(f"\nCancelling, {invocation['cancelling']}")
    if description.waiting_for:
        # A running attempt waits as well as it runs; all others stand still.
        lead = "Waits" if invocation["status"] == "running" else "Not moving: waits"
        write_line(f"\n{lead} for {'; '.join(description.waiting_for)}")
    if invocation.get("last_failure"):
        write_line("\nLast failure")
        write_facts(_failure_facts(invocation))
    if description.journal:
        total = invocation.get("journal_size") or len(description.journal)
        shown = len(description.journal)
        write_line("\nJournal" + (f", the last {shown} of {total} entries" if total > shown else ""))
        for line in journal_view.tree_lines(description.journal, {row["id"]: row for row in description.callees}):
            write_line(line)
    if description.events:
        write_line("\nEvents")
        write_table(("after entry", "event", "details", "at"), map(_event_row, description.events))


def _facts(invocation: dict[str, Any]) -> list[tuple[str, object]]:
    times = ("created_at", "scheduled_start_at", "running_at", "last_start_at", "modified_at", "completed_at")
    caller = invocation.get("invoked_by_target")
    caller_id = invocation.get("invoked_by_id")
    retries = invocation.get("retry_count")
    next_retry = readable_time(invocation.get("next_retry_at"))
    return [
        ("invocation", invocation["id"]),
        ("target", invocation["target"]),
        ("status", invocation["status"]),
        ("result", invocation.get("completion_failure") or invocation.get("completion_result")),
        ("attempts", f"{retries}, the next one at {next_retry}" if next_retry else retries),
        ("deployment", invocation.get("pinned_deployment_id")),
        ("endpoint", invocation.get("last_attempt_server")),
        ("invoked by", f"{caller} ({caller_id})" if caller else invocation.get("invoked_by")),
        ("idempotency key", invocation.get("idempotency_key")),
        ("restarted from", invocation.get("restarted_from")),
        ("trace", invocation.get("trace_id")),
        *((name.removesuffix("_at").replace("_", " "), readable_time(invocation.get(name))) for name in times),
    ]


def _failure_facts(invocation: dict[str, Any]) -> list[tuple[str, object]]:
    code = invocation.get("last_failure_error_code")
    meaning = SERVER_CODES.get(code or "")
    kind = invocation.get("last_failure_related_command_type")
    name = invocation.get("last_failure_related_command_name")
    index = invocation.get("last_failure_related_command_index")
    command = None
    if kind is not None or index is not None:
        parts = (kind, f"`{name}`" if name else None, f"(command {index})" if index is not None else None)
        command = " ".join(part for part in parts if part)
    return [
        ("command", command),
        ("code", f"{code}: {meaning}" if meaning else code),
        *_message_facts(invocation["last_failure"]),
    ]


def _message_facts(failure: str) -> list[tuple[str, object]]:
    """The message, and the end of the stack trace that follows it."""
    message, *stack = failure.rstrip().split("\n")
    shown = stack[-STACK_LINES:]
    if len(shown) < len(stack):
        shown.insert(0, f"… {len(stack) - len(shown)} lines more, which --json shows")
    return [("message", message), ("stack", "\n".join(shown) if shown else None)]


def _event_row(row: dict[str, Any]) -> tuple[object, ...]:
    return (
        row.get("after_journal_entry_index"),
        row["event_type"],
        event_details(row["event"] or {}),
        readable_time(row.get("appended_at")),
    )


def event_details(event: dict[str, Any]) -> str:
    """Who did what and why; whom a cancel did not wait for; or code and first line of the failure that came with it."""
    if event.get("operation"):
        by = f" by {event['actor']}" if event.get("actor") else ""
        why = f": {first_line(event['reason'])}" if event.get("reason") else ""
        return f"{event['operation']}{by}{why}"
    if event.get("callees"):
        more = f" and {event['more']} more" if event.get("more") else ""
        return f"still running: {', '.join(event['callees'])}{more}"
    failure = event.get("last_failure") or event
    if not isinstance(failure, dict) or "error_message" not in failure:
        return ""
    code = failure.get("restate_doc_error_code")
    message = first_line(failure["error_message"])
    return f"{code}: {message}" if code else message
