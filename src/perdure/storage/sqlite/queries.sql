-- Every statement of the store, by name. Parameters are positional, in the order of the calling method's arguments.

-- name: insert_invocation
INSERT INTO invocation VALUES (
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?
);

-- name: save_invocation
-- The fields that change, as a whole: one statement to prepare, and a row is never half new.
UPDATE invocation SET
    status = ?, attempt = ?, deployment_id = ?, protocol_version = ?, journal_size = ?, command_count = ?,
    modified_at = ?, entry_stored_at = ?, inboxed_at = ?, running_at = ?, last_start_at = ?, completed_at = ?,
    retry_count = ?, policy_retries = ?, retry_count_since_entry = ?, next_retry_at = ?, last_deployment_id = ?,
    last_server = ?, last_failure = ?, awaiting = ?, pause_requested = ?, output_index = ?, failure = ?,
    completion_expires_at = ?, journal_expires_at = ?, seed_id = ?, cancel_due = ?, callees_cancelled = ?
WHERE number = ?;

-- name: save_progress
-- The same for a row that runs before and after, without the columns that have an index and do not change then.
UPDATE invocation SET
    attempt = ?, deployment_id = ?, protocol_version = ?, journal_size = ?, command_count = ?,
    modified_at = ?, entry_stored_at = ?, inboxed_at = ?, running_at = ?, last_start_at = ?, completed_at = ?,
    retry_count = ?, policy_retries = ?, retry_count_since_entry = ?, next_retry_at = ?, last_deployment_id = ?,
    last_server = ?, last_failure = ?, awaiting = ?, pause_requested = ?, output_index = ?, failure = ?, seed_id = ?,
    cancel_due = ?, callees_cancelled = ?
WHERE number = ?;

-- name: save_appended
-- The same when nothing changed but what entries that were appended change: half the time.
UPDATE invocation SET journal_size = ?, command_count = ?, modified_at = ?, entry_stored_at = ? WHERE number = ?;

-- name: invocation
SELECT * FROM invocation WHERE number = ?;

-- name: invocation_by_id
SELECT * FROM invocation WHERE id = ?;

-- name: delete_invocation
DELETE FROM invocation WHERE number = ?;

-- name: invoked_after
-- The second condition says in the words of `invocation_open` what is in it.
SELECT created_at, number FROM invocation
WHERE status = 'invoked' AND status <> 'completed' AND (created_at, number) > (?, ?)
ORDER BY created_at, number LIMIT ?;

-- name: expired_completions
SELECT number FROM invocation
WHERE completion_expires_at IS NOT NULL AND completion_expires_at <= ? ORDER BY completion_expires_at, number LIMIT ?;

-- name: expired_journals
SELECT number FROM invocation
WHERE journal_expires_at IS NOT NULL AND journal_expires_at <= ? ORDER BY journal_expires_at, number LIMIT ?;

-- name: count_unfinished
-- Reads open invocations alone, and stops as soon as it has found enough.
SELECT COUNT(*) FROM (
    SELECT 1 FROM invocation
    WHERE status <> 'completed' AND (
        deployment_id = ? OR (deployment_id IS NULL AND service IN (SELECT value FROM json_each(?)))
    )
    LIMIT ?
);

