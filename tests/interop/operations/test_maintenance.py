"""A service is brought to rest as a whole, and goes on as if nothing had been."""

import pytest

from support.client import wait_for
from support.remotes import HttpRemote, Remote

from .conftest import Site

pytestmark = pytest.mark.interop


def test_a_service_is_paused_for_maintenance_and_resumed(site: Site, remote: Remote) -> None:
    client, service = site.client, f"Desk{site.name}"
    site.deploy("old")

    def tag(name: str) -> str:
        return f"{site.name}.{name}"

    running = client.send(f"{service}/busy/work", tag("running"))
    site.records.wait_for(tag("running"), "began")
    pending = [client.send(f"{service}/busy/work", tag(f"pending {number}")) for number in range(3)]
    suspended = client.send(f"{service}/asks/wait", tag("suspended"))
    awakeable = site.records.awakeable(tag("suspended"))
    client.wait_status(suspended, "suspended")
    someday = client.send(f"{service}/someday/work", tag("someday"), delay="1h")
    # Not before the pause is there, which takes a program of its own some time.
    delay = "2s" if isinstance(remote, HttpRemote) else "5s"
    soon = client.send(f"{service}/soon/work", tag("soon"), delay=delay)
    everything = [running, *pending, suspended, someday, soon]
    for number in range(3):
        site.records.release(tag(f"pending {number}"))

    paused = remote.do("pause", service)

    assert (set(paused.done), paused.refused) == (set(everything), {})
    # What goes on outside goes on: the block ends, the answer comes, the time passes.
    site.records.release(tag("running"))
    site.records.release(tag("soon"))
    client.resolve(awakeable, "the answer")
    for id in (running, suspended, soon):
        client.wait_status(id, "paused")
    assert [client.invocation(id)["status"] for id in pending] == ["pending"] * 3, "behind one that is paused"
    assert client.invocation(someday)["status"] == "scheduled"
    assert "Notification: Run" in [entry["entry_type"] for entry in site.journal(running)]
    assert site.records.lines(tag("running")) == ["began"], "the block ended, and the next step did not begin"
    assert "filed" not in site.records.lines(tag("suspended"))
    assert not any(site.records.lines(tag(name)) for name in ("soon", "someday", "pending 0", "pending 1", "pending 2"))
    assert all(row["pause_requested"] for row in map(client.invocation, [*pending, someday]))

    resumed = remote.do("resume", service)

    assert (set(resumed.done), resumed.refused) == (set(everything), {})
    assert [client.attach(id) for id in (running, *pending, soon)] == ["worked"] * 5
    assert client.attach(suspended) == "the answer"
    for name in ("running", "pending 0", "pending 1", "pending 2", "soon"):
        assert site.records.lines(tag(name)) == ["began", "filed"]
    assert client.invocation(someday)["status"] == "scheduled"
    assert not client.invocation(someday).get("pause_requested")
    ran = [client.invocation(id)["running_at"] for id in (running, *pending)]
    assert ran == sorted(ran), "the queue of the key kept its order"
    remote.do("cancel", someday)


def test_what_waits_can_be_resumed_on_the_newest_code(site: Site, remote: Remote) -> None:
    service = f"Desk{site.name}"
    site.deploy("old")
    later = site.client.send(f"{service}/key/work", f"{site.name}.later", delay="1h")
    assert remote.do("pause", service).refused == {}
    assert remote.do("resume", service, deployment="latest").refused == {}
    assert not site.client.invocation(later).get("pause_requested")
    wait_for(lambda: remote.do("kill", later).done, "the end")
