-- What followers are told, from the documented tables and, where those do not tell enough, from the partition's own.

-- name: rows_by_number
SELECT * FROM sys_invocation
WHERE id IN (SELECT id FROM main.invocation WHERE number IN (SELECT value FROM json_each(?)));

-- name: rows_by_id
SELECT * FROM sys_invocation WHERE id IN (SELECT value FROM json_each(?));

-- name: list
-- The conditions are those of `events/filters.py`, which binds all values.
SELECT * FROM sys_invocation WHERE {conditions} ORDER BY created_at DESC, id LIMIT ?;

-- name: counts
SELECT status, COUNT(*) FROM sys_invocation WHERE {conditions} GROUP BY status;

-- name: place
SELECT number, journal_size, (SELECT COALESCE(MAX(sequence), 0) FROM main.journal_event WHERE invocation = number)
FROM main.invocation WHERE id = ?;

-- name: entries
SELECT
    id, "index", entry_type, name, raw_length, version, appended_at,
    iif(raw_length <= ?1, entry_json, NULL) AS entry_json,
    entry_lite_json
FROM sys_journal WHERE id = ?2 AND "index" >= ?3 ORDER BY "index" DESC LIMIT ?4;

-- name: events
SELECT
    i.id AS id,
    e.after_index AS after_journal_entry_index,
    e.appended_at AS appended_at,
    e.type AS event_type,
    event_json(e.type, e.body) AS event_json,
    e.sequence AS sequence
FROM main.invocation AS i JOIN main.journal_event AS e ON e.invocation = i.number
WHERE i.id = ? AND e.sequence > ? ORDER BY e.sequence;

-- name: oldest_event
SELECT MIN(sequence) FROM main.journal_event WHERE invocation = ?;

-- name: state
SELECT
    service_name, service_key, key, key_length, value_length,
    iif(value_length <= ?1, value, NULL) AS value,
    iif(value_length <= ?1, value_utf8, NULL) AS value_utf8
FROM state WHERE service_name = ?2 AND service_key = ?3 ORDER BY key;

-- name: deployments
SELECT * FROM sys_deployment ORDER BY created_at, id;

-- name: services
SELECT * FROM sys_service ORDER BY name;
