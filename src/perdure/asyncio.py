"""Combinators of durable futures, under the name that code for the official SDK imports."""

from perdure.sdk.combinators import as_completed, gather, select, wait_completed

__all__ = ["as_completed", "gather", "select", "wait_completed"]
