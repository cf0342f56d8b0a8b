"""`perdure version`."""

import platform

import typer

from perdure import __version__
from perdure.cli.nouns import verb
from perdure.cli.options import AsJson
from perdure.cli.output import write_json, write_line


def register(app: typer.Typer) -> None:
    verb(app, ("version",), show_version)


def show_version(as_json: AsJson = False) -> None:
    """Show the version of this program."""
    if as_json:
        write_json({"version": __version__, "python": platform.python_version()})
    else:
        write_line(f"perdure {__version__}, Python {platform.python_version()}")
