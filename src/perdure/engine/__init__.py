"""The state machine: records in, actions out, no IO."""
