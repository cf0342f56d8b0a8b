"""What one invocation costs the server: processor time, syscalls and syncs, with handlers that cost next to nothing.

`python benchmarks/cost.py [--tree DIR]... ` compares source trees, in turn, so that a busy machine is as bad for one as
for the other: processor time says then more than the clock. `--trace` counts syscalls with strace instead.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from contestants import BIN, ROOT, SERVICES, is_worker
from processes import Process, answers, free_ports, listens, post, tree

LOAD = Path(__file__).resolve().parent / "load.py"

CALLS = {
    "echo": ("/Echo/echo", 1),
    "run3": ("/Steps/run3", 1),
    "run10": ("/Steps/run10", 1),
    "slow10": ("/SlowSteps/run10", 1),
    "counter": ("/Counter/c{caller}/add", 1),
}
COUNTS = {"echo": 1600, "run3": 800, "run10": 400, "slow10": 400, "counter": 1600}


class Server:
    """One running server of one tree, reached in one way: `embedded`, `link` or `http2`."""

    def __init__(self, tree_: Path, way: str, folder: Path) -> None:
        self.label = tree_.name
        self.ingress, admin, port = free_ports(3)
        self.service: Process | None = None
        environment = {"PYTHONPATH": f"{tree_ / 'src'}:{SERVICES}"}
        folder.mkdir(parents=True)
        listen = [f"127.0.0.1:{self.ingress}", f"127.0.0.1:{admin}"]
        options = ["--data", str(folder / "data"), "--ingress", listen[0], "--admin", listen[1]]
        if way == "embedded":
            command = [sys.executable, str(SERVICES / "embedded.py"), str(folder / "data"), *listen]
        elif way == "link":
            command = [str(BIN / "perdure"), "dev", str(SERVICES / "bare_app.py"), *options]
        else:
            command = [str(BIN / "perdure"), "up", *options]
        self.server = Process(f"{self.label} {way}", command, folder / "server.log", environment)
        self.server.wait_for(lambda: answers(f"http://127.0.0.1:{admin}/health"), "answer to /health")
        if way == "http2":
            command = [sys.executable, str(SERVICES / "bare_app.py"), str(port)]
            self.service = Process("services", command, folder / "service.log", environment)
            self.service.wait_for(lambda: listens(port), "listening socket")
            post(f"http://127.0.0.1:{admin}/deployments", json.dumps({"uri": f"http://127.0.0.1:{port}"}).encode())
        self.server.wait_for(lambda: self._callable, "answer to a first call")

    @property
    def _callable(self) -> bool:
        try:
            return post(f"http://127.0.0.1:{self.ingress}/Echo/echo", b'"ready"') == b"1"
        except Exception:
            return False

    @property
    def pids(self) -> list[int]:
        return [pid for pid in tree(self.server.pid) if not is_worker(pid)]

    def load(self, call: str, callers: int, count: int) -> dict:
        path, _ = CALLS[call]
        command = [sys.executable, str(LOAD), "--port", str(self.ingress), "--path", path, "--body", '"hello"']
        command += ["--callers", str(callers), "--count", str(count), "--seconds", "300"]
        before = self._cpu_seconds()
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        found["cpu"] = self._cpu_seconds() - before
        if found["errors"]:
            raise SystemExit(f"{self.label}: {found['errors']}")
        return found

    def _cpu_seconds(self) -> float:
        """Processor time so far, to the nanosecond: `stat` counts in ticks, which are too coarse for short rounds."""
        total = 0
        for pid in self.pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def trace(self, call: str, callers: int, count: int) -> dict[str, float]:
        """Syscalls for each invocation, by name."""
        with tempfile.NamedTemporaryFile() as output:
            pids = [argument for pid in self.pids for argument in ("-p", str(pid))]
            strace = subprocess.Popen(["strace", "-f", "-c", "-o", output.name, *pids], stderr=subprocess.DEVNULL)
            time.sleep(0.5)
            self.load(call, callers, count)
            strace.send_signal(signal.SIGINT)
            strace.wait()
            lines = Path(output.name).read_text().splitlines()
        found = {}
        for line in lines:
            if match := re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?([a-z_0-9]+)$", line):
                found[match[2]] = int(match[1]) / count
        return found

    def stop(self) -> None:
        for process in (self.server, self.service):
            if process is not None:
                process.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, action="append", help="source trees to compare; this one if none is given")
    parser.add_argument("--way", action="append", choices=("embedded", "link", "http2"))
    parser.add_argument("--call", action="append", choices=tuple(CALLS))
    parser.add_argument("--callers", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of calls in a round")
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args()
    trees = [tree_.resolve() for tree_ in options.tree or [ROOT]]
    os.chdir(Path(__file__).resolve().parent)
    folder = Path(tempfile.mkdtemp(prefix="perdure-cost-"))
    try:
        for way in options.way or ("embedded", "link", "http2"):
            with contextlib.ExitStack() as stack:
                servers = []
                for number, tree_ in enumerate(trees):
                    server = Server(tree_, way, folder / f"{way}-{number}")
                    stack.callback(server.stop)
                    servers.append(server)
                for callers in options.callers or (64, 1):
                    for call in options.call or tuple(CALLS):
                        count = int(COUNTS[call] * options.scale * (1 if callers > 1 else 0.25))
                        if options.trace:
                            _trace(servers, way, call, callers, count)
                        else:
                            _measure(servers, way, call, callers, count, options.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _measure(servers: list[Server], way: str, call: str, callers: int, count: int, rounds: int) -> None:
    for server in servers:
        server.load(call, callers, max(count // 4, callers))
    cpu: list[list[float]] = [[] for _ in servers]
    p50: list[list[float]] = [[] for _ in servers]
    rate: list[list[float]] = [[] for _ in servers]
    for _ in range(rounds):
        for number, server in enumerate(servers):
            found = server.load(call, callers, count)
            cpu[number].append(found["cpu"] / count * 1e6)
            p50[number].append(found["p50"] * 1e3)
            rate[number].append(count / found["seconds"])
    for number, server in enumerate(servers):
        print(
            f"{way:9} {call:8} x{callers:<3} {server.label:10} "
            f"cpu {statistics.median(cpu[number]):8.1f} us (least {min(cpu[number]):8.1f})   "
            f"p50 {statistics.median(p50[number]):7.3f} ms   {statistics.median(rate[number]):8.0f}/s",
            flush=True,
        )


def _trace(servers: list[Server], way: str, call: str, callers: int, count: int) -> None:
    for server in servers:
        found = server.trace(call, callers, count)
        names = sorted(found, key=lambda name: -found[name])
        shown = ", ".join(f"{name} {found[name]:.2f}" for name in names if found[name] >= 0.02)
        print(f"{way:9} {call:8} x{callers:<3} {server.label:10} {sum(found.values()):6.2f}: {shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
