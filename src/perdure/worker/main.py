"""The worker process: `python -m perdure.worker FILE[:APP]|module:app --link-fd N`.

Loads the app, says `ready` over the link and serves it until the link closes or SIGTERM comes. A worker never
outlives its engine, also when a handler blocks the loop or a thread of it will not end.
"""

import argparse
import asyncio
import gc
import os
import select
import signal
import socket
import sys
import threading

from perdure.http.asgi_bridge import AsgiHost, LifespanFailed
from perdure.worker import frames
from perdure.worker.loader import LoadError, load_app
from perdure.worker.server import WorkerServer
from perdure.worker.watchdog import Watchdog

SHUTDOWN_GRACE_S = 3.0
"""Time for the app's own shutdown after the link closed or SIGTERM came; then the process ends regardless."""

EXIT_LOAD_FAILED = 1


def main(arguments: list[str]) -> int:
    """Returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m perdure.worker", description="Serves one app over a worker link.")
    parser.add_argument("target", metavar="FILE[:APP]|module:app")
    parser.add_argument("--link-fd", type=int, required=True, help="number of the inherited, connected socket")
    options = parser.parse_args(arguments)
    try:
        link = socket.socket(fileno=options.link_fd)
    except OSError as error:
        parser.error(f"--link-fd {options.link_fd}: {error.strerror}")
    link.setblocking(False)
    # Inherited on purpose from the engine, and not meant for what the handlers start.
    os.set_inheritable(link.fileno(), False)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(options.target, link))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


async def _serve(target: str, link: socket.socket) -> int:
    loop = asyncio.get_running_loop()
    _exit_with_peer(link.fileno())
    stopping = asyncio.Event()

    def terminate(_signal: int, _frame: object) -> None:
        # A plain handler, not the loop's: it also runs while a handler blocks the loop.
        _exit_within(SHUTDOWN_GRACE_S)
        loop.call_soon_threadsafe(stopping.set)

    signal.signal(signal.SIGTERM, terminate)
    # Control-C in the terminal goes to the whole group; the engine decides what becomes of its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # As the server does, if less so. Here, so that what the app sets counts.
    gc.set_threshold(10_000, 20, 20)
    try:
        host = AsgiHost(load_app(target))
        failure = None
    except LoadError as error:
        failure = str(error)
    if failure is None:
        try:
            await host.start()
        except LifespanFailed as error:
            failure = f"the app in {target} did not start: {error}"
    if failure is not None:
        await _report_failure(link, failure)
        return EXIT_LOAD_FAILED
    # The app and its libraries stay for good: the collector need not walk them again and again.
    gc.collect()
    gc.freeze()
    _, server = await loop.create_connection(lambda: WorkerServer(host), sock=link)
    server.announce(frames.Ready(pid=os.getpid()))
    Watchdog(loop)
    await _first_of(server.closed, stopping)
    _exit_within(SHUTDOWN_GRACE_S)
    server.disconnect_all()
    await host.stop()
    server.hang_up()
    return 0


async def _report_failure(link: socket.socket, reason: str) -> None:
    payload = frames.encode(frames.Failed(reason[:4000]))
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(SHUTDOWN_GRACE_S):
            await loop.sock_sendall(link, frames.frame(0, frames.CONTROL, payload))
            link.shutdown(socket.SHUT_WR)
            # Closing with unread frames would reset the socket under the engine before it has read the reason.
            while await loop.sock_recv(link, 65536):
                pass
    except (OSError, TimeoutError):
        print(reason, file=sys.stderr, flush=True)  # the engine, which would have said it, is gone
    finally:
        link.close()


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for waiter in waiting:
        waiter.cancel()


def _exit_with_peer(link_fd: int) -> None:
    """Ends the process soon after the engine's end of the link is gone, even if the loop is blocked."""
    own = os.dup(link_fd)

    def watch() -> None:
        poll = select.poll()
        poll.register(own, 0)  # no data is asked for: only hang-up and error are reported
        while not poll.poll():
            pass
        _exit_within(SHUTDOWN_GRACE_S)

    threading.Thread(target=watch, name="worker-link-watch", daemon=True).start()


def _exit_within(seconds: float) -> None:
    # SIGKILL-like on purpose: a thread that blocks would keep a normal interpreter exit waiting.
    timer = threading.Timer(seconds, os._exit, args=(0,))
    timer.daemon = True
    timer.start()
