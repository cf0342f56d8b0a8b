-- The documented tables over the tables of a partition. They are made anew on every connection, so that the store's
-- schema knows nothing of them. Functions are in functions.py. Tables that are always empty are not here; see views.py.

-- Everything about an invocation. The documented tables choose from it; a column that nobody asks for costs nothing.
CREATE TEMP VIEW invocation_fact AS
SELECT
    partition_key_of(id) AS partition_key,
    id,
    NULL AS vqueue_id,
    iif(key IS NULL, service || '/' || handler, service || '/' || key || '/' || handler) AS target,
    service AS target_service_name,
    key AS target_service_key,
    handler AS target_handler_name,
    service_kind AS target_service_ty,
    NULL AS scope,
    NULL AS limit_key,
    idempotency_key,
    invoked_by,
    substr(caller_target, 1, instr(caller_target, '/') - 1) AS invoked_by_service_name,
    caller_id AS invoked_by_id,
    NULL AS invoked_by_subscription_id,
    caller_target AS invoked_by_target,
    restarted_from,
    deployment_id AS pinned_deployment_id,
    protocol_version AS pinned_service_protocol_version,
    substr(trace_parent, 4, 32) AS trace_id,
    iif(running_at IS NULL AND restarted_from IS NULL, NULL, journal_size) AS journal_size,
    iif(running_at IS NULL AND restarted_from IS NULL, NULL, command_count) AS journal_commands_size,
    created_at,
    server_version() AS created_using_restate_version,
    modified_at,
    inboxed_at,
    iif(execution_time IS NULL, NULL, created_at) AS scheduled_at,
    execution_time AS scheduled_start_at,
    running_at,
    completed_at,
    completion_retention,
    journal_retention,
    CASE WHEN status = 'suspended' THEN awaited_completions(awaiting) END AS suspended_waiting_for_completions,
    CASE WHEN status = 'suspended' THEN awaited_signals(awaiting) END AS suspended_waiting_for_signals,
    CASE WHEN status = 'suspended' THEN awaited_json(awaiting) END AS suspended_waiting_future_json,
    CASE WHEN status = 'invoked' AND last_start_at IS NOT NULL THEN retry_count END AS retry_count,
    CASE WHEN status = 'invoked' THEN last_start_at END AS last_start_at,
    CASE WHEN status = 'invoked' THEN next_retry_at END AS next_retry_at,
    CASE WHEN status = 'invoked' THEN coalesce(attempt_deployment(number), last_deployment_id) END
        AS last_attempt_deployment_id,
    CASE WHEN status = 'invoked' THEN coalesce(attempt_server(number), last_server) END
        AS last_attempt_server,
    CASE WHEN status IN ('invoked', 'paused') THEN failure_text(last_failure) END AS last_failure,
    CASE WHEN status IN ('invoked', 'paused') THEN CAST(last_failure AS TEXT) ->> '$.rt_code' END
        AS last_failure_error_code,
    NULL AS last_failure_related_entry_index,
    NULL AS last_failure_related_entry_name,
    NULL AS last_failure_related_entry_type,
    CASE WHEN status IN ('invoked', 'paused') THEN CAST(last_failure AS TEXT) ->> '$.command_index' END
        AS last_failure_related_command_index,
    CASE WHEN status IN ('invoked', 'paused') THEN CAST(last_failure AS TEXT) ->> '$.command_name' END
        AS last_failure_related_command_name,
    CASE WHEN status IN ('invoked', 'paused') THEN CAST(last_failure AS TEXT) ->> '$.command_type' END
        AS last_failure_related_command_type,
    CASE WHEN status = 'invoked' THEN awaiting_on(number) END AS last_awaiting_on_future_json,
    -- Ours alone: a pause that comes when the attempt, the time or the key lets it; else null.
    nullif(pause_requested, 0) AS pause_requested,
    CASE
        WHEN status = 'inboxed' THEN 'pending'
        WHEN status <> 'invoked' THEN status
        WHEN next_retry_at IS NOT NULL THEN 'backing-off'
        WHEN attempt_is_open(number) THEN 'running'
        -- Its back-off is over and the next attempt is about to open.
        WHEN retry_count > 1 THEN 'backing-off'
        ELSE 'ready'
    END AS status,
    CASE WHEN status = 'completed' THEN iif(failure IS NULL, 'success', 'failure') END AS completion_result,
    CASE WHEN status = 'completed' AND failure IS NOT NULL THEN outcome_text(failure) END AS completion_failure,
    CASE WHEN cancel_due IS NOT NULL THEN (
        SELECT
            'waiting for ' || min(callee_id)
            || iif(count(DISTINCT callee_id) > 1, ' (and ' || (count(DISTINCT callee_id) - 1) || ' more)', '')
        FROM main.cancelled_call WHERE invocation = number
    ) END AS cancelling,
    status AS stored_status,
    attempt_is_open(number) AS in_flight
