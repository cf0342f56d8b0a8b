"""Writes the table of commands in docs/reference/command-line.md from the commands themselves; `--check` compares."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from perdure.cli.main import app

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "reference" / "command-line.md"
BEGIN = "<!-- commands: written by scripts/command_reference.py -->"
END = "<!-- end of commands -->"
EVERYWHERE = {"--help", "--json", "--admin", "--yes", "--watch", "--interval", "--reason"}
"""Options explained once for all commands."""


def reference() -> str:
    """The part of the document between the marks."""
    root: Any = typer.main.get_command(app)
    lines = []
    for noun, group in _named(root):
        if not hasattr(group, "commands"):
            continue
        names = ", ".join(f"`{name}`" for name in _other_names(root, noun))
        lines += [f"### perdure {noun}", "", f"{_sentence(group)} Other names: {names}.", "", *_table(group, noun), ""]
    lines += ["### Others", "", *_table(root, "", groups=False)]
    return "\n".join(lines).rstrip() + "\n"


def _table(group: Any, noun: str, groups: bool = True) -> Iterator[str]:
    yield "| command | does | options |"
    yield "|---|---|---|"
    for path, command, short in _commands(group, noun, groups):
        options = []
        for parameter in command.params:
            # The server's own --admin is where it listens.
            shared = EVERYWHERE & set(parameter.opts) and not (parameter.name == "admin" and not parameter.envvar)
            if parameter.param_type_name == "option" and not shared:
                names = "/".join(parameter.opts + parameter.secondary_opts)
                options.append(f"`{names}`: {(parameter.help or '').rstrip('.')}" if parameter.help else f"`{names}`")
        arguments = [_argument(one) for one in command.params if one.param_type_name == "argument"]
        name = " ".join([path, *arguments])
        also = f" ({', '.join(f'`{one}`' for one in short)})" if short else ""
        yield f"| `{name}`{also} | {_cell(_sentence(command))} | {_cell('<br>'.join(options))} |"


def _commands(group: Any, prefix: str, groups: bool) -> Iterator[tuple[str, Any, list[str]]]:
    for name, command in _named(group):
        path = f"{prefix} {name}".strip()
        if not hasattr(command, "commands"):
            yield path, command, _other_names(group, name)
        elif groups:
            yield from _commands(command, path, groups)


def _named(group: Any) -> list[tuple[str, Any]]:
    return list(group.commands.items())


def _other_names(group: Any, name: str) -> list[str]:
    return [other for other, meant in group.aliases.items() if meant == name]


def _argument(argument: Any) -> str:
    text = argument.metavar or argument.name.upper()
    return text if argument.required or text.startswith("[") else f"[{text}]"


def _sentence(command: Any) -> str:
    return " ".join((command.help or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def document(text: str) -> str:
    """`text` with the part between the marks as it should be."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{reference()}\n{END}{after}"


def main() -> int:
    present = DOCUMENT.read_text(encoding="utf-8")
    wanted = document(present)
    if "--check" in sys.argv[1:]:
        if present != wanted:
            print(f"{DOCUMENT.name} is not what the commands say; run scripts/command_reference.py", file=sys.stderr)
        return int(present != wanted)
    DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
