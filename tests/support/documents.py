"""Documents, read as their readers read them: files are written, commands typed, and what is printed is compared.

What the code blocks of a page mean:

    ```python   a file, when the first line is `# NAME.py`; written when the reader comes to it
    ```sh       commands, typed into one shell; what serves until it is stopped gets a terminal of its own
    ```         behind commands: what they print
    ```text     what the program prints that was started last, now or in a while

A block behind `<!-- not run: why -->` is left alone.

In outputs, ids, times and durations stand for others of their kind, `…` for any text, and alone on a line for any
lines. An id of an output is the reader's own from then on: it is replaced wherever it comes again.
"""

import importlib
import os
import queue
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple, Self

from support.processes import Program, free_addresses
from support.remotes import perdure_environment

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HOWTO = DOCS / "howto"
PATIENCE_S = 60.0
"""For what a page says will happen, on a machine that does other things too."""

PORTS = ("8080", "9070", "9080", "9081", "9082", "5999")
"""Those that pages name. The first two are the server's."""

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# (\S+\.py)\n")
_SERVES = re.compile(r"(^|&& |\()(perdure (dev|up)|hypercorn|python \w+\.py|python3 -m http\.server)\b", re.MULTILINE)
_LOOKS = re.compile(
    r"curl (-s )?\S+$|perdure (invocations (list|describe)|status|state get|sql|deployments (list|describe))\b"
)
_VARIES = re.compile(
    r"(?P<id>\b(?:inv|dp|sign)_[\w-]+)"
    r"|(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?: UTC|Z)?)"
    r"|(?P<duration>\b\d+\.\d+s\b)"
    r"|(?P<any>…)"
)
_KINDS = {
    "id": r"((?:inv|dp|sign)_[\w-]+)",
    "time": r"[\d-]+[ T][\d:.]+(?: UTC|Z)?",
    "duration": r"\d+\.\d+s",
    "any": ".*",
}
_OWN_SERVER = re.compile(r"perdure (dev|up)\b")
_END = "~~ the shell is done ~~"
_FAILED = "~~ failed with "


class Block(NamedTuple):
    """A code block. line: of the page, from 1."""

    language: str
    text: str
    line: int
    before: str
    """The prose between the block before and this one."""


def blocks(page: Path) -> list[Block]:
    """The code blocks of a page, in order."""
    document = page.read_text("utf-8")
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(document):
        line = document.count("\n", 0, match.start()) + 1
        found.append(Block(match[1].strip(), match[2], line, document[end : match.start()].strip()))
        end = match.end()
    return found


def file_name(block: Block) -> str | None:
    """Which file a python block is."""
    match = _FILE.match(block.text)
    return match[1] if match else None


