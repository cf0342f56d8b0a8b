"""Tests as text: input, a line of dashes, what it printed. `--rewrite` writes what happens now; review the diff.

    # Why this matters.
    directive argument key=value
    more input, belonging to it
    ----
    what it prints

Blocks are separated by blank lines; a comment belongs to the block below it.
"""

import shlex
from collections.abc import Callable
from pathlib import Path

SEPARATOR = "----"


class Directive:
    """One block of a file. lines: the input below its first line. line: where it stands."""

    def __init__(self, text: list[str], line: int) -> None:
        self.words = Words(text[0])
        self.name = self.words.positional.pop(0)
        self.lines = [Words(each) for each in text[1:]]
        self.line = line


class Words:
    """One line of input: `positional` words, then `key=value`. Quotes work as in a shell."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.positional: list[str] = []
        self._named: dict[str, str] = {}
        self._unused: set[str] = set()
        for word in shlex.split(text):
            name, equals, value = word.partition("=")
            if equals:
                self._named[name] = value
                self._unused.add(name)
            else:
                self.positional.append(word)

    def get(self, name: str) -> str | None:
        self._unused.discard(name)
        return self._named.get(name)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        assert value is not None, f"'{self.text}' needs {name}="
        return value

    def number(self, name: str) -> int:
        return int(self[name])

    def numbers(self, name: str) -> list[int]:
        value = self.get(name)
        return [int(part) for part in value.split(",")] if value else []

    def flag(self, name: str) -> bool:
        if name in self.positional:
            self.positional.remove(name)
            return True
        return False

    def check_all_used(self) -> None:
        assert not self._unused, f"'{self.text}': what is {sorted(self._unused)}?"


def run_file(path: Path, run: Callable[[Directive], list[str]], *, rewrite: bool) -> None:
    """Runs every block of a file with `run`, which returns the lines it prints."""
    source = path.read_text("utf-8").splitlines()
    written: list[str] = []
    failures: list[str] = []
    at = 0
    while at < len(source):
        if not source[at].strip() or source[at].startswith("#"):
            written.append(source[at])
            at += 1
            continue
        start = at
        while source[at] != SEPARATOR:
            at += 1
            in_block = at < len(source) and source[at].strip()
            assert in_block, f"{path.name}:{start + 1}: no {SEPARATOR} below the input"
        directive = Directive(source[start:at], start + 1)
        expected_from = at = at + 1
        while at < len(source) and source[at].strip():
            at += 1
        try:
            printed = run(directive)
        except Exception as error:
            error.add_note(f"{path.name}:{start + 1}: {source[start]}")
            raise
        written += [*source[start:expected_from], *printed]
        if printed != source[expected_from:at]:
            wanted, got = "\n".join(source[expected_from:at]), "\n".join(printed)
            failures.append(f"{path.name}:{start + 1}: {source[start]}\nexpected:\n{wanted}\nprinted:\n{got}\n")
    if rewrite:
        path.write_text("\n".join(written).rstrip() + "\n", "utf-8")
    else:
        assert not failures, "\n".join(failures)
