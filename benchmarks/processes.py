"""Starting and ending the measured processes, and reading what they use from /proc."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

START_S = 60.0
STOP_S = 15.0


class Failed(Exception):
    """A measured process did not do what it should; the text has the end of its log."""


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Process:
    """One program in a session of its own, with its output in a file."""

    def __init__(self, name: str, command: list[str], log: Path, env: dict[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def wait_for(self, ready: Callable[[], bool], what: str, seconds: float = START_S) -> float:
        """Seconds until `ready`. Raises: Failed."""
        started = time.perf_counter()
        while not ready():
            if self._popen.poll() is not None:
                raise Failed(f"{self.name} ended with status {self._popen.returncode}:\n{self._tail()}")
            if time.perf_counter() - started > seconds:
                raise Failed(f"{self.name}: no {what} within {seconds:g} s:\n{self._tail()}")
            time.sleep(0.01)
        return time.perf_counter() - started

    def stop(self) -> None:
        """Asks the process to end, then ends its whole group."""
        if self._popen.poll() is None:
            self._popen.terminate()
            try:
                self._popen.wait(STOP_S)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._popen.wait()

    def _tail(self) -> str:
        return self.log.read_text("utf-8", "replace")[-2000:]


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def memory_mib(pids: list[int]) -> tuple[float, float]:
    """Resident memory now, and at its peak (VmRSS, VmHWM), summed."""
    now = peak = 0
    for pid in pids:
        try:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    now += int(line.split()[1])
                elif line.startswith("VmHWM:"):
                    peak += int(line.split()[1])
        except OSError:
            continue
    return now / 1024, peak / 1024


def answers(url: str) -> bool:
    """True: a GET is answered with 2xx."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (OSError, urllib.error.URLError):
        return False


def post(url: str, body: bytes, timeout: float = 30.0) -> bytes:
    """The answer to a JSON POST. Raises: Failed with the server's words."""
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        raise Failed(f"POST {url}: {error.code} {error.read().decode(errors='replace')[:500]}") from None


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
