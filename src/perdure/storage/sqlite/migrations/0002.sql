-- For the queries of operators. What is completed is left out where it can be: an invocation that runs through is then in
-- the index for a moment only, and the index stays small.

-- The newest and the oldest first.
CREATE INDEX invocation_by_time ON invocation (created_at);
-- By status.
CREATE INDEX invocation_open ON invocation (status, created_at) WHERE status <> 'completed';
-- What is known of an attempt, looked up for each invocation of a list: nearly always nothing.
CREATE UNIQUE INDEX invocation_invoked_by_id ON invocation (id) WHERE status = 'invoked';
