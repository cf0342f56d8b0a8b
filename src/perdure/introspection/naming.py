"""The names of result columns that the query gives none: the expression, as DataFusion writes it."""

from typing import Final

from sqlglot import exp

_OPERATORS: Final[dict[type[exp.Expr], str]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.And: "AND",
    exp.Or: "OR",
    exp.DPipe: "||",
}


def display_name(expression: exp.Expr) -> str:
    """`count(Int64(1))`, `count(*)`, `max(t.created_at)`, `Int64(1) + Int64(2)`."""
    match expression:
        case exp.Literal():
            if expression.is_string:
                return f'Utf8("{expression.this}")'
            return f"Int64({expression.this})" if expression.is_int else f"Float64({expression.this})"
        case exp.Boolean():
            return f"Boolean({'true' if expression.this else 'false'})"
        case exp.Null():
            return "NULL"
        case exp.Star():
            return "*"
        case exp.Column():
            return f"{expression.table}.{expression.name}" if expression.table else expression.name
        case exp.Paren() | exp.Cast():
            return display_name(expression.this)
        case exp.Neg():
            return f"(- {display_name(expression.this)})"
        case exp.Not():
            return f"NOT {display_name(expression.this)}"
        case exp.Distinct():
            return "DISTINCT " + ", ".join(display_name(part) for part in expression.expressions)
        case exp.CurrentTimestamp():
            return "now()"
        case exp.CurrentDate():
            return "current_date()"
        case exp.Anonymous():
            return _call(expression.name, expression.expressions)
        case exp.Func():
            return _call(_function_name(expression), list(expression.iter_expressions()))
    operator = _OPERATORS.get(type(expression))
    if operator is not None:
        return f"{display_name(expression.this)} {operator} {display_name(expression.expression)}"
    return expression.sql("postgres").replace('"', "")


def _function_name(function: exp.Func) -> str:
    name: str = function.sql_name()
    return name.lower()


def _call(name: str, arguments: list[exp.Expr]) -> str:
    return f"{name.lower()}({','.join(display_name(argument) for argument in arguments)})"