-- name: append_entry
INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: append_entries
INSERT INTO journal VALUES
    (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?),
    (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?),
    (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?),
    (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: entry
SELECT idx, type, raw, appended_at, completion_id, signal_id, signal_name, failed
FROM journal WHERE invocation = ? AND idx = ?;

-- name: entries
SELECT idx, type, raw, appended_at, completion_id, signal_id, signal_name, failed
FROM journal WHERE invocation = ? ORDER BY idx;

-- name: entries_of
SELECT idx, type, raw, appended_at, completion_id, signal_id, signal_name, failed
FROM journal WHERE invocation = ? AND type IN (SELECT value FROM json_each(?)) ORDER BY idx;

-- name: notified
-- 32768 is the lowest message type id of a notification.
SELECT idx, completion_id, signal_id, signal_name, failed
FROM journal WHERE invocation = ? AND type >= 32768 ORDER BY idx;

-- name: delete_entries
DELETE FROM journal WHERE invocation = ?;

-- name: delete_entries_but
DELETE FROM journal WHERE invocation = ? AND idx != ?;

-- name: append_event
INSERT INTO journal_event
SELECT ?1, COALESCE(MAX(sequence), 0) + 1, ?2, ?3, ?4, ?5 FROM journal_event WHERE invocation = ?1;

-- name: forget_events
DELETE FROM journal_event WHERE invocation = ?1
AND sequence <= (SELECT MAX(sequence) FROM journal_event WHERE invocation = ?1) - ?2;

-- name: last_event
SELECT appended_at, after_index, type, body FROM journal_event
WHERE invocation = ? ORDER BY sequence DESC LIMIT 1;

-- name: delete_events
DELETE FROM journal_event WHERE invocation = ?;

-- name: add_awaiter
INSERT OR REPLACE INTO awaiter VALUES (?, ?, ?, ?);

-- name: take_awaiters
DELETE FROM awaiter WHERE invocation = ? RETURNING caller_id, completion_id, type;

-- name: put_cancelled_call
INSERT OR REPLACE INTO cancelled_call VALUES (?, ?, ?, ?);

-- name: cancelled_calls
SELECT completion_id, callee_id, echoed FROM cancelled_call WHERE invocation = ? ORDER BY completion_id, callee_id;

-- name: any_cancelled_call
SELECT 1 FROM cancelled_call WHERE invocation = ? LIMIT 1;

-- name: cancelled_call_to
SELECT completion_id, callee_id, echoed FROM cancelled_call
WHERE invocation = ? AND callee_id = ? ORDER BY echoed, completion_id LIMIT 1;

-- name: remove_cancelled_calls
DELETE FROM cancelled_call WHERE invocation = ? AND completion_id = ?;

-- name: forget_cancelled_calls
DELETE FROM cancelled_call WHERE invocation = ?;

-- name: hold_completion
INSERT INTO held_completion
SELECT ?1, COALESCE(MAX(sequence), 0) + 1, ?2, ?3, ?4 FROM held_completion WHERE invocation = ?1;

-- name: held_completions
SELECT completion_id, raw, failed FROM held_completion WHERE invocation = ? ORDER BY sequence;

-- name: forget_held_completions
DELETE FROM held_completion WHERE invocation = ?;

-- name: lock_holder
SELECT holder FROM lock WHERE service = ? AND key = ?;

-- name: set_lock
INSERT OR REPLACE INTO lock VALUES (?, ?, ?);

-- name: clear_lock
DELETE FROM lock WHERE service = ? AND key = ?;

-- name: push_inbox
INSERT INTO inbox VALUES (?, ?, ?, ?, ?);

-- name: inbox_head
SELECT sequence, invocation, mutation FROM inbox WHERE service = ? AND key = ? ORDER BY sequence LIMIT 1;

-- name: delete_inbox
DELETE FROM inbox WHERE service = ? AND key = ? AND sequence = ?;

-- name: remove_from_inbox
DELETE FROM inbox WHERE service = ? AND key = ? AND invocation = ?;

-- name: state
SELECT name, value FROM state WHERE service = ? AND key = ? ORDER BY name;

-- name: state_value
SELECT value FROM state WHERE service = ? AND key = ? AND name = ?;

-- name: set_state
INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?);

-- name: clear_state
DELETE FROM state WHERE service = ? AND key = ? AND name = ?;

-- name: clear_all_state
DELETE FROM state WHERE service = ? AND key = ?;

-- name: promise
SELECT value, failure FROM promise WHERE service = ? AND key = ? AND name = ?;

-- name: set_promise
INSERT INTO promise VALUES (?, ?, ?, ?, ?);

