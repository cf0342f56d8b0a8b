"""One type per concept."""
