"""Why an invocation is not moving: what it waits for, and what holds that up in turn."""

import json
from collections.abc import Iterable
from typing import Any

from perdure.cli import queries
from perdure.cli.admin_client import AdminClient
from perdure.cli.journal_view import CANCEL_SIGNAL, command_details, command_of
from perdure.cli.output import first_line, readable_time
from perdure.ids import awakeable_id, decode_invocation_id


def waiting_for(
    client: AdminClient, invocation: dict[str, Any], journal: list[dict[str, Any]], callees: dict[str, dict[str, Any]]
) -> list[str]:
    """Everything it waits for. callees: rows of the invocations it calls, by id."""
    match invocation["status"]:
        case "pending":
            return [_lock(client, invocation)]
        case "scheduled":
            return [f"its start at {readable_time(invocation.get('scheduled_start_at'))}"]
        case "backing-off":
            return [f"its next attempt at {readable_time(invocation.get('next_retry_at'))}"]
        case "ready":
            return ["an attempt to be started"]
        case "paused":
            return [f"somebody to resume it: perdure invocations resume {invocation['id']}"]
        case "suspended" | "running":
            return [_leaf(kind, value, invocation["id"], journal, callees) for kind, value in _leaves(invocation)]
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
    # Every invocation waits for its cancellation, so that is not worth telling.
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


def _leaf(
    kind: str, value: int | str, id: str, journal: list[dict[str, Any]], callees: dict[str, dict[str, Any]]
) -> str:
    """id: of the invocation."""
    if kind == "SignalName":
        return f"the signal `{value}`"
    if kind == "SignalIndex":
        awakeable = awakeable_id(decode_invocation_id(id), int(value))
        return f"somebody to answer: perdure awakeables resolve {awakeable}"
    for row in reversed(journal):
        command, fields = command_of(row)
        if command and value in (fields.get("completion_id"), fields.get("result_completion_id")):
            details = command_details(command, fields, row.get("name"))
            text = f"{command} (entry {row['index']}{': ' if details else ''}{details})"
            callee = callees.get(str(fields.get("invocation_id")))
            return f"{text}, which is {_state(callee)}" if callee else text
    return f"completion {value}"


def _state(callee: dict[str, Any]) -> str:
    failure = callee.get("last_failure")
    return f"{callee['status']}: {first_line(failure)}" if failure else str(callee["status"])
