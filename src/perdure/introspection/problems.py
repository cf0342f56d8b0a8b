"""Why a query is not answered."""

from typing import ClassVar, Final

from perdure.errors import PerdureError

_MESSAGE_MAX: Final = 4000
"""In characters: a message may quote the query, which may be long."""


class QueryError(PerdureError):
    """A query is not answered. status: of the admin API, 400, 429 or 500. `str()` says why."""

    code: ClassVar[str] = "E0500"
    hint: ClassVar[str] = "See docs/reference/sql.md for what can be asked."
    status: int = 500

    def __init__(self, message: str) -> None:
        super().__init__(message if len(message) <= _MESSAGE_MAX else message[:_MESSAGE_MAX] + "…")


class QueryMalformed(QueryError):
    """Not SQL, or not a query."""

    code: ClassVar[str] = "E0501"
    hint: ClassVar[str] = "Only SELECT is understood, with SHOW TABLES, DESCRIBE and EXPLAIN."
    status = 400


class QueryNotPlanned(QueryError):
    """A table, column or function is unknown, or something in the query is not supported."""

    code: ClassVar[str] = "E0502"
    hint: ClassVar[str] = "SHOW TABLES and DESCRIBE name what there is."


class QueryFailed(QueryError):
    """The query began to run and could not go on, for instance because it divides by zero."""

    code: ClassVar[str] = "E0503"


class QueryTooSlow(QueryError):
    """The time for one query is over."""

    code: ClassVar[str] = "E0504"
    hint: ClassVar[str] = "Ask for less: by id, by status, or a range of created_at."


class QueryTooLarge(QueryError):
    """The answer, or what is needed to find it, is larger than allowed."""

    code: ClassVar[str] = "E0505"
    hint: ClassVar[str] = "Add a LIMIT, or select fewer columns."


class QueryTooComplex(QueryError):
    """The text of the query is too long or nested too deeply."""

    code: ClassVar[str] = "E0506"
    hint: ClassVar[str] = "Use IN for long lists, or ask several smaller queries."
    status = 400


class TooManyQueries(QueryError):
    """Too many queries wait for their turn."""

    code: ClassVar[str] = "E0507"
    hint: ClassVar[str] = "Try again in a moment."
    status = 429


QUERY_ERRORS: Final = {
    kind.code: kind
    for kind in (
        QueryError,
        QueryMalformed,
        QueryNotPlanned,
        QueryFailed,
        QueryTooSlow,
        QueryTooLarge,
        QueryTooComplex,
        TooManyQueries,
    )
}
