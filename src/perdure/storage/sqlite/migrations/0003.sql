-- A handler draws the same random values in a journal that was copied from another invocation only with that one's seed.
ALTER TABLE invocation ADD COLUMN seed_id TEXT;
