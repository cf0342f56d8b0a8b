"""The tables that queries may use, and the types of their columns. The views themselves are in `views.sql`."""

from enum import Enum
from typing import Final

import msgspec


class ColumnType(Enum):
    """A type, and how it is kept in SQLite. The value is its name in Arrow."""

    TEXT = "LargeUtf8"
    U32 = "UInt32"
    U64 = "UInt64"
    """A signed integer with the same 64 bits."""
    I64 = "Int64"
    FLOAT = "Float64"
    BOOL = "Boolean"
    """0 or 1."""
    TIME = 'Timestamp(ms, "+00:00")'
    """Milliseconds since the epoch."""
    LOCAL_TIME = "Timestamp(ns)"
    """The same; what `now()` gives."""
    DATE = "Date32"
    """ISO text."""
    DURATION = "Duration(ms)"
    """Milliseconds."""
    BYTES = "LargeBinary"
    LIST_U32 = "List(UInt32)"
    """A JSON array."""
    LIST_TEXT = "List(LargeUtf8)"
    """A JSON array."""
    UNKNOWN = "Unknown"
    """As the value itself tells."""


class Column(msgspec.Struct, frozen=True):
    name: str
    type: ColumnType


_VIEWS: Final = frozenset({"sys_invocation"})

_COLUMNS: Final = {
    "state": """
        partition_key u64, scope text, service_name text, service_key text, key text, key_length u64, value_utf8
        text, value bytes, value_length u64
    """,
    "sys_deployment": """
        id text, ty text, endpoint text, created_at time, min_service_protocol_version u32,
        max_service_protocol_version u32, services list_text
    """,
    "sys_inbox": """
        partition_key u64, service_name text, service_key text, id text, sequence_number u64, created_at time
    """,
    "sys_invocation": """
        id text, vqueue_id text, target text, target_service_name text, target_service_key text, target_handler_name
        text, target_service_ty text, scope text, limit_key text, idempotency_key text, invoked_by text,
        invoked_by_service_name text, invoked_by_id text, invoked_by_subscription_id text, invoked_by_target text,
        restarted_from text, pinned_deployment_id text, pinned_service_protocol_version u32, trace_id text,
        journal_size u32, journal_commands_size u32, created_at time, created_using_restate_version text,
        modified_at time, inboxed_at time, scheduled_at time, scheduled_start_at time, running_at time, completed_at
        time, completion_retention duration, journal_retention duration, suspended_waiting_for_completions list_u32,
        suspended_waiting_for_signals list_u32, suspended_waiting_future_json text, retry_count u64, last_start_at
        time, next_retry_at time, last_attempt_deployment_id text, last_attempt_server text, last_failure text,
        last_failure_error_code text, last_failure_related_entry_index u64, last_failure_related_entry_name text,
        last_failure_related_entry_type text, last_failure_related_command_index u64,
        last_failure_related_command_name text, last_failure_related_command_type text, last_awaiting_on_future_json
        text, status text, completion_result text, completion_failure text, cancelling text
    """,
    "sys_invocation_state": """
        partition_key u64, id text, in_flight bool, retry_count u64, last_start_at time, last_attempt_deployment_id
        text, last_attempt_server text, next_retry_at time, last_failure text, last_failure_error_code text,
        last_failure_related_command_index u64, last_failure_related_command_name text,
        last_failure_related_command_type text, last_failure_related_entry_index u64,
        last_failure_related_entry_name text, last_failure_related_entry_type text, last_awaiting_on_future_json
        text
    """,
    "sys_invocation_status": """
        partition_key u64, id text, vqueue_id text, status text, completion_result text, completion_failure text,
        target text, target_service_name text, target_service_key text, target_handler_name text, target_service_ty
        text, scope text, limit_key text, idempotency_key text, invoked_by text, invoked_by_id text,
        invoked_by_subscription_id text, invoked_by_service_name text, invoked_by_target text, restarted_from text,
        pinned_deployment_id text, pinned_service_protocol_version u32, trace_id text, journal_size u32,
        journal_commands_size u32, created_at time, created_using_restate_version text, modified_at time, inboxed_at
        time, scheduled_at time, scheduled_start_at time, running_at time, completed_at time, completion_retention
        duration, journal_retention duration, suspended_waiting_for_completions list_u32,
        suspended_waiting_for_signals list_u32, suspended_waiting_future_json text
    """,
    "sys_journal": """
        partition_key u64, id text, index u32, entry_type text, name text, completed bool, invoked_id text,
        invoked_target text, sleep_wakeup_at time, promise_name text, raw bytes, raw_length u64, version u32,
        entry_json text, entry_lite_json text, appended_at time
    """,
    "sys_journal_events": """
        partition_key u64, id text, after_journal_entry_index u32, appended_at time, event_type text, event_json
        text
    """,
    "sys_keyed_service_status": """
        partition_key u64, service_name text, service_key text, invocation_id text
    """,
    "sys_locks": """
        partition_key u64, scope text, lock_name text, acquired_at time, acquired_by text
    """,
    "sys_promise": """
        partition_key u64, scope text, service_name text, service_key text, key text, completed bool,
        completion_success_value bytes, completion_success_value_utf8 text, completion_failure text
    """,
    "sys_rules": """
        pattern text, concurrency u32, description text, disabled bool, version u32, last_modified time
    """,
    "sys_scheduler": """
        partition_key u64, id text, num_inbox u64, status text, head_entry_id text, scheduled_at time, blocked_on
        text, blocked_on_json text, invoker_concurrency_block_duration duration, throttling_rules_block_duration
        duration, invoker_throttling_block_duration duration, invoker_memory_block_duration duration,
        concurrency_rules_block_duration duration, lock_block_duration duration,
        deployment_concurrency_block_duration duration
    """,
    "sys_service": """
        name text, revision u64, public bool, ty text, deployment_id text
    """,
    "sys_user_limits": """
        partition_key u64, scope text, l1 text, l2 text, level text, usage u32, concurrency_limit u32, rule_pattern
        text, available u32, num_waiters u64
    """,
    "sys_vqueue_entry_status": """
        partition_key u64, entry_id text, vqueue_id text, stage text, status text, has_lock bool, next_at time,
        sequence_number u64, entry_kind text, created_at time, transitioned_at time, num_attempts u32, num_errors
        u32, num_pauses u32, num_suspensions u32, num_yields u32, first_attempt_at time, latest_attempt_at time,
        first_runnable_at time, deployment text, needed_memory u64, retry_attempts u32,
        retry_count_since_last_stored_command u32, latest_attempt_blocked_on_invoker_concurrency duration,
        latest_attempt_blocked_on_throttling_rules duration, latest_attempt_blocked_on_invoker_throttling duration,
        latest_attempt_blocked_on_invoker_memory duration, latest_attempt_blocked_on_concurrency_rules duration,
        latest_attempt_blocked_on_lock duration, latest_attempt_blocked_on_deployment_concurrency duration,
        total_blocked_on_invoker_concurrency duration, total_blocked_on_throttling_rules duration,
        total_blocked_on_invoker_throttling duration, total_blocked_on_invoker_memory duration,
        total_blocked_on_concurrency_rules duration, total_blocked_on_lock duration,
        total_blocked_on_deployment_concurrency duration
    """,
    "sys_vqueue_meta": """
        partition_key u64, id text, is_active bool, queue_is_paused bool, service_name text, scope text, limit_key
        text, lock_name text, created_at time, last_enqueued_at time, last_start_at time, last_attempt_at time,
        last_finish_at time, avg_queue_duration duration, avg_inbox_duration duration, avg_run_duration duration,
        avg_suspension_duration duration, avg_end_to_end_duration duration, avg_blocked_on_concurrency_rules
        duration, avg_blocked_on_invoker_concurrency duration, avg_blocked_on_invoker_throttling duration,
        avg_blocked_on_lock duration, num_inbox u64, num_running u64, num_suspended u64, num_paused u64,
        num_finished u64
    """,
    "sys_vqueues": """
        partition_key u64, id text, stage text, status text, has_lock bool, run_at time, sequence_number u64,
        entry_id text, entry_kind text, created_at time, transitioned_at time, num_attempts u32, num_errors u32,
        num_pauses u32, num_suspensions u32, num_yields u32, first_attempt_at time, latest_attempt_at time,
        first_runnable_at time, deployment text
    """,
    "information_schema.tables": """
        table_catalog text, table_schema text, table_name text, table_type text
    """,
    "information_schema.columns": """
        table_catalog text, table_schema text, table_name text, column_name text, ordinal_position u64,
        column_default text, is_nullable text, data_type text
    """,
}


def _parse(text: str) -> tuple[Column, ...]:
    pairs = (part.split() for part in text.split(","))
    return tuple(Column(name, ColumnType[type_name.upper()]) for name, type_name in pairs)


TABLES: Final[dict[str, tuple[Column, ...]]] = {name: _parse(text) for name, text in _COLUMNS.items()}
"""Columns in order, by table; tables of `information_schema` with that name before them."""


def list_tables() -> list[tuple[str, str, str, str]]:
    """The rows of `information_schema.tables`."""
    return [("restate", *_split(name), "VIEW" if name in _VIEWS else "BASE TABLE") for name in TABLES]


def list_columns() -> list[tuple[str, str, str, str, int, None, str, str]]:
    """The rows of `information_schema.columns`."""
    return [
        ("restate", *_split(name), column.name, position, None, "YES", column.type.value)
        for name, columns in TABLES.items()
        for position, column in enumerate(columns)
    ]


def _split(name: str) -> tuple[str, str]:
    schema, _, table = name.rpartition(".")
    return schema or "public", table