-- name: delete_promises
DELETE FROM promise WHERE service = ? AND key = ?;

-- name: delete_promise_awaiters
DELETE FROM promise_awaiter WHERE service = ? AND key = ? AND NOT EXISTS (
    SELECT 1 FROM invocation WHERE number = promise_awaiter.invocation AND status != 'completed'
);

-- name: add_promise_awaiter
INSERT OR REPLACE INTO promise_awaiter VALUES (?, ?, ?, ?, ?);

-- name: take_promise_awaiters
DELETE FROM promise_awaiter WHERE service = ? AND key = ? AND name = ? RETURNING invocation, completion_id;

-- name: add_timer
INSERT OR IGNORE INTO timer VALUES (?, ?, ?, ?);

-- name: due_timers
SELECT due, invocation, kind, reference FROM timer WHERE due <= ?
ORDER BY due, invocation, kind, reference LIMIT ?;

-- name: delete_timer
DELETE FROM timer WHERE due = ? AND invocation = ? AND kind = ? AND reference = ?;

-- name: next_due
SELECT MIN(due) FROM timer;

-- name: put_outbox
INSERT INTO outbox VALUES (?, ?, ?);

-- name: delete_outbox
DELETE FROM outbox WHERE partition = ? AND sequence = ?;

-- name: outbox
SELECT partition, sequence, message FROM outbox ORDER BY partition, sequence;

-- name: last_sequence
SELECT sequence FROM dedup WHERE source = ?;

-- name: set_last_sequence
INSERT OR REPLACE INTO dedup VALUES (?, ?);

-- name: put_deployment
INSERT OR REPLACE INTO deployment VALUES (?, ?, ?);

-- name: delete_deployment
DELETE FROM deployment WHERE id = ?;

-- name: deployments
SELECT document FROM deployment ORDER BY created_at, id;

-- name: put_service_settings
INSERT OR REPLACE INTO service_settings VALUES (?, ?);

-- name: delete_service_settings
DELETE FROM service_settings WHERE service = ?;

-- name: all_service_settings
SELECT service, document FROM service_settings ORDER BY service;

-- name: meta
SELECT value FROM meta WHERE name = ?;

-- name: put_meta
INSERT OR REPLACE INTO meta VALUES (?, ?);

-- What follows reads whole tables: for checks, never while serving.

-- name: all_invocations
SELECT * FROM invocation ORDER BY number;

-- name: all_entries
SELECT invocation, idx, type, raw, appended_at, completion_id, signal_id, signal_name, failed
FROM journal ORDER BY invocation, idx;

-- name: all_events
SELECT invocation, appended_at, after_index, type, body FROM journal_event ORDER BY invocation, sequence;

-- name: all_awaiters
SELECT invocation, caller_id, completion_id, type FROM awaiter ORDER BY invocation, caller_id, completion_id, type;

-- name: all_cancelled_calls
SELECT invocation, completion_id, callee_id, echoed FROM cancelled_call ORDER BY invocation, completion_id, callee_id;

-- name: all_held_completions
SELECT invocation, completion_id, raw, failed FROM held_completion ORDER BY invocation, sequence;

-- name: all_locks
SELECT service, key, holder FROM lock;

-- name: all_inboxes
SELECT service, key, invocation, mutation FROM inbox ORDER BY service, key, sequence;

-- name: all_states
SELECT service, key, name, value FROM state ORDER BY service, key, name;

-- name: all_promises
SELECT service, key, name, value, failure FROM promise ORDER BY service, key, name;

-- name: all_promise_awaiters
SELECT service, key, name, invocation, completion_id
FROM promise_awaiter ORDER BY service, key, name, invocation, completion_id;

-- name: all_timers
SELECT due, invocation, kind, reference FROM timer ORDER BY due, invocation, kind, reference;

-- name: all_last_sequences
SELECT source, sequence FROM dedup;

-- name: all_sequences
SELECT name, value FROM meta WHERE name IN ('invocation', 'inbox', 'outbox');
