"""`perdure example`: a copy of an example to start from."""

from pathlib import Path
from typing import Annotated

import typer

from perdure.cli.failures import BadUsage, NothingFound
from perdure.cli.nouns import verb
from perdure.cli.options import AsJson
from perdure.cli.output import write_json, write_line, write_table


def register(app: typer.Typer) -> None:
    verb(app, ("example", "examples"), example)


def example(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which one; without it, all are listed.")] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where to put it, a new folder; else ./NAME.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy an example to start from; it runs with `perdure dev`."""
    known = {path.name: path for path in sorted(_home().iterdir()) if (path / "README.md").is_file()}
    if name is None:
        _list(known, as_json)
        return
    name = name.replace("-", "_")
    if name not in known:
        raise NothingFound(f"there is no example `{name}`; there are {', '.join(known)}")
    target = folder or Path(name)
    if target.exists():
        raise BadUsage(f"{target} exists already; name another folder: perdure example {name} DIR")
    import shutil

    try:
        shutil.copytree(known[name], target, ignore=shutil.ignore_patterns("__pycache__"))
    except OSError as error:
        raise BadUsage(f"{target} cannot be written: {error.strerror or error}") from error
    programs = [str(path) for path in sorted(target.glob("*.py"))]
    if as_json:
        write_json({"example": name, "folder": str(target), "programs": programs})
        return
    write_line(f"{target} is there; its README.md says what to try. Run it with")
    for program in programs:
        other = "    the same with the official SDK, `restate-sdk`" if program.endswith("_restate.py") else ""
        write_line(f"  perdure dev {program}{other}")


def _list(known: dict[str, Path], as_json: bool) -> None:
    titles = {name: _title(path) for name, path in known.items()}
    if as_json:
        write_json({"examples": [{"name": name, "title": title} for name, title in titles.items()]})
        return
    write_table(("example", "shows"), titles.items())
    write_line("Copy one with `perdure example NAME`.")


def _title(path: Path) -> str:
    with (path / "README.md").open(encoding="utf-8") as readme:
        return readme.readline().lstrip("# ").strip()


def _home() -> Path:
    """In an installed package the examples lie inside it; in a working copy, beside `src`."""
    import perdure

    package = Path(perdure.__file__).parent
    places = (package / "examples", package.parent.parent / "examples")
    for place in places:
        if place.is_dir():
            return place
    raise NothingFound("this installation came without the examples; install the published package")
