"""The stream of changes: what clients may follow, and how they are told."""
