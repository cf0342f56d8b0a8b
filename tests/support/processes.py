"""Programs that a test starts and ends: each in a session of its own, each with a log."""

import os
import random
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from itertools import count, islice
from pathlib import Path

STOP_S = 10.0
"""Time for a program to end by itself before it is killed."""


_PORTS = range(15_000, 32_000)
"""Below those that the system gives to whoever asks for any: one that was free stays so until a program takes it."""

_places = count(random.randrange(len(_PORTS)))
"""In turn, so that none comes again soon; from anywhere, since another run of tests may be under way."""


def free_addresses(wanted: int) -> list[str]:
    """So many different addresses `127.0.0.1:PORT` that nobody uses now."""
    ports = (_PORTS[place % len(_PORTS)] for place in _places)
    return [f"127.0.0.1:{port}" for port in islice(filter(is_free, ports), wanted)]


def is_free(port: int) -> bool:
    """Whether a server may listen there now."""
    with socket.socket() as sock:
        # As servers do: what is left of an earlier connection is no hindrance.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def listening_socket() -> socket.socket:
    """A socket for a child to inherit: callers may connect before the child accepts, so nobody has to wait for it."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=256)
    sock.set_inheritable(True)
    return sock


class Program:
    """A running program."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        inherit: Sequence[socket.socket] = (),
        folder: Path | None = None,
    ) -> None:
        """log: takes both outputs.  environment: added to ours.  inherit: open in the child under the same number.

        folder: where it runs; None: where we do.
        """
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                pass_fds=[sock.fileno() for sock in inherit],
                start_new_session=True,
                cwd=folder,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raises: AssertionError with the end of the log when the program is no more."""
        status = self._process.poll()
        if status is not None:
            raise AssertionError(f"{self._process.args!r} ended with {status}; its log ends:\n{self.log_end()}")

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def interrupt(self) -> None:
        """Control-C, and waits for the end."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(STOP_S)

    def log_end(self) -> str:
        """The last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def stop(self) -> None:
        """Asks the program to end, and kills it with its children when it does not."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self) -> None:
        """Kills the program and what it started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # the whole group has ended by itself
        self._process.wait(STOP_S)
