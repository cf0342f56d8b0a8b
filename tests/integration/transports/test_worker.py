"""The worker process: loading, blocking, dying."""

import asyncio
import os
import signal
import socket
import textwrap

import pytest

from perdure.invoker.link import WorkerFailed, connect_link
from perdure.invoker.transport import TransportError
from perdure.worker import frames

from .exchange import WAIT_S, Exchange, ask
from .peers import ECHO_APP, end, worker

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

ANSWERING_APP = """
    async def {name}(scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": {text}.encode()}})
"""


def write_app(path, *, before="", name="app", text="'yes'"):
    path.write_text(textwrap.dedent(before) + textwrap.dedent(ANSWERING_APP.format(name=name, text=text)))
    return str(path)


async def test_a_file_whose_name_is_no_identifier_and_its_neighbour(tmp_path):
    (tmp_path / "neighbour.py").write_text("WORD = 'from next door'")
    target = write_app(tmp_path / "my-agent.py", before="import neighbour", text="neighbour.WORD")
    async with worker(target) as (transport, process):
        assert (await transport.ready).pid == process.pid
        assert await ask(transport, "/") == "from next door"


async def test_an_app_by_name(tmp_path):
    target = write_app(tmp_path / "service.py", name="other")
    async with worker(f"{target}:other") as (transport, _process):
        assert await ask(transport, "/") == "yes"


async def test_a_module(tmp_path, monkeypatch):
    write_app(tmp_path / "service_module.py")
    monkeypatch.chdir(tmp_path)
    async with worker("service_module:app") as (transport, _process):
        assert await ask(transport, "/") == "yes"


@pytest.mark.parametrize(
    ("code", "name", "reason"),
    [
        (None, "", "no such file"),
        ("import no_such_module", "", "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:", "", "cannot be imported: SyntaxError"),
        ("raise SystemExit(3)", "", "cannot be imported: SystemExit: 3"),
        ("x = 1", "", "has no `app`"),
        ("x = 1", ":x", "not an ASGI app"),
    ],
)
async def test_what_cannot_be_loaded_is_reported_in_one_line(tmp_path, code, name, reason):
    path = tmp_path / "agent.py"
    if code is not None:
        path.write_text(code)
    async with worker(f"{path}{name}") as (transport, process):
        early = Exchange(transport, "GET", "/")
        with pytest.raises(WorkerFailed) as failed:
            await transport.ready
        await early.wait_for_failure()
        assert await asyncio.to_thread(process.wait, 10) == 1
        stderr = process.stderr.read().decode()
    assert reason in str(failed.value)
    assert str(path) in str(failed.value)
    assert "\n" not in str(failed.value)
    # The engine says it; a traceback is there for code that ran, and begins with it.
    assert reason not in stderr
    ran = code is not None and code.startswith(("import", "raise"))
    assert ("Traceback" in stderr) == ran
    assert "loader.py" not in stderr


async def test_a_startup_that_fails_is_reported(tmp_path):
    path = tmp_path / "agent.py"
    path.write_text(
        textwrap.dedent("""
        async def app(scope, receive, send):
            await receive()
            await send({"type": "lifespan.startup.failed", "message": "no database"})
        """)
    )
    async with worker(str(path)) as (transport, _process):
        with pytest.raises(WorkerFailed, match="did not start: no database"):
            await transport.ready


async def test_a_blocked_worker_leaves_the_engine_free_and_still_ends():
    async with worker(str(ECHO_APP)) as (transport, process):
        blocking = Exchange(transport, "POST", "/sleep")
        await blocking.wait_for_head()
        # Far more than the sockets take: it must wait in the stream's queue, not in the loop.
        waiting = Exchange(transport, "POST", "/sink")
        waiting.stream.send(b"x" * 50_000_000)
        waiting.stream.half_close()
        assert waiting.stream.queued >= 50_000_000 - frames.WINDOW
        await transport.close()
        assert waiting.over
        await asyncio.to_thread(process.wait, 10)


async def test_credit_bounds_what_a_handler_that_does_not_read_is_sent():
    async with worker(str(ECHO_APP)) as (transport, _process):
        holding = Exchange(transport, "POST", "/hold/credit")
        holding.stream.send(b"x" * 8_000_000)
        holding.stream.half_close()
        assert await ask(transport, "/sent/nothing") == "0"
        assert holding.stream.queued == 8_000_000 - frames.WINDOW
        await ask(transport, "/release/credit")
        assert await holding.wait_for_end() == b"8000000"
        assert holding.stream.queued == 0


