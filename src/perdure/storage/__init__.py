"""Where a partition keeps its tables."""
