"""Nouns and verbs with their short names."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class Group(TyperGroup):
    """A group that shows its help when nothing else is asked of it, and needs no Pydantic for that."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def get_help_option(self, ctx: Any) -> Any:
        return _quick(super().get_help_option(ctx))


class Command(TyperCommand):
    """A command whose help needs no Pydantic."""

    def get_help_option(self, ctx: Any) -> Any:
        return _quick(super().get_help_option(ctx))


def _quick(help_option: Any) -> Any:
    # Typer converts a missing `--help` like any other value, for which it loads Pydantic: 0.1 s and more for every
    # command, `perdure version` included. A plain False is taken as it is.
    if help_option is not None:
        help_option.default = False
    return help_option


def noun(app: typer.Typer, names: tuple[str, ...], help: str) -> typer.Typer:
    """A group of commands under all `names`; the help lists the first."""
    group = typer.Typer(cls=Group, help=help, rich_markup_mode=None)
    for position, name in enumerate(names):
        app.add_typer(group, name=name, hidden=position > 0)
    return group


def verb(group: typer.Typer, names: tuple[str, ...], command: Callable[..., Any]) -> None:
    """A command under all `names`; the help lists the first."""
    for position, name in enumerate(names):
        group.command(name, cls=Command, hidden=position > 0)(command)
