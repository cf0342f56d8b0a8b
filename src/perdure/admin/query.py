"""The route of SQL queries."""

from starlette.requests import Request
from starlette.responses import Response

from perdure.admin import schemas
from perdure.admin.requests import read_body
from perdure.admin.responses import json_response
from perdure.introspection.problems import QueryError
from perdure.introspection.query import QueryEngine
from perdure.introspection.result import Shape


class Query:
    """Handles `/query`."""

    def __init__(self, engine: QueryEngine) -> None:
        self._engine = engine

    async def run(self, request: Request) -> Response:
        asked = await read_body(request, schemas.QueryRequest)
        # Only this very header asks for JSON; a list that has it among others does not.
        shape = Shape.JSON if request.headers.get("accept") == "application/json" else Shape.ARROW
        try:
            result = await self._engine.query(asked.query, shape)
        except QueryError as error:
            return json_response(schemas.QueryError(f"Datafusion error: {error}", error.code), error.status)
        return Response(result.body, media_type=result.media_type)
