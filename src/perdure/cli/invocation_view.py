"""One invocation with everything that explains its state, read over SQL and shown to people."""

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from perdure.cli import queries
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import NothingFound
from perdure.cli.output import first_line, readable_time, write_facts, write_line, write_table
from perdure.errors import SERVER_CODES

LOOKBACK: Final = 500
"""Journal entries searched for the commands that an invocation waits for."""

STACK_LINES: Final = 10
"""Lines of a failure's stack trace to show: the innermost ones."""

CANCEL_SIGNAL: Final = 1
"""Every invocation waits for its cancellation, so that is not worth telling."""


class Description(NamedTuple):
    """Rows as the server gave them, entries and events in order, with their JSON texts parsed into `entry`, `event`."""

    invocation: dict[str, Any]
    waiting_for: list[str]
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
    journal = [_parsed(entry, "entry_lite_json", "entry") for entry in entries]
    events = client.query(queries.EVENTS.format(id=literal, limit=limit))[::-1]
    return Description(
        invocation=invocation,
        waiting_for=_waiting_for(client, invocation, journal),
        journal=journal[-limit:],
        events=[_parsed(event, "event_json", "event") for event in events],
    )


def _parsed(row: dict[str, Any], source: str, name: str) -> dict[str, Any]:
    document = {key: value for key, value in row.items() if key != source}
    document[name] = json.loads(row[source]) if row.get(source) else None
    return document


def show(description: Description) -> None:
    invocation = description.invocation
    write_facts(_facts(invocation))
    if description.waiting_for:
        write_line(f"\nWaits for {'; '.join(description.waiting_for)}")
    if invocation.get("last_failure"):
        write_line("\nLast failure")
        write_facts(_failure_facts(invocation))
    if description.journal:
        total = invocation.get("journal_size") or len(description.journal)
        shown = len(description.journal)
        write_line("\nJournal" + (f", the last {shown} of {total} entries" if total > shown else ""))
        write_table(("entry", "kind", "name", "details", "written"), map(_entry_row, description.journal))
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


def _waiting_for(client: AdminClient, invocation: dict[str, Any], journal: list[dict[str, Any]]) -> list[str]:
    match invocation["status"]:
        case "pending":
            return [_lock(client, invocation)]
        case "scheduled":
            return [f"its start at {readable_time(invocation.get('scheduled_start_at'))}"]
        case "backing-off":
            return [f"its next attempt at {readable_time(invocation.get('next_retry_at'))}"]
        case "paused":
            return [f"somebody to resume it: PATCH {client.url}/invocations/{invocation['id']}/resume"]
        case "suspended" | "running":
            return [_leaf(kind, value, journal) for kind, value in _leaves(invocation)]
        case _:
            return []


def _lock(client: AdminClient, invocation: dict[str, Any]) -> str:
    service, key = invocation.get("target_service_name", ""), invocation.get("target_service_key", "")
    sql = queries.LOCK_HOLDER.format(service=queries.literal(service), key=queries.literal(key))
    holders = client.query(sql)
    if not holders or not holders[0].get("invocation_id"):
        return f"its turn on {service}/{key}"
    return f"its turn on {service}/{key}, which {holders[0]['invocation_id']} holds"


def _leaves(invocation: dict[str, Any]) -> list[tuple[str, int | str]]:
    """What the await tree asks for, each thing once, in order."""
    text = invocation.get("suspended_waiting_future_json") or invocation.get("last_awaiting_on_future_json")
    if text:
        found = list(_tree_leaves(json.loads(text)))
    else:
        found = [("CompletionId", number) for number in invocation.get("suspended_waiting_for_completions") or ()]
        found += [("SignalIndex", number) for number in invocation.get("suspended_waiting_for_signals") or ()]
    return [leaf for leaf in dict.fromkeys(found) if leaf != ("SignalIndex", CANCEL_SIGNAL)]


def _tree_leaves(tree: Any) -> Iterable[tuple[str, int | str]]:
    open_nodes = [tree]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, list):
            open_nodes += reversed(node)
        elif isinstance(node, dict):
            for name, value in node.items():
                if isinstance(value, int | str):
                    yield name, value
                else:
                    open_nodes.append(value)


def _leaf(kind: str, value: int | str, journal: list[dict[str, Any]]) -> str:
    if kind == "SignalName":
        return f"the signal `{value}`"
    if kind == "SignalIndex":
        return f"the awakeable with signal number {value}"
    for row in reversed(journal):
        command, fields = _command(row)
        if command and value in (fields.get("completion_id"), fields.get("result_completion_id")):
            details = _command_details(command, fields, row.get("name"))
            return f"{command} (entry {row['index']}{': ' if details else ''}{details})"
    return f"completion {value}"


def _command(row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Kind and fields of a command; ("", {}) for notifications."""
    entry = row["entry"]
    if not isinstance(entry, dict) or not isinstance(entry.get("Command"), dict) or not entry["Command"]:
        return "", {}
    kind, fields = next(iter(entry["Command"].items()))
    return kind, fields if isinstance(fields, dict) else {}


def _command_details(kind: str, fields: dict[str, Any], name: str | None) -> str:
    match kind:
        case "Call" | "OneWayCall":
            return " ".join(
                text for text in (_target(fields.get("invocation_target")), fields.get("invocation_id")) if text
            )
        case "Sleep" if isinstance(fields.get("wake_up_time"), int):
            return f"until {_utc(fields['wake_up_time'])}"
        case "CompleteAwakeable":
            return str(fields.get("id", ""))
        case "AttachInvocation" | "GetInvocationOutput" if isinstance(fields.get("target"), dict):
            return str(fields["target"].get("InvocationId", ""))
        case _:
            return str(fields.get("key") or name or "")


def _target(target: Any) -> str:
    """`{"VirtualObject":{"name":"A","key":"k","handler":"h",…}}` as `A/k/h`."""
    if not isinstance(target, dict) or not target:
        return ""
    fields = next(iter(target.values()))
    return "/".join(str(fields[part]) for part in ("name", "key", "handler") if fields.get(part) is not None)


def _utc(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _entry_row(row: dict[str, Any]) -> tuple[object, ...]:
    kind, fields = _command(row)
    details = _command_details(kind, fields, None) if kind else _notification_details(row["entry"])
    return row["index"], row["entry_type"], row.get("name"), details, readable_time(row.get("appended_at"))


def _notification_details(entry: Any) -> str:
    """What it completes, and how."""
    notification = entry.get("Notification") if isinstance(entry, dict) else None
    if not isinstance(notification, dict):
        return ""
    name, value = next(iter((notification.get("id") or {}).items()), ("", ""))
    words = {"CompletionId": "completion", "SignalIndex": "signal", "SignalName": "signal"}
    parts = (f"{words.get(name, name)} {value}".strip(), notification.get("result"))
    return ": ".join(str(part) for part in parts if part)


def _event_row(row: dict[str, Any]) -> tuple[object, ...]:
    return (
        row.get("after_journal_entry_index"),
        row["event_type"],
        _event_details(row["event"] or {}),
        readable_time(row.get("appended_at")),
    )


def _event_details(event: dict[str, Any]) -> str:
    if event.get("operation"):
        by = f" by {event['actor']}" if event.get("actor") else ""
        why = f": {first_line(event['reason'])}" if event.get("reason") else ""
        return f"{event['operation']}{by}{why}"
    failure = event.get("last_failure") or event
    if not isinstance(failure, dict) or "error_message" not in failure:
        return ""
    code = failure.get("restate_doc_error_code")
    message = first_line(failure["error_message"])
    return f"{code}: {message}" if code else message
