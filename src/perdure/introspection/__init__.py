"""SQL over the state."""
