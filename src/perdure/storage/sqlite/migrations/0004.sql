-- A cancelled invocation is told when its callees are done, or at `cancel_due`.
ALTER TABLE invocation ADD COLUMN cancel_due INTEGER;
ALTER TABLE invocation ADD COLUMN callees_cancelled INTEGER NOT NULL DEFAULT 0;

-- Calls that were cancelled with their caller. As long as the cancel is pending, those that it waits for.
CREATE TABLE cancelled_call (
    invocation INTEGER NOT NULL,
    completion_id INTEGER NOT NULL,
    callee_id TEXT NOT NULL,
    echoed INTEGER NOT NULL,
    PRIMARY KEY (invocation, completion_id, callee_id)
) WITHOUT ROWID;
CREATE INDEX cancelled_call_by_callee ON cancelled_call (invocation, callee_id, echoed, completion_id);

-- Completions of calls that came while a cancel was pending: the journal gets them behind the cancel.
CREATE TABLE held_completion (
    invocation INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    completion_id INTEGER NOT NULL,
    raw BLOB NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (invocation, sequence)
) WITHOUT ROWID;
