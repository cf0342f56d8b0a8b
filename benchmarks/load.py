"""A load generator that costs little: closed-loop callers over kept HTTP/1.1 connections, in a process of its own.

Prints one JSON object. While it measures it reads the processor time of the watched processes, so that
load and cost are of the same window.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvloop

TICKS = os.sysconf("SC_CLK_TCK")
DRAIN_S = 30.0


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of the processes so far."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def busy_seconds() -> float:
    """Processor time of everything on this machine so far; not the time that processors were idle."""
    with open("/proc/stat", "rb") as file:
        user, nice, system, _idle, _iowait, irq, softirq = map(int, file.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS


class Run:
    """What all callers share."""

    def __init__(self, count: int | None) -> None:
        self.left = count
        self.measuring = count is not None
        self.stopping = False
        self.latencies: list[float] = []
        self.errors: dict[str, int] = {}
        self.idle = asyncio.Event()
        self.active = 0

    def take(self) -> bool:
        """True: the caller may send one more."""
        if self.stopping or self.left == 0:
            self.leave()
            return False
        if self.left is not None:
            self.left -= 1
        return True

    def leave(self) -> None:
        self.active -= 1
        if self.active == 0:
            self.idle.set()

    def join(self) -> None:
        """One caller more, who will `leave`."""
        self.active += 1

    def fail(self, what: str) -> None:
        self.errors[what] = self.errors.get(what, 0) + 1


class Caller(asyncio.Protocol):
    """Sends, waits for the answer, sends again."""

    def __init__(self, run: Run, request: bytes) -> None:
        self._run = run
        self._request = request
        self._buffer = b""
        self._sent_at = 0.0
        self._done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not call themselves one.
        self._transport = cast(asyncio.Transport, transport)
        self._run.join()
        self._next()

    def _next(self) -> None:
        if not self._run.take():
            self._done = True
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        head = data.find(b"\r\n\r\n")
        if head < 0 or not _is_complete(data, head):
            self._buffer = data
            return
        self._buffer = b""
        run = self._run
        if run.measuring:
            if data[9:12] == b"200":
                run.latencies.append(time.perf_counter() - self._sent_at)
            else:
                run.fail(data[:300].decode("latin-1"))
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done:
            self._run.fail(f"connection lost: {error}")
            self._run.leave()


def _is_complete(data: bytes, head: int) -> bool:
    lower = data[:head].lower()
    at = lower.find(b"content-length:")
    if at < 0:
        return b"chunked" not in lower or data.endswith(b"0\r\n\r\n")
    end = lower.find(b"\r\n", at)
    length = int(lower[at + 15 : end if end > 0 else len(lower)])
    return len(data) >= head + 4 + length


def percentile(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


async def measure(
    options: argparse.Namespace, watched: dict[str, list[int]], start: Callable[[Run], Awaitable[None]]
) -> dict[str, Any]:
    """One window. watched: processes by name.  start: begins to call, so often at once as the options say."""
    run = Run(options.count)

    def snapshot() -> tuple[float, dict[str, float], float]:
        return time.perf_counter(), {name: cpu_seconds(pids) for name, pids in watched.items()}, busy_seconds()

    begin = snapshot()
    await start(run)
    if options.count is None:
        await asyncio.sleep(options.warmup)
        run.measuring = True
        begin = snapshot()
        await asyncio.sleep(options.seconds)
        run.measuring = False
        end = snapshot()
        run.stopping = True
        async with asyncio.timeout(DRAIN_S):
            await run.idle.wait()
    else:
        async with asyncio.timeout(options.seconds):
            await run.idle.wait()
        end = snapshot()
    ordered = sorted(run.latencies)
    cpu = {name: end[1][name] - begin[1][name] for name in watched}
    seconds = end[0] - begin[0]
    foreign = max(0.0, end[2] - begin[2] - sum(cpu.values()))
    return {
        "seconds": seconds,
        "count": len(ordered),
        "errors": run.errors,
        "p50": percentile(ordered, 0.50),
        "p99": percentile(ordered, 0.99),
        "cpu": cpu,
        # What others took of the machine meanwhile, of all its processors together.
        "foreign": foreign / seconds / (os.cpu_count() or 1),
    }


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What every generator of load is told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--path", required=True, help="`{caller}` stands for the caller's number")
    parser.add_argument("--body", default="")
    parser.add_argument("--callers", type=int, default=1)
    parser.add_argument("--warmup", type=float, default=0.5, help="seconds before the window")
    parser.add_argument("--seconds", type=float, default=5.0, help="the window, or the limit when --count is given")
    parser.add_argument("--count", type=int, help="that many calls instead of a window")
    return parser


def _split(text: str) -> tuple[str, str, str]:
    return text.partition(":")


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--watch", action="append", default=[], metavar="NAME:PID,PID")
    options = parser.parse_args()
    watched = {name: [int(pid) for pid in pids.split(",") if pid] for name, _, pids in map(_split, options.watch)}
    watched["load"] = [os.getpid()]

    async def start(run: Run) -> None:
        loop = asyncio.get_running_loop()
        for number in range(options.callers):
            path = options.path.replace("{caller}", str(number))
            request = (
                f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                f"content-length: {len(options.body)}\r\n\r\n{options.body}"
            ).encode()
            await loop.create_connection(lambda request=request: Caller(run, request), "127.0.0.1", options.port)

    print(json.dumps(uvloop.run(measure(options, watched, start))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
