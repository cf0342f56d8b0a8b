"""Translates queries from the documented dialect (DataFusion's, which is close to PostgreSQL's) to SQLite.

    text ─parse▶ tree ─tables known?▶ ─qualify▶ every column has its table, stars are spelled out
         ─annotate▶ every expression has a type ─lower▶ what SQLite says otherwise ─▶ SQL, and the columns' types

Times and durations are integers in SQLite. Only the types tell them from other integers, so they are found here, and
the answer is written by them.
"""

from typing import Any, Final

import msgspec
import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, OptimizeError, ParseError, SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from perdure.ids import BadId, decode_invocation_id
from perdure.introspection.catalog import TABLES, Column, ColumnType
from perdure.introspection.lowering import UNNAMED, Unsupported, lower_tree
from perdure.introspection.naming import display_name
from perdure.introspection.problems import QueryMalformed, QueryNotPlanned, QueryTooComplex
from perdure.introspection.stored_status import add_stored_status

_DIALECT: Final = "postgres"
TOKENS_MAX: Final = 50_000
"""The longest query, in tokens: translating one takes time and memory in proportion."""
DEPTH_MAX: Final = 800
"""The deepest tree. A chain of operators is as deep as it is long, and time goes with the square; SQLite takes 1000."""

_SQL_TYPES: Final = {
    ColumnType.TEXT: "TEXT",
    ColumnType.U32: "UINT",
    ColumnType.U64: "UBIGINT",
    ColumnType.BOOL: "BOOLEAN",
    ColumnType.TIME: "TIMESTAMPTZ",
    ColumnType.DURATION: "INTERVAL",
    ColumnType.BYTES: "VARBINARY",
    ColumnType.LIST_U32: "ARRAY<UINT>",
    ColumnType.LIST_TEXT: "ARRAY<TEXT>",
}
_T: Final = exp.DataType.Type
_COLUMN_TYPES: Final = {
    **dict.fromkeys((_T.TEXT, _T.VARCHAR, _T.CHAR, _T.NCHAR, _T.NVARCHAR), ColumnType.TEXT),
    **dict.fromkeys((_T.UINT, _T.UTINYINT, _T.USMALLINT), ColumnType.U32),
    _T.UBIGINT: ColumnType.U64,
    **dict.fromkeys((_T.INT, _T.BIGINT, _T.SMALLINT, _T.TINYINT), ColumnType.I64),
    **dict.fromkeys((_T.DOUBLE, _T.FLOAT, _T.DECIMAL), ColumnType.FLOAT),
    _T.BOOLEAN: ColumnType.BOOL,
    _T.TIMESTAMPTZ: ColumnType.TIME,
    **dict.fromkeys((_T.TIMESTAMP, _T.TIMESTAMPNTZ, _T.DATETIME), ColumnType.LOCAL_TIME),
    _T.DATE: ColumnType.DATE,
    _T.INTERVAL: ColumnType.DURATION,
    **dict.fromkeys((_T.VARBINARY, _T.BINARY), ColumnType.BYTES),
}
_FUNCTION_TYPES: Final = {
    "json_contains": ColumnType.BOOL,
    "json_get_bool": ColumnType.BOOL,
    "regexp_match": ColumnType.LIST_TEXT,
}
"""Of functions that the parser does not know."""
_SCHEMA: Final = MappingSchema(
    {
        table: {column.name: exp.DataType.build(_SQL_TYPES[column.type], dialect="duckdb") for column in columns}
        for table, columns in TABLES.items()
    },
    dialect=_DIALECT,
    normalize=False,
)


class Translated(msgspec.Struct, frozen=True):
    """A query for SQLite, what its columns are called and hold, and the tables it reads."""

    sql: str
    columns: tuple[Column, ...]
    tables: frozenset[str]


def parse(text: str) -> list[exp.Expr]:
    """The statements in a text. Raises: QueryError."""
    try:
        tokens = sqlglot.tokenize(text, read=_DIALECT)
        if len(tokens) > TOKENS_MAX:
            raise QueryTooComplex(f"SQL error: the query has {len(tokens)} tokens, at most {TOKENS_MAX} are allowed")
        return [statement for statement in sqlglot.parse(text, read=_DIALECT) if statement is not None]
    except ParseError as error:
        raise QueryMalformed(f"SQL error: ParserError({_parser_complaint(error)})") from None
    except RecursionError:
        raise QueryTooComplex("SQL error: the query is nested too deeply") from None
    except (SqlglotError, ValueError) as error:
        raise QueryMalformed(f"SQL error: ParserError({type(error).__name__})") from None


def _parser_complaint(error: ParseError) -> str:
    first: dict[str, Any] = error.errors[0] if error.errors else {}
    where = f" at Line: {first.get('line')}, Column: {first.get('col')}" if first.get("line") else ""
    return msgspec.json.encode(f"{first.get('description') or 'cannot be parsed'}{where}").decode()


def translate(query: exp.Query, now: int) -> Translated:
    """now: ms since the epoch, what `now()` is. Raises: QueryError."""
    try:
        _check_depth(query)
        _resolve_tables(query)
        _name_subqueries(query)
        _mark_unnamed(query)
        tree: exp.Expr = qualify(query, schema=_SCHEMA, dialect=_DIALECT, quote_identifiers=True)
        _check_ids(tree)
        tree = annotate_types(_typed_truncs(tree), schema=_SCHEMA, dialect=_DIALECT)
        assert isinstance(tree, exp.Query)
        columns = tuple(_column(projection) for projection in tree.selects)
        tables = frozenset(table.name for table in tree.find_all(exp.Table))
        add_stored_status(tree)
        sql = lower_tree(tree, now).sql("sqlite", unsupported_level=ErrorLevel.RAISE)
    except Unsupported as error:
        raise QueryNotPlanned(str(error)) from None
    except OptimizeError as error:
        raise QueryNotPlanned(f"Schema error: {error}") from None
    except RecursionError:
        raise QueryTooComplex("Error during planning: the query is nested too deeply") from None
    except SqlglotError as error:
        raise QueryNotPlanned(f"Error during planning: {error}") from None
    return Translated(sql, columns, tables)


