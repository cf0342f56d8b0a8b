"""The process that loads handlers and serves them over the worker link."""