async def test_sigkill_fails_open_exchanges_and_later_ones():
    async with worker(str(ECHO_APP)) as (transport, process):
        exchange = Exchange(transport, "POST", "/watch/kill")
        await exchange.wait_for(1)
        process.kill()
        assert "worker is gone" in str(await exchange.wait_for_failure())
        async with asyncio.timeout(WAIT_S):
            await transport.lost.wait()
        assert "not running" in str(await Exchange(transport, "POST", "/echo").wait_for_failure())


async def test_a_worker_that_dies_before_it_is_ready(tmp_path):
    path = tmp_path / "agent.py"
    path.write_text("import os; os._exit(9)")
    async with worker(str(path)) as (transport, _process):
        with pytest.raises(TransportError, match="worker is gone") as failed:
            await transport.ready
    assert not isinstance(failed.value, WorkerFailed)


@pytest.mark.parametrize("route", ["/watch/term", "/sleep"])
async def test_sigterm_ends_a_busy_worker(route):
    async with worker(str(ECHO_APP)) as (transport, process):
        exchange = Exchange(transport, "POST", route)
        await exchange.wait_for_head()
        process.send_signal(signal.SIGTERM)
        await exchange.wait_for_failure()
        assert await asyncio.to_thread(process.wait, 10) == 0


async def test_shutdown_runs_when_the_engine_goes(tmp_path):
    path, trace = tmp_path / "agent.py", tmp_path / "trace"
    path.write_text(
        textwrap.dedent(f"""
        async def app(scope, receive, send):
            await receive()
            await send({{"type": "lifespan.startup.complete"}})
            await receive()
            open({str(trace)!r}, "w").write("cleaned up")
            await send({{"type": "lifespan.shutdown.complete"}})
        """)
    )
    async with worker(str(path)) as (transport, process):
        await transport.ready
        await transport.close()
        assert await asyncio.to_thread(process.wait, 10) == 0
    assert trace.read_text() == "cleaned up"


async def test_what_handlers_start_does_not_keep_the_link(tmp_path):
    """A child process of a handler outlives the worker, and the engine sees the worker's end nevertheless."""
    before = "import subprocess\nchild = subprocess.Popen(['sleep', '600'], close_fds=False)\n"
    target = write_app(tmp_path / "agent.py", before=before, text="str(child.pid)")
    async with worker(target) as (transport, process):
        child = int(await ask(transport, "/"))
        try:
            process.kill()
            async with asyncio.timeout(WAIT_S):
                await transport.lost.wait()
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 100, b"\0\0\0\1\2\0\0\0\1\xc1"])
async def test_garbage_on_the_link_fails_what_is_open(garbage):
    ours, theirs = socket.socketpair()
    with theirs:
        transport = await connect_link(ours)
        exchange = Exchange(transport, "POST", "/")
        theirs.send(garbage)
        assert "format" in str(await exchange.wait_for_failure())
        with pytest.raises(TransportError, match="format"):
            await transport.ready
        await transport.close()


async def test_frames_of_forgotten_streams_are_ignored():
    ours, theirs = socket.socketpair()
    with theirs:
        transport = await connect_link(ours)
        abandoned, exchange = Exchange(transport, "POST", "/"), Exchange(transport, "POST", "/")
        abandoned.stream.reset()
        head = frames.encode(frames.HeadPayload(200, []))
        for stream in (1, 77, 2):
            theirs.send(frames.frame(stream, frames.HEAD, head) + frames.frame(stream, frames.DATA, b"x"))
            theirs.send(frames.frame(stream, frames.CREDIT, frames.encode_credit(10)))
            theirs.send(frames.frame(stream, frames.END))
        assert await exchange.wait_for_end() == b"x"
        assert abandoned.status is None
        await transport.close()


def test_bad_usage_is_said_in_one_line():
    import subprocess
    import sys

    from .peers import worker_environment

    process = subprocess.Popen(
        [sys.executable, "-m", "perdure.worker", "x.py", "--link-fd", "77"],
        stderr=subprocess.PIPE,
        env=worker_environment(),
    )
    stderr = process.stderr.read().decode()
    end(process)
    assert process.returncode == 2
    assert "--link-fd 77" in stderr
