"""Rewrites a typed tree into what SQLite understands. Times and durations become integers in milliseconds."""

from collections.abc import Callable
from typing import Any, Final

from sqlglot import exp

from perdure.introspection.functions import signed
from perdure.model.durations import BadDuration, parse_duration
from perdure.model.timestamps import format_time, parse_time

UNNAMED: Final = "__unnamed_"
"""Begins the aliases of result columns that have no name of their own."""

_T: Final = exp.DataType.Type
_TIMES: Final = frozenset({_T.TIMESTAMPTZ, _T.TIMESTAMP, _T.TIMESTAMPNTZ, _T.DATETIME})
_TEXTS: Final = frozenset({_T.TEXT, _T.VARCHAR, _T.CHAR})
_FLOATS: Final = frozenset({_T.DOUBLE, _T.FLOAT, _T.DECIMAL})
_COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ)


class Unsupported(Exception):
    """A query that cannot be translated. `str()` says what."""


def lower_tree(tree: exp.Query, now: int) -> exp.Query:
    """now: ms since the epoch. Changes the tree in place. Raises: Unsupported."""
    lowering = _Lowering(now)
    # Parents are rewritten after their children, whose types they look at.
    for node in reversed(list(tree.walk(bfs=True))):
        rewrite = lowering.rules.get(type(node))
        replacement = rewrite(node) if rewrite else None
        if replacement is not None and replacement is not node:
            replacement.type = node.type
            node.replace(replacement)
    return tree


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _kind(node: exp.Expr | None) -> Any:
    return node.type.this if node is not None and node.type is not None else _T.UNKNOWN


def _integer(value: int) -> exp.Expr:
    number = exp.Literal.number(abs(value))
    return exp.Neg(this=number) if value < 0 else number


class _Lowering:
    def __init__(self, now: int) -> None:
        self._now = now
        self.rules: dict[type[exp.Expr], Callable[[Any], exp.Expr | None]] = {
            exp.Literal: self._literal,
            exp.CurrentTimestamp: lambda _: _integer(self._now),
            exp.CurrentDate: lambda _: exp.Literal.string(format_time(self._now)[:10]),
            exp.Interval: self._interval,
            exp.Cast: self._cast,
            exp.TryCast: self._cast,
            exp.Div: self._div,
            exp.Between: self._between,
            exp.In: self._in,
            exp.FirstValue: lambda node: self._edge(node, "first_of"),
            exp.LastValue: lambda node: self._edge(node, "last_of"),
            exp.ArrayAgg: lambda node: _call("json_group_array", node.this),
            exp.Array: lambda node: _call("json_array", *node.expressions),
            exp.Bracket: self._bracket,
            exp.ArraySize: lambda node: _call("array_size", node.this),
            exp.ArrayContains: lambda node: _call("array_has", node.this, node.expression),
            exp.TimestampTrunc: self._trunc,
            exp.DateTrunc: self._trunc,
            exp.Extract: lambda node: _call("time_part", exp.Literal.string(node.name), node.expression),
            exp.AtTimeZone: self._zone,
            exp.UnixToTime: lambda node: exp.Mul(this=exp.Paren(this=node.this), expression=_integer(1000)),
            exp.JSONBContainsTopKey: lambda node: _call("json_contains", node.this, node.expression),
            exp.RegexpLike: self._pattern,
            exp.RegexpILike: lambda node: _call("regexp_like", node.this, node.expression, exp.Literal.string("i")),
            **dict.fromkeys(_COMPARISONS, self._compare),
        }

    def _literal(self, node: exp.Literal) -> exp.Expr | None:
        if not node.is_string and node.is_int and 1 << 63 <= int(node.this) < 1 << 64:
            return _integer(signed(int(node.this)))
        return None

    def _interval(self, node: exp.Interval) -> exp.Expr:
        unit = node.args.get("unit")
        text = f"{node.this.name if node.this else ''} {unit.name if unit else ''}".strip()
        try:
            return _integer(parse_duration(text.lower()))
        except BadDuration as error:
            raise Unsupported(f"Error during planning: interval '{text}' is not supported: {error}") from None

    def _cast(self, node: exp.Cast) -> exp.Expr | None:
        wanted, given = node.to.this, _kind(node.this)
        if wanted in _TIMES:
            is_time = given in _TIMES or (isinstance(node.this, exp.Anonymous) and node.this.name == "trunc_time")
            moment: exp.Expr = node.this
            return moment if is_time else _call("parse_time", moment)
        if wanted is _T.DATE:
            return _call("date_of", node.this)
        if wanted in _TEXTS and given in _TEXT_FUNCTIONS:
            return _call(_TEXT_FUNCTIONS[given], node.this)
        if wanted is _T.INTERVAL:
            if isinstance(node.this, exp.Literal):
                return self._interval(exp.Interval(this=node.this))
            inner: exp.Expr = node.this
            return inner
        return None

    def _div(self, node: exp.Div) -> exp.Expr:
        return _call("divide", node.this, node.expression)

    def _zone(self, node: exp.AtTimeZone) -> exp.Expr:
        if node.args["zone"].name.upper() not in ("UTC", "Z", "GMT"):
            raise Unsupported("Error during planning: times are in UTC, and in no other time zone")
        moment: exp.Expr = node.this
        return moment

    def _pattern(self, node: exp.RegexpLike) -> exp.Expr:
        flags = node.args.get("flag")
        return _call("regexp_like", node.this, node.expression, *([flags] if flags else []))

    def _compare(self, node: exp.Binary) -> None:
        self._align(node.this, [node.expression])
        self._align(node.expression, [node.this])

    def _between(self, node: exp.Between) -> None:
        self._align(node.this, [node.args["low"], node.args["high"]])

    def _in(self, node: exp.In) -> None:
        self._align(node.this, node.expressions)

    def _align(self, reference: exp.Expr, others: list[exp.Expr]) -> None:
        """Text that is compared with a time or a duration is read as one."""
        kind = _kind(reference)
        if kind not in _TIMES and kind is not _T.INTERVAL:
            return
        for other in others:
            if isinstance(other, exp.Literal) and other.is_string:
                other.replace(_integer(_read(other.name, kind)))
            elif kind in _TIMES and _kind(other) in _TEXTS | {_T.DATE}:
                other.replace(_call("parse_time", other.copy()))

    def _edge(self, node: Any, name: str) -> exp.Expr | None:
        """The first or last value of a group. As a window function SQLite knows it by its own name."""
        if isinstance(node.parent, exp.Window | exp.IgnoreNulls | exp.RespectNulls):
            return None
        return _call(name, node.this)

    def _bracket(self, node: exp.Bracket) -> exp.Expr:
        return _call("array_item", node.this, *node.expressions)

    def _trunc(self, node: Any) -> exp.Expr:
        return _call("trunc_time", exp.Literal.string(node.args["unit"].name), node.this)


_TEXT_FUNCTIONS: Final = {
    **dict.fromkeys(_TIMES, "time_text"),
    _T.TIMESTAMP: "local_time_text",
    _T.INTERVAL: "duration_text",
    _T.UBIGINT: "u64_text",
}


def _read(text: str, kind: Any) -> int:
    try:
        return parse_time(text) if kind in _TIMES else parse_duration(text)
    except ValueError as error:
        what = "timestamp" if kind in _TIMES else "interval"
        raise Unsupported(f"Error during planning: '{text}' cannot be read as a {what}: {error}") from None
