"""The service protocol: bytes to messages and back, without IO."""
