"""Retry policies, under the name that code for the official SDK imports."""

from perdure.sdk.definitions import InvocationRetryPolicy

__all__ = ["InvocationRetryPolicy"]
