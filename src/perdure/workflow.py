"""Workflows, under the name that code for the official SDK imports."""

from perdure.sdk.services import Workflow

__all__ = ["Workflow"]
