"""Statements kept in `queries.sql` files, by name."""

from importlib import resources


def load_queries(package: str) -> dict[str, str]:
    """The statements of that package: each follows a line `-- name: NAME`."""
    source = resources.files(package).joinpath("queries.sql").read_text("utf-8")
    sections = source.split("-- name: ")[1:]
    return {name.strip(): _bare(body) for name, _, body in (section.partition("\n") for section in sections)}


def _bare(body: str) -> str:
    """Without comments and indentation: whenever a statement is run, it is compared with those that are prepared."""
    lines = [line.strip() for line in body.splitlines()]
    assert not any(" --" in line for line in lines), "a comment has its own line"
    return " ".join(line for line in lines if line and not line.startswith("--"))
