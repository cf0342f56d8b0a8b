"""What keeps the code readable and no linter checks: sizes, names, leftovers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
GENERATED = ("_pb2.py", "_pb2.pyi")
VENDORED = ("node_modules", "vendor", "__pycache__")
TEXT_SUFFIXES = {".py", ".pyi", ".sql", ".proto", ".js", ".mjs", ".ts", ".css", ".html", ".md", ".txt", ".toml", ".sh"}
# Names that tell nothing: what does not fit a room has not been understood yet.
EMPTY_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "manager"}

# Put together from halves, so that this file does not find itself.
MARKERS = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")
WORDS = (
    r"\b(" + "|".join(MARKERS) + r")\b",  # work left over
    r"\b(lorem ip" + r"sum|foo" + r"bar)\b",  # filler
    r"(py" + r"pi\.org|python" + r"hosted\.org|registry\.npm" + r"js\.org)",  # the user's choice, not ours
    r"(?<![\w./{-])/(wo" + r"rk|ho" + r"me|ro" + r"ot|Us" + r"ers)/\w",  # one machine's folders
)
BANNED = re.compile("|".join(WORDS))
SQL = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|PRAGMA)\s")


def sources(*suffixes: str) -> list[Path]:
    """Hand-written files of the product and its tests."""
    found = []
    for top in ("src", "tests"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.suffix in suffixes and not path.name.endswith(GENERATED) and not set(VENDORED) & set(path.parts):
                found.append(path)
    return found


def where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_a_file_is_short_enough_to_be_read_in_one_go() -> None:
    long = [
        where(path, count)
        for path in sources(".py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) >= FILE_LINES_MAX
    ]
    assert not long, f"split these, they have {FILE_LINES_MAX} lines or more: {long}"


def test_a_function_fits_on_a_page() -> None:
    long = [
        f"{where(path, node.lineno)} {node.name}"
        for path in sources(".py")
        for node in functions(ast.parse(path.read_text(encoding="utf-8")))
        if (node.end_lineno or node.lineno) - node.lineno + 1 >= FUNCTION_LINES_MAX
    ]
    assert not long, f"split these, they have {FUNCTION_LINES_MAX} lines or more: {long}"


def test_no_word_is_left_that_does_not_belong_here() -> None:
    found = [
        f"{where(path, number)}: {match.group()}"
        for path in sources(*TEXT_SUFFIXES)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := BANNED.search(line))
    ]
    assert not found, found


def test_a_module_is_named_after_what_it_does() -> None:
    empty = [where(path, 1) for path in sources(".py") if {path.stem, path.parent.name} & EMPTY_NAMES]
    assert not empty, f"name these after their one responsibility: {empty}"


def test_sql_is_never_put_together_from_strings() -> None:
    found = []
    # The product's queries; tests may ask about data they made up.
    for path in (path for path in sources(".py") if ROOT / "src" in path.parents):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr) and any(isinstance(part, ast.FormattedValue) for part in node.values):
                first = node.values[0]
                if isinstance(first, ast.Constant) and SQL.match(str(first.value)):
                    found.append(where(path, node.lineno))
    assert not found, f"use parameters and .sql files: {found}"


@pytest.mark.parametrize("name", ["_pb2.py", "_pb2.pyi"])
def test_generated_code_lies_where_the_checks_expect_it(name: str) -> None:
    strays = [path for path in (ROOT / "src").rglob(f"*{name}") if path.parent != ROOT / "src" / "perdure" / "protocol"]
    assert not strays
