"""The server, the endpoint or the worker is killed while invocations of an official SDK are under way; they go on."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.client import Client, wait_for
from support.processes import listening_socket
from support.records import Records
from support.servers import PYTHON_SERVICES, perdure, python_services, reference, typescript_services

SERVERS = [
    pytest.param(perdure, id="perdure", marks=pytest.mark.interop),
    pytest.param(reference, id="reference", marks=pytest.mark.reference),
]
SDKS = [pytest.param(python_services, id="python"), pytest.param(typescript_services, id="typescript")]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    folder = tmp_path / "records"
    folder.mkdir()
    return Records(folder)


class UnderWay:
    """Invocations in every state in which a crash may meet them."""

    def __init__(self, client: Client, records: Records, tag: str) -> None:
        self._records = records
        self._tag = tag
        self.live = client.send("Waiter/awakeable", f"{tag}.live")
        self.suspended = client.send("QuickWaiter/awakeable", f"{tag}.suspended")
        self.running = client.send("Waiter/wait", {"tag": f"{tag}.running", "point": "run"})
        self.calling = client.send("Remote/attach", self.live)
        self.workflow = client.send(f"Approval/{tag}/run", f"{tag}.workflow")
        self.sleeping = client.send("QuickWaiter/sleep", 300)
        self.scheduled = client.send("Steps/run", {"tag": f"{tag}.scheduled", "count": 2}, delay="300ms")
        self.done = client.send("Steps/run", {"tag": f"{tag}.done", "count": 2})
        assert client.attach(self.done) == ["result 0", "result 1"]
        client.wait_status(self.suspended, "suspended")
        records.wait_for(f"{tag}.running", "running")
        records.wait_for(f"{tag}.workflow", "notified")
        self._awakeables = [records.awakeable(f"{tag}.{name}") for name in ("live", "suspended")]

    def finish(self, client: Client) -> None:
        """After the crash: gives each what it waits for, and checks the results."""
        for awakeable in self._awakeables:
            client.resolve(awakeable, "resolved")
        self._records.release(f"{self._tag}.running")
        client.call(f"Approval/{self._tag}/decide", "yes")
        results: dict[str, Any] = {
            self.live: {"value": "resolved"},
            self.suspended: {"value": "resolved"},
            self.running: "ran",
            self.calling: {"value": "resolved"},
            self.workflow: {"key": self._tag, "decision": "yes"},
            self.sleeping: "slept",
            self.scheduled: ["result 0", "result 1"],
            self.done: ["result 0", "result 1"],
        }
        assert {invocation: client.attach(invocation) for invocation in results} == results
        # What had a durable result before the crash was not done again.
        for name, expected in [("live", 1), ("suspended", 1), ("workflow", 1), ("done", 2)]:
            assert len(self._records.lines(f"{self._tag}.{name}")) == expected
        # Its time may have come just before the crash, with a step under way that had no durable result yet.
        assert sorted(set(self._records.lines(f"{self._tag}.scheduled"))) == ["step 0", "step 1"]


@pytest.mark.parametrize("services", SDKS)
@pytest.mark.parametrize("server", SERVERS)
def test_the_server_is_killed(server: Any, services: Any, tmp_path: Path, records: Records, tag: str) -> None:
    with services(tmp_path, records.environment) as uri:
        with server(tmp_path, {}, kill=True) as client:
            client.register(uri)
            under_way = UnderWay(client, records, tag)
        with server(tmp_path, {}) as client:
            under_way.finish(client)


@pytest.mark.interop
@pytest.mark.parametrize("services", SDKS)
def test_the_server_is_killed_while_a_cancel_waits(services: Any, tmp_path: Path, records: Records, tag: str) -> None:
    patient = {"PERDURE_CANCEL_GRACE": "1 hour"}
    with services(tmp_path, records.environment) as uri:
        with perdure(tmp_path, patient, kill=True) as client:
            client.register(uri)
            root = client.send("Tree/grow", {"tag": tag, "depth": 2, "slow": True})
            records.wait_for(tag, "pay 0")
            client.operate(root, "cancel")
            records.wait_for(tag, "settling")
        with perdure(tmp_path, patient) as client:
            records.release(tag)
            assert client.failure(root).status == 409
    undone = [line for line in records.lines(tag) if line.startswith("undo")]
    assert undone == [f"undo {step} {depth}" for depth in range(3) for step in ("pay", "reserve")]


@pytest.mark.parametrize("http_11", [False, True], ids=["http2", "http1"])
@pytest.mark.parametrize("server", SERVERS)
def test_the_endpoint_is_killed(server: Any, http_11: bool, tmp_path: Path, records: Records, tag: str) -> None:
    with listening_socket() as sock, server(tmp_path, {}) as client:
        with python_services(tmp_path, records.environment, sock) as uri:
            client.register(uri, use_http_11=http_11)
            under_way = UnderWay(client, records, tag)
        with python_services(tmp_path, records.environment, sock):
            under_way.finish(client)


@pytest.fixture
def dev(tmp_path: Path, records: Records) -> Iterator[Client]:
    with ExitStack() as resources:
        client = resources.enter_context(perdure(tmp_path, records.environment, dev=PYTHON_SERVICES))
        wait_for(lambda: client.call("Echo/echo", 1), "the services of the worker to be registered", 30)
        yield client


@pytest.mark.interop
def test_a_handler_takes_its_worker_down(dev: Client, records: Records, tag: str) -> None:
    under_way = UnderWay(dev, records, f"{tag}.others")
    assert dev.call("Fragile/crash", tag) == 1
    assert records.lines(tag) == ["before", "attempt", "attempt"]
    under_way.finish(dev)