FROM main.invocation;

-- The last column is not for users: see stored_status.py.
CREATE TEMP VIEW sys_invocation AS
SELECT
    id, vqueue_id, target, target_service_name, target_service_key, target_handler_name, target_service_ty,
    scope, limit_key, idempotency_key, invoked_by, invoked_by_service_name, invoked_by_id,
    invoked_by_subscription_id, invoked_by_target, restarted_from, pinned_deployment_id,
    pinned_service_protocol_version, trace_id, journal_size, journal_commands_size, created_at,
    created_using_restate_version, modified_at, inboxed_at, scheduled_at, scheduled_start_at, running_at,
    completed_at, completion_retention, journal_retention, suspended_waiting_for_completions,
    suspended_waiting_for_signals, suspended_waiting_future_json, retry_count, last_start_at, next_retry_at,
    last_attempt_deployment_id, last_attempt_server, last_failure, last_failure_error_code,
    last_failure_related_entry_index, last_failure_related_entry_name, last_failure_related_entry_type,
    last_failure_related_command_index, last_failure_related_command_name, last_failure_related_command_type,
    last_awaiting_on_future_json, status, completion_result, completion_failure, cancelling, pause_requested,
    stored_status
FROM invocation_fact;

CREATE TEMP VIEW sys_invocation_status AS
SELECT
    partition_key, id, vqueue_id, stored_status AS status, completion_result, completion_failure, target,
    target_service_name, target_service_key, target_handler_name, target_service_ty, scope, limit_key,
    idempotency_key, invoked_by, invoked_by_id, invoked_by_subscription_id, invoked_by_service_name,
    invoked_by_target, restarted_from, pinned_deployment_id, pinned_service_protocol_version, trace_id,
    journal_size, journal_commands_size, created_at, created_using_restate_version, modified_at, inboxed_at,
    scheduled_at, scheduled_start_at, running_at, completed_at, completion_retention, journal_retention,
    suspended_waiting_for_completions, suspended_waiting_for_signals, suspended_waiting_future_json
FROM invocation_fact;

CREATE TEMP VIEW sys_invocation_state AS
SELECT
    partition_key, id, in_flight, retry_count, last_start_at, last_attempt_deployment_id, last_attempt_server,
    next_retry_at, last_failure, last_failure_error_code, last_failure_related_command_index,
    last_failure_related_command_name, last_failure_related_command_type, last_failure_related_entry_index,
    last_failure_related_entry_name, last_failure_related_entry_type, last_awaiting_on_future_json
FROM invocation_fact
WHERE stored_status = 'invoked' AND last_start_at IS NOT NULL;

