"""Real processes to be killed: the server, endpoints with the official SDK's services, and what they printed.

They are forked from a process that has imported everything already, so that a test can afford many starts.
"""

import contextlib
import multiprocessing
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from support.processes import free_addresses

SOURCES = Path(__file__).parents[2] / "src"

START_S = 20.0
"""A start takes a fraction of a second, or much longer on a machine that is busy with other tests."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["perdure.cli.main", "perdure.node.node", "perdure.node.dev", "uvloop", "restate", "hypercorn.asyncio", "httpx"]
)


def wait_for(what: Callable[[], Any], why: str, timeout: float = START_S) -> Any:
    """Looks again and again until `what()` is true; returns it."""
    end = time.monotonic() + timeout
    while not (found := what()):
        assert time.monotonic() < end, f"waited {timeout:g} s in vain: {why}"
        time.sleep(0.01)
    return found


def _redirected(run: Callable[..., None], out: str, err: str, environment: dict[str, str], *arguments: Any) -> None:
    for path, number in ((out, 1), (err, 2)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    os.environ.update(environment)
    run(*arguments)


def run_perdure(arguments: list[str], folder: str) -> None:
    """What the `perdure` command runs."""
    from perdure.cli.main import app

    os.chdir(folder)
    app(arguments)


def run_endpoint(path: str, port: int) -> None:
    """Serves the `app` of a Python file over HTTP/2, as users of the official SDK do."""
    import asyncio
    import runpy

    import hypercorn.asyncio
    import hypercorn.config

    config = hypercorn.config.Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = None
    app = runpy.run_path(path)["app"]
    asyncio.run(hypercorn.asyncio.serve(app, config))


class Program:
    """One program that can be started again after it was killed. What it prints is kept over all its lives."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        self._out.touch()
        self._err.touch()
        # Workers are started as programs of their own, and the package may be on the path of the tests alone.
        self._environment = {"PYTHONPATH": str(SOURCES), **(environment or {})}
        self._process: BaseProcess | None = None

    def _spawn(self, run: Callable[..., None], *arguments: Any) -> None:
        assert self._process is None or not self._process.is_alive()
        target = (run, str(self._out), str(self._err), self._environment, *arguments)
        self._process = _context.Process(target=_redirected, args=target)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def kill(self) -> None:
        """SIGKILL, and waits until the kernel is done with it."""
        assert self._process is not None
        self._process.kill()
        self._process.join()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def exit_code(self, timeout: float = START_S) -> int:
        """Waits for the end."""
        assert self._process is not None
        self._process.join(timeout)
        assert self._process.exitcode is not None, f"still running after {timeout:g} s\n{self.errors()}"
        return self._process.exitcode

    def output(self) -> str:
        return self._out.read_text(errors="replace")

    def errors(self) -> str:
        return self._err.read_text(errors="replace")

    def close(self) -> None:
        if self.running:
            self.kill()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class Server(Program):
    """`perdure up` or `perdure dev`. The ports are chosen at the first start and kept."""

    def __init__(self, folder: Path, *command: str, environment: dict[str, str] | None = None) -> None:
        super().__init__("server", folder, environment)
        self.data = folder / "data"
        self._command = list(command) or ["up"]
        self._ports = (0, 0)

    @property
    def ingress(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    @property
    def admin(self) -> str:
        return f"http://127.0.0.1:{self._ports[1]}"

    def take_ports(self, ingress: int = 0, admin: int = 0) -> None:
        """Instead of ports of the system's choice."""
        self._ports = (ingress, admin)

    def launch(self) -> None:
        """Starts without waiting for anything."""
        flags = [f"--ingress=127.0.0.1:{self._ports[0]}", f"--admin=127.0.0.1:{self._ports[1]}", f"--data={self.data}"]
        self._spawn(run_perdure, [*self._command, *flags], str(self.folder))

    def start(self) -> None:
        """Returns when it takes requests."""
        before = len(self.output())

        def addresses() -> list[str]:
            assert self.running, f"the server ended:\n{self.errors()}"
            return re.findall(r"http://127\.0\.0\.1:(\d+)", self.output()[before:])[:2]

        self.launch()
        wait_for(lambda: len(addresses()) == 2, "the server does not start")
        ingress, admin = map(int, addresses())
        self._ports = (ingress, admin)

    def stop(self, timeout: float = 15.0) -> None:
        """As an operator stops it."""
        self.signal(signal.SIGTERM)
        assert self.exit_code(timeout) == 0, self.errors()

    def children(self) -> list[int]:
        """Process ids of its workers."""
        listed = (path.read_text() for path in Path(f"/proc/{self.pid}/task").glob("*/children"))
        found = [int(pid) for text in listed for pid in text.split()]
        return [pid for pid in found if b"perdure.worker" in _command_line(pid)]


class Endpoint(Program):
    """Services of the official SDK behind HTTP/2."""

    def __init__(self, folder: Path, path: Path, environment: dict[str, str] | None = None) -> None:
        super().__init__("endpoint", folder, environment)
        self._path = path
        self.port = int(free_addresses(1)[0].rpartition(":")[2])
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._spawn(run_endpoint, str(self._path), self.port)

        def listens() -> bool:
            assert self.running, f"the endpoint ended:\n{self.errors()}"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            return False

        wait_for(listens, "the endpoint does not start")


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