def write_files(page: Path, folder: Path, own: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """Writes the files that a page gives, and returns their names without `.py`. Of several versions the last one.

    own: what stands in place of the page's addresses.
    """
    files = {name: block.text for block in blocks(page) if block.language == "python" and (name := file_name(block))}
    assert files, f"{page.name} has no files"
    for name, text in files.items():
        for usual, mine in own.items():
            text = text.replace(usual, mine)
        (folder / name).write_text(text, "utf-8")
    return [name.removesuffix(".py") for name in files]


@contextmanager
def programs(page: Path, folder: Path, own: Mapping[str, str] = MappingProxyType({})) -> Iterator[SimpleNamespace]:
    """The files of a page as modules, its tests excepted. own: see `write_files`."""
    names = [name for name in write_files(page, folder, own) if not name.startswith("test_")]
    assert not set(names) & set(sys.modules), names
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(str(folder))
        for name in names:
            sys.modules.pop(name, None)


class Reader:
    """Somebody who follows a page to the letter, with free ports in place of the usual ones. A context manager.

    folder: where the commands are typed; a new one for pages that begin with nothing.
    """

    def __init__(self, page: Path, folder: Path, home: Path) -> None:
        """home: of this test; for logs, and for the server's state."""
        self.page = page
        self.folder = folder
        self._home = home
        self._ports = dict(zip(PORTS, free_addresses(len(PORTS)), strict=True))
        self._ids: dict[str, str] = {}
        self._programs: list[Program] = []
        self._server: Program | None = None
        self._position = 0

    def __enter__(self) -> Self:
        tools = self._home / "bin"
        tools.mkdir()
        self._write_pgrep()
        path = [str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]
        self._environment = {
            **perdure_environment(),
            "PATH": os.pathsep.join(path),
            "PERDURE_INGRESS": self._ports["8080"],
            "PERDURE_ADMIN": self._ports["9070"],
            "PERDURE_ADMIN_URL": f"http://{self._ports['9070']}",
            "PERDURE_DATA": str(self._home / "perdure-data"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "80",
        }
        self._shell = _Shell(self.folder, self._environment)
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.close()
        for started in reversed(self._programs):
            started.kill()

    def address(self, usual_port: str) -> str:
        """The reader's own, `HOST:PORT`, in place of a port that pages name."""
        return self._ports[usual_port]

    def read(self) -> None:
        """Does what the page says, from its beginning to its end. Raises: AssertionError that names the line."""
        page = blocks(self.page)
        for block, following in zip(page, [*page[1:], None], strict=True):
            shown = following.text if following and not following.language and not following.before else None
            try:
                self._do(block, shown)
            except AssertionError as error:
                raise AssertionError(f"{self.page.name}, line {block.line}: {error}") from None

    @property
    def log(self) -> str:
        """All that the programs have printed."""
        return "".join(started.log.read_text("utf-8", errors="replace") for started in self._programs)

    def _do(self, block: Block, shown: str | None) -> None:
        """shown: what the page says that the commands print."""
        match block.language:
            case _ if "<!-- not run:" in block.before:
                pass
            case "python":
                name = file_name(block)
                if name:
                    (self.folder / name).write_text(self._own(block.text), "utf-8")
            case "sh" if "pip install" in block.text:
                pass  # it is installed from this checkout
            case "sh" if _SERVES.search(block.text):
                self._serve(self._own(block.text), block.before)
            case "sh" if shown is None:
                printed = self._shell.run(self._own(block.text))
                assert _FAILED not in printed, printed
            case "sh":
                self._compare(self._own(block.text), shown)
            case "text":
                self._await_printed(self._own(block.text))

    def _own(self, text: str) -> str:
        """The page's text with this reader's ports and ids."""
        for usual, address in self._ports.items():
            text = re.sub(rf"\b{usual}\b", address.rpartition(":")[2], text)
        return re.sub(_KINDS["id"], lambda match: self._ids.get(match[1], match[1]), text)

    def _serve(self, command: str, before: str) -> None:
        if _OWN_SERVER.match(command):
            self._stop_server(before)
        log = self._home / f"terminal-{len(self._programs)}.log"
        log.touch()
        started = Program(["bash", "-c", command], log, self._environment, folder=self.folder)
        self._programs.append(started)
        if _OWN_SERVER.match(command):
            self._server = started
        self._write_pgrep()
        ports = self._ports_of(command)

        def ready() -> bool:
            started.check()
            return all(map(_listens, ports))

        _wait(ready, lambda: f"nothing listens on {ports}:\n{started.log_end()}")
        self._position = 0

    def _ports_of(self, command: str) -> list[str]:
        """Where a program that serves will listen."""
        if _OWN_SERVER.match(command):
            return [self._ports[usual].rpartition(":")[2] for usual in PORTS[:2]]
        file = re.search(r"python (\S+)", command)
        text = (self.folder / file[1]).read_text("utf-8") if file else command
        return re.findall(r"(?:--bind \S+:|serve\()(\d+)", text)

    def _stop_server(self, before: str) -> None:
        """Where one server runs, a second one cannot start; its reader must have been told to stop it."""
        server = self._server
        if server is None:
            return
        if "Control-C" in before and server.is_running:
            server.interrupt()
        _wait(lambda: not server.is_running, lambda: "a server still runs, and nobody said to stop it")

    def _write_pgrep(self) -> None:
        """A `pgrep` that sees nobody's processes but this reader's."""
        sessions = ",".join(str(started.pid) for started in self._programs)
        shim = self._home / "bin" / "pgrep"
        shim.write_text(f'#!/bin/sh\nexec {shutil.which("pgrep")} -s "{sessions}" "$@"\n')
        shim.chmod(0o755)

    def _compare(self, commands: str, shown: str) -> None:
        """Types the commands; those that only look are typed again until what they print is what the page says."""
        only_look = all(_LOOKS.match(line) for line in commands.splitlines())
        printed = ""

        def same() -> bool:
            nonlocal printed
            printed = re.sub(rf"{_FAILED}.*\n", "", self._shell.run(commands))
            return self._matches(self._own(shown), _tidy(printed), whole=True) is not None

        def why() -> str:
            return f"the commands print\n{printed}\nand the page says\n{shown}"

        if only_look:
            _wait(same, why)
        else:
            assert same(), why()

    def _await_printed(self, expected: str) -> None:
        started = self._programs[-1]

        def there() -> bool:
            end = self._matches(expected, started.log.read_text("utf-8", errors="replace"), self._position)
            self._position = end or self._position
            return end is not None

        _wait(there, lambda: f"the program prints\n{started.log_end()}\nand the page says\n{expected}")

    def _matches(self, expected: str, seen: str, start: int = 0, whole: bool = False) -> int | None:
        """Where the expected lines end in what was seen, None if they are not there. start: where to look from.

        whole: nothing else is there; otherwise there may be other lines between them.
        """
        gap = r"(?:.*\n)*?"
        ids: list[str] = []
        parts = []
        for line in filter(str.strip, expected.splitlines()):
            if line.strip() == "…":
                parts.append(gap)
                continue
            parts.append(("" if whole else gap) + _pattern(line, ids))
        match = re.compile("".join(parts) + (r"\s*\Z" if whole else "")).match(seen, start)
        if match is None:
            return None
        for mine, own in zip(ids, match.groups(), strict=True):
            self._ids.setdefault(mine, own)
        return match.end()


def _tidy(seen: str) -> str:
    """Without empty lines, and without spaces at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in seen.splitlines() if line.strip())


def _pattern(line: str, ids: list[str]) -> str:
    """A regular expression for lines like this one; the ids in it are added to `ids`."""
    pattern, end = "", 0
    for match in _VARIES.finditer(line):
        pattern += _spaced(line[end : match.start()]) + _KINDS[match.lastgroup or ""]
        if match.lastgroup == "id":
            ids.append(match[0])
        end = match.end()
    return pattern + _spaced(line[end:]) + r"\n"


def _spaced(text: str) -> str:
    """Columns are as wide as their contents, which differ."""
    return re.sub(r"(\\ )+|─+", lambda run: "[ ─]+" if "─" in run[0] or len(run[0]) > 2 else " ", re.escape(text))


class _Shell:
    """A shell that somebody types into; variables stay. A command that fails says so in the output."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reading = threading.Thread(target=self._read, name="shell")
        self._reading.start()
        # Progress bars are for terminals, and curl cannot tell. An answer that is an error is a failure to be noticed.
        self.run('curl() { command curl -s --fail-with-body "$@"; }')
        self.run(f"trap 'echo; echo \"{_FAILED}$?: $BASH_COMMAND\"' ERR")

    def run(self, commands: str) -> str:
        """What they print. The user says yes to whatever they ask."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{{ {commands}\n}} <<<y\nprintf '\\n{_END}\\n'\n")
        self._process.stdin.flush()
        output = "".join(self._until_done(commands))
        return output.removesuffix("\n")

    def _until_done(self, commands: str) -> Iterator[str]:
        end = time.monotonic() + 2 * PATIENCE_S
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"this does not end: {commands}") from None
            if line.startswith(_END):
                return
            yield line

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._reading.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


def _listens(port: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(port)), 1).close()
    except OSError:
        return False
    return True


def _wait(what: Callable[[], bool], why: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, why()
        time.sleep(0.05)