-- A purged journal keeps the entry with the result, which is then no journal any more. Only calls look for the id of
-- what they called: all the others would look through the rest of the journal for nothing.
CREATE TEMP VIEW sys_journal AS
SELECT
    partition_key_of(i.id) AS partition_key,
    i.id AS id,
    j.idx AS "index",
    entry_type(j.type) AS entry_type,
    entry_name(j.type, j.raw) AS name,
    NULL AS completed,
    NULL AS invoked_id,
    NULL AS invoked_target,
    NULL AS sleep_wakeup_at,
    NULL AS promise_name,
    j.raw AS raw,
    length(j.raw) AS raw_length,
    2 AS version,
    entry_json(j.type, j.raw, CASE WHEN call_id_completion(j.type, j.raw) IS NOT NULL THEN (
        SELECT n.raw FROM main.journal AS n
        WHERE n.invocation = j.invocation AND n.idx > j.idx AND n.completion_id = call_id_completion(j.type, j.raw)
    ) END) AS entry_json,
    entry_lite_json(j.type, j.raw, CASE WHEN call_id_completion(j.type, j.raw) IS NOT NULL THEN (
        SELECT n.raw FROM main.journal AS n
        WHERE n.invocation = j.invocation AND n.idx > j.idx AND n.completion_id = call_id_completion(j.type, j.raw)
    ) END) AS entry_lite_json,
    j.appended_at AS appended_at,
    entry_value(j.type, j.raw) AS value
FROM main.invocation AS i
JOIN main.journal AS j ON j.invocation = i.number
WHERE i.journal_size > 0;

CREATE TEMP VIEW sys_journal_events AS
SELECT
    partition_key_of(i.id) AS partition_key,
    i.id AS id,
    e.after_index AS after_journal_entry_index,
    e.appended_at AS appended_at,
    e.type AS event_type,
    event_json(e.type, e.body) AS event_json
FROM main.invocation AS i
JOIN main.journal_event AS e ON e.invocation = i.number;

CREATE TEMP VIEW sys_inbox AS
SELECT
    partition_key_of(i.id) AS partition_key,
    b.service AS service_name,
    b.key AS service_key,
    i.id AS id,
    b.sequence - 1 AS sequence_number,
    NULL AS created_at
FROM main.inbox AS b
JOIN main.invocation AS i ON i.number = b.invocation;

CREATE TEMP VIEW sys_keyed_service_status AS
SELECT
    partition_key_of(i.id) AS partition_key,
    l.service AS service_name,
    l.key AS service_key,
    i.id AS invocation_id
FROM main.lock AS l
JOIN main.invocation AS i ON i.number = l.holder;

CREATE TEMP VIEW sys_promise AS
SELECT
    partition_key_of_key(key) AS partition_key,
    NULL AS scope,
    service AS service_name,
    key AS service_key,
    name AS key,
    1 AS completed,
    value AS completion_success_value,
    utf8(value) AS completion_success_value_utf8,
    failure_text(failure) AS completion_failure
FROM main.promise
UNION ALL
SELECT DISTINCT partition_key_of_key(key), NULL, service, key, name, 0, NULL, NULL, NULL
FROM main.promise_awaiter AS a
WHERE NOT EXISTS (
    SELECT 1 FROM main.promise AS p WHERE p.service = a.service AND p.key = a.key AND p.name = a.name
);

CREATE TEMP VIEW state AS
SELECT
    partition_key_of_key(key) AS partition_key,
    NULL AS scope,
    service AS service_name,
    key AS service_key,
    text_of(name) AS key,
    length(name) AS key_length,
    utf8(value) AS value_utf8,
    value,
    length(value) AS value_length
FROM main.state;

CREATE TEMP VIEW sys_deployment AS
SELECT
    id,
    'http' AS ty,
    CAST(document AS TEXT) ->> '$.uri' AS endpoint,
    created_at,
    CAST(document AS TEXT) ->> '$.min_version' AS min_service_protocol_version,
    CAST(document AS TEXT) ->> '$.max_version' AS max_service_protocol_version,
    (SELECT json_group_array(r.key) FROM json_each(CAST(document AS TEXT), '$.revisions') AS r) AS services
FROM main.deployment;

CREATE TEMP VIEW sys_service AS
SELECT name, revision, public, ty, deployment_id FROM registered_service;

CREATE TEMP VIEW "information_schema.tables" AS
SELECT table_catalog, table_schema, table_name, table_type FROM catalog_table;

CREATE TEMP VIEW "information_schema.columns" AS
SELECT
    table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type
FROM catalog_column;
