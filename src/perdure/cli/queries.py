"""The SQL that the command line sends, and the conditions it is completed with.

The query route takes no parameters, so values become literals here and nowhere else.
"""

from typing import Final

from perdure import ids
from perdure.cli.failures import BadUsage

LIST: Final = (
    "SELECT id, target, status, created_at, modified_at, scheduled_start_at, invoked_by, invoked_by_target,"
    " pinned_deployment_id, retry_count, next_retry_at, last_failure, last_failure_error_code,"
    " completion_result, completion_failure, cancelling"
    " FROM sys_invocation{where} ORDER BY created_at {order}, id LIMIT {limit}"
)
PINNED_TO_NOTHING: Final = (
    "pinned_deployment_id IS NOT NULL AND pinned_deployment_id NOT IN (SELECT id FROM sys_deployment)"
)
RESOLVE: Final = (
    "SELECT id, target, status FROM sys_invocation WHERE {condition} AND {states} AND id > {after}"
    " ORDER BY id LIMIT {limit}"
)
STATUSES: Final = "SELECT id, status, last_failure FROM sys_invocation WHERE {ids}"
STEPS_NAMED: Final = (
    "SELECT index, entry_type FROM sys_journal WHERE id = {id} AND name = {name} AND entry_type LIKE 'Command: %'"
    " ORDER BY index"
)
INVOCATION: Final = "SELECT * FROM sys_invocation WHERE id = {id}"
JOURNAL: Final = (
    "SELECT index, entry_type, name, entry_lite_json, appended_at FROM sys_journal WHERE id = {id}"
    " ORDER BY index DESC LIMIT {limit}"
)
EVENTS: Final = (
    "SELECT after_journal_entry_index, appended_at, event_type, event_json FROM sys_journal_events WHERE id = {id}"
    " ORDER BY appended_at DESC LIMIT {limit}"
)
HANDLER_COUNTS: Final = (
    "SELECT target_service_name AS service, target_handler_name AS handler, status, COUNT(*) AS invocations,"
    " MIN(created_at) AS oldest FROM sys_invocation WHERE status != 'completed'{where}"
    " GROUP BY target_service_name, target_handler_name, status ORDER BY service, handler, status"
)
OLDEST: Final = (
    "SELECT id, target, status, created_at, retry_count, last_failure FROM sys_invocation"
    " WHERE status != 'completed'{where} ORDER BY created_at, id LIMIT {limit}"
)
LOCKED: Final = (
    "SELECT service_name, service_key, invocation_id FROM sys_keyed_service_status{where}"
    " ORDER BY service_name, service_key LIMIT {limit}"
)
STATUS_COUNTS: Final = (
    "SELECT status, COUNT(*) AS invocations FROM sys_invocation GROUP BY status ORDER BY invocations DESC, status"
)
PINNED_COUNTS: Final = (
    "SELECT status, COUNT(*) AS invocations FROM sys_invocation"
    " WHERE pinned_deployment_id = {deployment} AND status != 'completed' GROUP BY status ORDER BY status"
)
STATE: Final = (
    "SELECT key, value, value_utf8 FROM state WHERE service_name = {service} AND service_key = {key} ORDER BY key"
)
STATE_KEYS: Final = (
    "SELECT DISTINCT service_key FROM state WHERE service_name = {service} AND service_key > {after}"
    " ORDER BY service_key LIMIT {limit}"
)
LOCK_HOLDER: Final = (
    "SELECT invocation_id FROM sys_keyed_service_status WHERE service_name = {service} AND service_key = {key}"
)


def literal(text: str) -> str:
    """text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def one_of(column: str, values: list[str]) -> str:
    return f"{column} IN ({', '.join(map(literal, values))})"


def target_condition(query: str) -> str:
    """Which invocations a target query means.

    query: an invocation id, `Service`, `Service/handler`, `Object/key` or `Object/key/handler` (the key may contain
    slashes). Exact: there are no patterns, so nobody cancels more than they named. Raises: BadUsage.
    """
    if is_invocation_id(query):
        return f"id = {literal(query)}"
    service, *rest = query.split("/")
    if not service or (rest and not (rest[0] and rest[-1])):
        raise BadUsage(f"`{query}` names no invocation; give an id, Service, Service/handler or Object/key/handler")
    named = f"target_service_name = {literal(service)}"
    if not rest:
        return named
    if len(rest) == 1:
        second = literal(rest[0])
        return (
            f"{named} AND ((target_service_ty = 'service' AND target_handler_name = {second})"
            f" OR (target_service_ty != 'service' AND target_service_key = {second}))"
        )
    key, handler = "/".join(rest[:-1]), rest[-1]
    return f"{named} AND target_service_key = {literal(key)} AND target_handler_name = {literal(handler)}"


def is_invocation_id(text: str) -> bool:
    """Well-formed; what only looks like an id is taken as a target, as the official tool does."""
    try:
        ids.decode_invocation_id(text)
    except ids.BadId:
        return False
    return True
