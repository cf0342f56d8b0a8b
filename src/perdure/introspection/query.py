"""What the query route needs of an engine."""

from typing import Protocol


class QueryError(Exception):
    """A query cannot be answered. status: of the admin API. `str()` says why."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class QueryResult(Protocol):
    def json(self) -> bytes: ...


class QueryEngine(Protocol):
    async def query(self, text: str) -> QueryResult:
        """Raises: QueryError."""
