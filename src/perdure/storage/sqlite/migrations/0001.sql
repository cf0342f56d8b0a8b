-- The first schema of a partition file. Times are milliseconds since the epoch.
-- Every table has a primary key, so that changesets of it can be taken and applied.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value
) WITHOUT ROWID;

-- One row per invocation; columns in the order of the fields of `model.invocation.Invocation`.
CREATE TABLE invocation (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    service TEXT NOT NULL,
    handler TEXT NOT NULL,
    key TEXT,
    service_kind TEXT NOT NULL,
    handler_kind TEXT NOT NULL,
    idempotency_key TEXT,
    invoked_by TEXT NOT NULL,
    caller_id TEXT,
    caller_target TEXT,
    root_id TEXT,
    restarted_from TEXT,
    created_at INTEGER NOT NULL,
    execution_time INTEGER,
    completion_retention INTEGER NOT NULL,
    journal_retention INTEGER NOT NULL,
    trace_parent TEXT,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    deployment_id TEXT,
    protocol_version INTEGER,
    journal_size INTEGER NOT NULL,
    command_count INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    entry_stored_at INTEGER NOT NULL,
    inboxed_at INTEGER,
    running_at INTEGER,
    last_start_at INTEGER,
    completed_at INTEGER,
    retry_count INTEGER NOT NULL,
    policy_retries INTEGER NOT NULL,
    retry_count_since_entry INTEGER NOT NULL,
    next_retry_at INTEGER,
    last_deployment_id TEXT,
    last_server TEXT,
    last_failure BLOB,
    awaiting BLOB,
    pause_requested INTEGER NOT NULL,
    output_index INTEGER,
    failure BLOB,
    completion_expires_at INTEGER,
    journal_expires_at INTEGER
);
CREATE UNIQUE INDEX invocation_by_id ON invocation (id);
-- What must be looked at when the server starts: small, because it leaves out what is at rest.
CREATE INDEX invocation_invoked ON invocation (number) WHERE status = 'invoked';
CREATE INDEX invocation_completion_expires ON invocation (completion_expires_at) WHERE completion_expires_at IS NOT NULL;
CREATE INDEX invocation_journal_expires ON invocation (journal_expires_at) WHERE journal_expires_at IS NOT NULL;

-- Entries as on the wire, clustered by invocation.
CREATE TABLE journal (
    invocation INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    type INTEGER NOT NULL,
    raw BLOB NOT NULL,
    appended_at INTEGER NOT NULL,
    completion_id INTEGER,
    signal_id INTEGER,
    signal_name TEXT,
    failed INTEGER NOT NULL,
    PRIMARY KEY (invocation, idx)
) WITHOUT ROWID;

-- What happened beside the journal: transient errors, pauses, operator actions.
CREATE TABLE journal_event (
    invocation INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    appended_at INTEGER NOT NULL,
    after_index INTEGER NOT NULL,
    type TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (invocation, sequence)
) WITHOUT ROWID;

-- Who gets the outcome of an invocation: entries of other invocations.
CREATE TABLE awaiter (
    invocation INTEGER NOT NULL,
    caller_id TEXT NOT NULL,
    completion_id INTEGER NOT NULL,
    type INTEGER NOT NULL,
    PRIMARY KEY (invocation, caller_id, completion_id)
) WITHOUT ROWID;

-- Who holds a key of a virtual object: an invocation number.
CREATE TABLE lock (
    service TEXT NOT NULL,
    key TEXT NOT NULL,
    holder INTEGER NOT NULL,
    PRIMARY KEY (service, key)
) WITHOUT ROWID;

-- Who waits for a key: an invocation, or a change of state by an operator (msgpack).
CREATE TABLE inbox (
    service TEXT NOT NULL,
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    invocation INTEGER,
    mutation BLOB,
    PRIMARY KEY (service, key, sequence)
) WITHOUT ROWID;

CREATE TABLE state (
    service TEXT NOT NULL,
    key TEXT NOT NULL,
    name BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (service, key, name)
) WITHOUT ROWID;

-- A promise of a workflow key once it is completed: a value, or the JSON of a `Failure`.
CREATE TABLE promise (
    service TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB,
    failure BLOB,
    PRIMARY KEY (service, key, name)
) WITHOUT ROWID;

CREATE TABLE promise_awaiter (
    service TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    invocation INTEGER NOT NULL,
    completion_id INTEGER NOT NULL,
    PRIMARY KEY (service, key, name, invocation, completion_id)
) WITHOUT ROWID;

-- kind: sleep, start, retry. reference: completion id of a sleep, attempt of a retry.
-- A timer whose invocation has moved on is left to fire and is then ignored: cheaper than finding it.
CREATE TABLE timer (
    due INTEGER NOT NULL,
    invocation INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reference INTEGER NOT NULL,
    PRIMARY KEY (due, invocation, kind, reference)
) WITHOUT ROWID;

CREATE TABLE outbox (
    partition INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    message BLOB NOT NULL,
    PRIMARY KEY (partition, sequence)
) WITHOUT ROWID;

-- The highest sequence number taken from each partition.
CREATE TABLE dedup (
    source INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL
);

CREATE TABLE deployment (
    id TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    document BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE service_settings (
    service TEXT PRIMARY KEY,
    document BLOB NOT NULL
) WITHOUT ROWID;
