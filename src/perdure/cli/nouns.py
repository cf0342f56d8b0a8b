"""Nouns and verbs with their short names."""

from collections.abc import Callable
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


class Group(TyperGroup):
    """A group that shows its help when nothing else is asked of it, and needs no Pydantic for that.

    aliases: other names of its commands. Each group has a class of its own, for Typer makes the group from the class.
    Were they commands of their own, each start would build them all.
    """

    aliases: ClassVar[dict[str, str]] = {}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, self.aliases.get(cmd_name, cmd_name))

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
    own_class = type("Noun", (Group,), {"aliases": {}})
    group = typer.Typer(cls=own_class, help=help, rich_markup_mode=None)
    app.add_typer(group, name=names[0])
    _add_aliases(app, names)
    return group


def verb(group: typer.Typer, names: tuple[str, ...], command: Callable[..., Any]) -> None:
    """A command under all `names`; the help lists the first."""
    group.command(names[0], cls=Command)(command)
    _add_aliases(group, names)


def _add_aliases(group: typer.Typer, names: tuple[str, ...]) -> None:
    made_from = group.info.cls
    assert isinstance(made_from, type)
    assert issubclass(made_from, Group)
    made_from.aliases.update(dict.fromkeys(names[1:], names[0]))
