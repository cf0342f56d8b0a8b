"""One file for each turn of an invocation's life."""
