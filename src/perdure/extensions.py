"""For code around handlers, under the name that code for the official SDK imports."""

from perdure.sdk.extensions import contextvar, current_context

__all__ = ["contextvar", "current_context"]
