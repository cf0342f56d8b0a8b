"""Logs without repetitions, under the name that code for the official SDK imports."""

from perdure.sdk.log import RestateLoggingFilter, getLogger

__all__ = ["RestateLoggingFilter", "getLogger"]
