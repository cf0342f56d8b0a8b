"""Why a query is not answered."""

from typing import Final

_MESSAGE_MAX: Final = 4000
"""In characters: a message may quote the query, which may be long."""


class QueryError(Exception):
    """A query cannot be answered. status: of the admin API, 400, 429 or 500. `str()` says why."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message if len(message) <= _MESSAGE_MAX else message[:_MESSAGE_MAX] + "…")
        self.status = status