def _check_depth(query: exp.Query) -> None:
    level: list[exp.Expr] = [query]
    for _ in range(DEPTH_MAX):
        level = [child for node in level for child in node.iter_expressions()]
        if not level:
            return
    message = (
        f"Error during planning: the query is nested too deeply, at most {DEPTH_MAX} levels; use IN for long lists"
    )
    raise QueryTooComplex(message)


def _resolve_tables(query: exp.Query) -> None:
    """Tables are found whatever catalog and schema they are called with; others are refused."""
    defined = {cte.alias_or_name for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        name = table.name.lower() if not table.this.args.get("quoted") else table.name
        schema = table.db.lower()
        if not schema and name in defined:
            continue
        known = f"{schema}.{name}" if schema == "information_schema" else name
        if known not in TABLES or table.catalog.lower() not in ("", "restate"):
            raise QueryNotPlanned(f"Error during planning: table 'restate.{schema or 'public'}.{name}' not found")
        if schema not in ("", "public", "information_schema"):
            raise QueryNotPlanned(f"Error during planning: table 'restate.{schema}.{name}' not found")
        table.set("catalog", None)
        table.set("db", None)
        table.set("this", exp.to_identifier(known, quoted=True))
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))


def _name_subqueries(query: exp.Query) -> None:
    """A sub-select without an alias can be addressed by the alias of its own only table."""
    for number, subquery in enumerate(list(query.find_all(exp.Subquery))):
        if subquery.alias or not isinstance(subquery.parent, exp.From | exp.Join):
            continue
        name = f"subquery_{number}"
        inner = subquery.this
        if isinstance(inner, exp.Select) and not inner.args.get("joins"):
            source = inner.find(exp.From)
            if source is not None and source.this.alias_or_name:
                name = source.this.alias_or_name
        subquery.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))


def _mark_unnamed(query: exp.Query) -> None:
    """Gives result columns without a name of their own one that `_column` recognises."""
    select: Any = query
    while not isinstance(select, exp.Select):
        if not isinstance(select, exp.Query):
            raise Unsupported(f"Error during planning: {select.sql(_DIALECT)} is not a query")
        select = select.this
    named: list[exp.Expr] = []
    for position, projection in enumerate(select.expressions):
        if isinstance(projection, exp.Alias | exp.Column | exp.Star):
            named.append(projection)
        else:
            named.append(exp.alias_(projection, f"{UNNAMED}{position}", quoted=True))
    select.set("expressions", named)


def _typed_truncs(tree: exp.Expr) -> exp.Expr:
    """The annotator does not know what type a truncated time has; a cast tells it."""
    for node in list(tree.find_all(exp.TimestampTrunc, exp.DateTrunc)):
        node.replace(exp.cast(node.copy(), exp.DataType.build("TIMESTAMPTZ")))
    return tree


def _check_ids(tree: exp.Expr) -> None:
    """A malformed invocation id is refused instead of not found: it is a mistake in the query."""
    tables = {table.alias_or_name: table.name for table in tree.find_all(exp.Table)}
    for equal in tree.find_all(exp.EQ):
        for column, literal in ((equal.this, equal.expression), (equal.expression, equal.this)):
            if not isinstance(column, exp.Column) or not isinstance(literal, exp.Literal) or column.name != "id":
                continue
            if tables.get(column.table, "").startswith(("sys_invocation", "sys_journal")):
                _check_id(literal.name)


def _check_id(text: str) -> None:
    try:
        decode_invocation_id(text)
    except BadId:
        raise QueryNotPlanned("External error: non valid invocation id") from None


def _column(projection: exp.Expr) -> Column:
    name = projection.alias_or_name
    inner = projection.unalias()
    if name.startswith(UNNAMED):
        name = display_name(inner)
    return Column(name, _column_type(inner))


def _column_type(expression: exp.Expr) -> ColumnType:
    if isinstance(expression, exp.AtTimeZone):
        return _column_type(expression.this)
    if isinstance(expression, exp.Sub) and _is_time(expression.this) and _is_time(expression.expression):
        return ColumnType.DURATION
    if isinstance(expression, exp.Literal) and not expression.is_string and expression.is_int:
        return ColumnType.U64 if int(expression.this) >= 1 << 63 else ColumnType.I64
    if isinstance(expression, exp.Anonymous) and expression.name.lower() in _FUNCTION_TYPES:
        return _FUNCTION_TYPES[expression.name.lower()]
    found = expression.type
    if found is None:
        return ColumnType.UNKNOWN
    if found.this is _T.ARRAY:
        element = found.expressions[0].this if found.expressions else None
        return ColumnType.LIST_TEXT if element in (_T.TEXT, _T.VARCHAR) else ColumnType.LIST_U32
    return _COLUMN_TYPES.get(found.this, ColumnType.UNKNOWN)


def _is_time(expression: exp.Expr) -> bool:
    return expression.type is not None and expression.type.this in (_T.TIMESTAMPTZ, _T.TIMESTAMP)
