-- Only the start read it, which finds the same by `invocation_open`. Every invocation was put into it and taken out again.
DROP INDEX invocation_invoked;
