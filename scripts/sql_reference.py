"""Writes what docs/reference/sql.md lists from the code; `--check` compares."""

import inspect
import re
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from perdure.introspection.catalog import CATALOG, ColumnType
from perdure.introspection.problems import QUERY_ERRORS
from perdure.introspection.reader import TEXT_LIMIT
from perdure.introspection.result import QueryLimits
from perdure.introspection.translate import DEPTH_MAX, TOKENS_MAX

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "reference" / "sql.md"
TYPES = {
    ColumnType.TEXT: "text",
    ColumnType.U32: "u32",
    ColumnType.U64: "u64",
    ColumnType.BOOL: "boolean",
    ColumnType.TIME: "time",
    ColumnType.DURATION: "duration",
    ColumnType.BYTES: "bytes",
    ColumnType.LIST_U32: "list of u32",
    ColumnType.LIST_TEXT: "list of text",
}


def written() -> str:
    """The document with what stands between its marks made anew."""
    text = DOCUMENT.read_text("utf-8")
    for name, make in {
        "tables": tables,
        "functions": functions,
        "limits": limits,
        "errors": errors,
        "examples": examples,
    }.items():
        begin, end = f"<!-- {name}: written by scripts/sql_reference.py -->", f"<!-- end of {name} -->"
        parts = re.split(f"{begin}.*?{end}", text, flags=re.DOTALL)
        assert len(parts) == 2, name
        text = f"{parts[0]}{begin}\n\n{make()}\n\n{end}{parts[1]}"
    return text


def tables() -> str:
    parts = []
    for name, table in CATALOG.items():
        if table.empty:
            continue
        rows = [
            f"| `{column.name}` | {TYPES[column.type]} | {table.meanings[column.name]} |"
            for column in table.columns
            if column.name in table.meanings
        ]
        unused = [f"`{column.name}`" for column in table.columns if column.name not in table.meanings]
        parts += [f"### {name}", "", table.row, "", "| column | type | is |", "|---|---|---|", *rows, ""]
        if unused:
            parts += [f"Always null here: {', '.join(unused)}.", ""]
    empty = [f"`{name}`" for name, table in CATALOG.items() if table.empty]
    parts += ["### Always empty", "", f"Of flow control, which this server does not have: {', '.join(empty)}."]
    return "\n".join(parts)


def functions() -> str:
    parts = []
    for group, listed in _dialect()["functions"].items():
        parts += [f"**{group}**", "", "| form | gives | for example | is |", "|---|---|---|---|"]
        for form, meaning, expression, value in listed:
            shown = msgspec.json.encode(value).decode()
            parts.append(f"| {_code(form)} | {meaning} | {_code(expression)} | {_code(shown)} |")
        parts.append("")
    return "\n".join(parts).rstrip()


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def limits() -> str:
    bounds = QueryLimits()
    rows = {
        "time of one query": f"{bounds.seconds:g} s",
        "rows of an answer": f"{bounds.rows}",
        "bytes of an answer": f"{bounds.bytes // 2**20} MiB",
        "memory for caches, sorting and grouping": f"{bounds.working_bytes // 2**20} MiB",
        "bytes of a single value": f"{TEXT_LIMIT // 2**20} MiB",
        "length of the query": f"{TOKENS_MAX} words and signs",
        "depth of the query": f"{DEPTH_MAX} levels; a chain of operators is as deep as it is long",
        "queries that may wait, one running": f"{bounds.waiting}",
    }
    return "\n".join(["| what | at most |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def errors() -> str:
    lines = ["| code | status | means |", "|---|---|---|"]
    for code, kind in QUERY_ERRORS.items():
        if code != "E0500":
            lines.append(f"| [{code}](errors.md) | {kind.status} | {inspect.cleandoc(kind.__doc__ or '')} |")
    return "\n".join(lines)


def examples() -> str:
    parts = [f"{title}:\n\n```sql\n{query.strip()}\n```" for title, query in _dialect()["examples"].items()]
    return "\n\n".join(parts)


def _dialect() -> dict[str, Any]:
    return tomllib.loads(resources.files("perdure.introspection").joinpath("dialect.toml").read_text("utf-8"))


def main() -> int:
    found = written()
    if "--check" in sys.argv[1:]:
        if DOCUMENT.read_text("utf-8") == found:
            return 0
        print(f"{DOCUMENT} is out of date: run scripts/sql_reference.py", file=sys.stderr)
        return 1
    DOCUMENT.write_text(found, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
