"""Helps the planner to the index of open invocations.

`sys_invocation.status` is computed, so that a condition on it reads every invocation. What it implies for the stored
status is added beside it, in the words of the index. The result is the same.
"""

from typing import Final

from sqlglot import exp

HIDDEN: Final = "stored_status"
"""The stored status in the view `sys_invocation`; the catalog does not have it, so no query can name it."""

_COMPLETED: Final = "completed"
_STORED_COLUMN: Final = {"sys_invocation": HIDDEN, "sys_invocation_status": "status"}
_STORED: Final = {"pending": "inboxed", "ready": "invoked", "running": "invoked", "backing-off": "invoked"}


def add_stored_status(tree: exp.Expr) -> None:
    """Changes a qualified tree in place."""
    for select in tree.find_all(exp.Select):
        where = select.args.get("where")
        if where is None:
            continue
        sources = [select.args.get("from_"), *select.args.get("joins", [])]
        tables = {
            source.this.alias_or_name: source.this.name
            for source in sources
            if source is not None and isinstance(source.this, exp.Table)
        }
        implied = [
            more
            for condition in list(where.this.flatten() if isinstance(where.this, exp.And) else [where.this])
            for more in _implied(condition, tables)
        ]
        if implied:
            where.set("this", exp.and_(where.this, *implied, copy=False))


def _implied(condition: exp.Expr, tables: dict[str, str]) -> list[exp.Expr]:
    column = condition.this
    if not isinstance(column, exp.Column) or column.name != "status" or tables.get(column.table) not in _STORED_COLUMN:
        return []
    table = tables[column.table]
    wanted = _wanted(condition)
    if wanted is None:
        return []
    stored = exp.column(_STORED_COLUMN[table], table=column.table, quoted=True)
    open_ = exp.NEQ(this=stored, expression=exp.Literal.string(_COMPLETED))
    if not wanted:
        return [open_]
    if table == "sys_invocation":
        wanted = {_STORED.get(status, status) for status in wanted}
    return [open_, stored.copy().isin(*sorted(wanted))]


def _wanted(condition: exp.Expr) -> set[str] | None:
    """The statuses that a condition lets through; empty for all but completed, None when it also takes those."""
    if isinstance(condition, exp.In) and not condition.args.get("query"):
        literals = condition.expressions
    elif isinstance(condition, exp.EQ | exp.NEQ):
        literals = [condition.expression]
    else:
        return None
    if not literals or not all(isinstance(literal, exp.Literal) and literal.is_string for literal in literals):
        return None
    names = {literal.name for literal in literals}
    if isinstance(condition, exp.NEQ):
        return set() if names == {_COMPLETED} else None
    return None if _COMPLETED in names else names
