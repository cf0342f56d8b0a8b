"""`perdure sql`: free questions."""

import json
import sys
from typing import Annotated, Any

import typer

from perdure.cli import watching
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import BadUsage
from perdure.cli.nouns import verb
from perdure.cli.options import DEFAULT_ADMIN_URL, DEFAULT_INTERVAL_S, AdminUrl, AsJson, Interval, Watch
from perdure.cli.output import write_json, write_line, write_table


def register(app: typer.Typer) -> None:
    verb(app, ("sql",), sql)


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT; `-` reads it from standard input.")],
    as_lines: Annotated[bool, typer.Option("--jsonl", help="Write one JSON document per row and line.")] = False,
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Ask the server in SQL. `SHOW TABLES` lists what there is: sys_invocation, sys_journal, state and more."""
    text = sys.stdin.read() if query == "-" else query
    if not text.strip():
        raise BadUsage("the query is empty; try `SELECT id, target, status FROM sys_invocation`")
    client = AdminClient(admin)
    watching.show(lambda: _show(client.query(text), as_json, as_lines), watch, interval)


def _show(rows: list[dict[str, Any]], as_json: bool, as_lines: bool) -> None:
    if as_lines:
        for row in rows:
            write_line(json.dumps(row, ensure_ascii=False))
    elif as_json:
        write_json({"rows": rows})
    elif not rows:
        write_line("No rows.")
    else:
        # A column that is null is missing from its row.
        columns = list(dict.fromkeys(name for row in rows for name in row))
        write_table(columns, ([_cell(row.get(name)) for name in columns] for row in rows))
        write_line(f"{len(rows)} row{'' if len(rows) == 1 else 's'}")


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | dict) else value
