"""Workers of `perdure dev` that die, block or hoard, and what the engine makes of it."""

import os
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from .ledger import check_invariants
from .processes import Server, wait_for

pytestmark = pytest.mark.crash

EAGER = """
[retry]
initial_interval = "20ms"
max_interval = "100ms"
"""
IMPATIENT = """
[timeouts]
inactivity = "300ms"
abort = "500ms"
"""


class Stage:
    """`perdure dev` on the handlers in `trouble.py`."""

    def __init__(self, folder: Path, workers: int = 1, settings: str = EAGER) -> None:
        self.traces = folder / "traces"
        self.traces.mkdir()
        self.code = folder / "trouble.py"
        shutil.copy(Path(__file__).with_name("trouble.py"), self.code)
        config = folder / "settings.toml"
        config.write_text(settings)
        command = ["dev", str(self.code), f"--config={config}", f"--workers={workers}"]
        self.server = Server(folder, *command, environment={"CRASH_TRACES": str(self.traces)})
        self._pool = ThreadPoolExecutor(8)

    def call(self, handler: str, name: str) -> str:
        headers = {"idempotency-key": f"{handler}-{name}"}
        answer = httpx.post(f"{self.server.ingress}/Trouble/{handler}", json=name, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return str(answer.json())

    def begin(self, handler: str, name: str) -> "Future[str]":
        """Calls in the background; returns when the handler has begun its mischief."""
        call = self._pool.submit(self.call, handler, name)

        def begun() -> bool:
            assert not call.done(), call.result()
            return (self.traces / name).exists()

        wait_for(begun, f"{handler} does not begin")
        return call

    def said(self, text: str) -> str:
        """The one line on stderr with that text."""
        lines = wait_for(lambda: [line for line in self.server.errors().splitlines() if text in line], f"no: {text}")
        assert len(lines) == 1, lines
        return str(lines[0])

    def close(self) -> None:
        self.server.close()
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = Stage(tmp_path, **getattr(request, "param", {}))
    try:
        stage.server.start()
        yield stage
    finally:
        stage.close()


def test_a_worker_dies_and_everything_goes_on(stage: Stage) -> None:
    server = stage.server
    waiting = stage.begin("wait", "w1")
    (killed,) = server.children()
    os.kill(killed, signal.SIGKILL)
    assert waiting.result() == "w1"
    assert f"worker {killed} died: killed by SIGKILL" in stage.said("SIGKILL")
    (fresh,) = server.children()
    assert stage.call("fine", "f1") == f"f1 from {fresh}"

    assert stage.call("exits", "e1") == "e1"
    assert "exited with status 3" in stage.said("status 3")

    assert stage.call("allocates", "a1") == "a1"
    stage.said("MemoryError")
    server.stop()
    check_invariants(server.data)


@pytest.mark.parametrize("stage", [{"workers": 2, "settings": EAGER + IMPATIENT}], indirect=True, ids=["two"])
def test_a_worker_that_is_blocked_holds_up_nobody_else(stage: Stage) -> None:
    blocked = stage.begin("blocks", "b1")
    workers = stage.server.children()
    assert len(workers) == 2
    answers = [stage.call("fine", f"f{number}") for number in range(4)]
    assert all(answer.startswith("f") for answer in answers)
    assert blocked.result() == "b1"
    assert "(blocks)" in stage.said("blocks its worker")
    assert httpx.get(f"{stage.server.admin}/health", timeout=5).status_code == 200


def test_stopping_in_the_middle_and_going_on(stage: Stage) -> None:
    server = stage.server
    headers = {"idempotency-key": "wait-w1"}
    sent = httpx.post(f"{server.ingress}/Trouble/wait/send", json="w1", headers=headers, timeout=20)
    assert sent.status_code == 202
    wait_for((stage.traces / "w1").exists, "it does not begin")
    workers = server.children()
    server.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers), "a worker outlives its server"
    check_invariants(server.data)
    server.start()
    assert stage.call("wait", "w1") == "w1"


def test_a_killed_server_takes_its_workers_with_it(stage: Stage) -> None:
    server = stage.server
    stage.begin("wait", "w1")
    workers = server.children()
    assert workers
    server.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "an orphan", 10)


def test_saving_the_file_retries_at_once_on_the_new_code(stage: Stage) -> None:
    running = stage.begin("wait", "w1")
    stage.code.write_text(stage.code.read_text().replace("return value", 'return f"new {value}"'))
    assert running.result(20) == "new w1"
    stage.said("Reloaded")
    stage.code.write_text("this is no Python")
    stage.said("The old code goes on")
    assert stage.call("fine", "f1").startswith("f1")
