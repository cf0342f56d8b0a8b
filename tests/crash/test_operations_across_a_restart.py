"""The server dies while many are steered: what was answered is done, and the rest is done by asking again."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from support.client import Client
from support.remotes import REMOTES

from .ledger import check_invariants
from .processes import Endpoint, Server, wait_for

pytestmark = pytest.mark.crash

SERVICES = Path(__file__).with_name("operated.py")
MANY = 40


@pytest.mark.parametrize("verb", ["pause", "kill"])
@pytest.mark.parametrize("way", sorted(REMOTES))
def test_the_server_dies_while_many_are_steered(tmp_path: Path, way: str, verb: str) -> None:
    traces = tmp_path / "traces"
    traces.mkdir()
    with Endpoint(tmp_path, SERVICES, {"CRASH_TRACES": str(traces)}) as endpoint, Server(tmp_path) as server:
        endpoint.start()
        server.start()
        client = Client(server.ingress, server.admin)
        try:
            client.register(endpoint.url)
            ids = [client.send("Work/ask", f"t{number}") for number in range(MANY)]
            wait_for(lambda: len(awakeables(traces)) == MANY, "all to wait")
            steer_and_crash(server, client, way, verb)
            assert_all_steered(client, traces, ids, verb)
        finally:
            client.close()
        server.stop()
        check_invariants(server.data)


def steer_and_crash(server: Server, client: Client, way: str, verb: str) -> None:
    """Until all is done, by asking again after the crash."""
    reached = {"pause": "paused", "kill": "completed"}[verb]
    remote = REMOTES[way](client)
    with ThreadPoolExecutor(1) as pool:
        steering = pool.submit(remote.do, verb, "Work")
        # In the middle of it, if it is fast enough to be seen there; else right behind it.
        wait_for(lambda: steering.done() or statuses(client).get(reached), "the operation to begin")
        server.kill()
        try:
            told = steering.result().done
        except httpx.TransportError:
            told = {}
    server.start()
    now = {row["id"]: row["status"] for row in client.query("SELECT id, status FROM sys_invocation")}
    assert {now[id] for id in told} <= {reached}, "what was answered is done, also after a crash"
    if statuses(client) != {reached: MANY}:
        assert remote.do(verb, "Work").refused == {}
    wait_for(lambda: statuses(client) == {reached: MANY}, "the rest to be done")


def assert_all_steered(client: Client, traces: Path, ids: list[str], verb: str) -> None:
    if verb == "kill":
        assert {client.failure(id).body["message"] for id in ids} == {"killed"}
        assert not any("undo" in (traces / f"t{number}").read_text() for number in range(MANY))
        return
    for awakeable in awakeables(traces):
        client.resolve(awakeable, "yes")
    assert statuses(client) == {"paused": MANY}
    for id in ids:
        client.operate(id, "resume")
    assert [client.attach(id).split()[:2] for id in ids] == [[f"t{number}", "ask"] for number in range(MANY)]


def awakeables(traces: Path) -> list[str]:
    path = traces / "awakeables"
    return [line.split()[1] for line in path.read_text().splitlines()] if path.exists() else []


def statuses(client: Client) -> dict[str, int]:
    counted = client.query("SELECT status, COUNT(*) AS n FROM sys_invocation GROUP BY status")
    return {row["status"]: row["n"] for row in counted}
