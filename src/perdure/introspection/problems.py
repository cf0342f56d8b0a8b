"""Why a query is not answered."""


class QueryError(Exception):
    """A query cannot be answered. status: of the admin API, 400, 429 or 500. `str()` says why."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
