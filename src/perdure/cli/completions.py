"""`perdure completions`: what makes the tab key work."""

import os
from enum import StrEnum
from typing import Annotated, Final

import typer

from perdure.cli.nouns import verb
from perdure.cli.options import AsJson
from perdure.cli.output import write_json, write_line

VARIABLE: Final = "_PERDURE_COMPLETE"
"""With it the program completes a command line instead of running it."""


class Shell(StrEnum):
    """Shells that can be completed for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def register(app: typer.Typer) -> None:
    verb(app, ("completions",), completions)


def completions(shell: Annotated[Shell, typer.Argument(help="Your shell.")], as_json: AsJson = False) -> None:
    """Write the script that completes commands in a shell. Use it with source <(perdure completions bash)."""
    from typer._completion_shared import get_completion_script

    script = get_completion_script(prog_name="perdure", complete_var=VARIABLE, shell=shell.value)
    if as_json:
        write_json({"shell": shell.value, "script": script})
    else:
        write_line(script)


def prepare() -> None:
    """Makes the program able to complete, when it was started for that: Typer does so only beside its own options."""
    if os.environ.get(VARIABLE):
        from typer._completion_classes import completion_init

        completion_init()
