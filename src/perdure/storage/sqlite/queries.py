"""Statements kept in `queries.sql` files, by name."""

from importlib import resources


def load_queries(package: str) -> dict[str, str]:
    """The statements of that package: each follows a line `-- name: NAME`."""
    source = resources.files(package).joinpath("queries.sql").read_text("utf-8")
    sections = source.split("-- name: ")[1:]
    return {name.strip(): body.strip() for name, _, body in (section.partition("\n") for section in sections)}
