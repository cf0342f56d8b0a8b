"""The `perdure` command: the nouns put together, and one line for whatever goes wrong."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import typer

from perdure.cli import (
    awakeables,
    completions,
    deployments,
    examples,
    invocations,
    server,
    services,
    sql,
    state,
    status,
    version,
)
from perdure.cli.failures import exit_code, one_line
from perdure.cli.nouns import Group
from perdure.errors import PerdureError

# Errors of usage have no name in Typer's public interface, but a public subclass.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


class Commands(Group):
    """Ends the program with an exit code and at most one line of error, never with a traceback."""

    aliases: ClassVar[dict[str, str]] = {}

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        # Never asked to leave errors to a caller: this is the outermost program.
        completions.prepare()
        try:
            outcome = super().main(
                args, prog_name, complete_var or completions.VARIABLE, False, windows_expand_args, **extra
            )
        except PerdureError as error:
            typer.echo(f"error: {one_line(error)}", err=True)
            sys.exit(exit_code(error))
        except _UsageError as error:
            typer.echo(f"error: {_usage_line(error)}", err=True)
            sys.exit(2)
        except typer.Abort:
            typer.echo("error: stopped; nothing more was done", err=True)
            sys.exit(1)
        # Without standalone mode the exit code comes back as the value, and commands return nothing else.
        sys.exit(outcome if isinstance(outcome, int) else 0)


def _usage_line(error: Exception) -> str:
    """The message, and where to read on."""
    message = " ".join(str(getattr(error, "format_message", error.__str__)()).split()).replace(": Value error, ", ": ")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "perdure"
    return f"{message.rstrip('.')}. See `{path} --help`."


def _show_version(wanted: bool) -> None:
    if wanted:
        version.show_version()
        raise typer.Exit


app = typer.Typer(
    name="perdure",
    cls=Commands,
    help="Durable execution: run a server, register deployments, look at and control invocations.",
    add_completion=False,
    # Plain help: a formatted one needs imports that take longer than most commands.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version and stop.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Durable execution: run a server, register deployments, look at and control invocations."""


server.register(app)
deployments.register(app)
services.register(app)
invocations.register(app)
awakeables.register(app)
state.register(app)
sql.register(app)
status.register(app)
examples.register(app)
completions.register(app)
version.register(app)

if __name__ == "__main__":
    app()
