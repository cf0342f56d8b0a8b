"""Bugs are fixed under running invocations, and wrong code is taken back."""

import json

import pytest

from support.client import wait_for
from support.remotes import CommandLineRemote, Remote, run_perdure

from .conftest import Site

pytestmark = pytest.mark.interop

READERS = 30


def test_paused_invocations_go_on_with_the_fix_from_where_they_were(site: Site, remote: Remote) -> None:
    service = f"Reader{site.name}"
    old = site.deploy("old")
    tags = [f"{site.name}.{number}" for number in range(READERS)]
    sent = [site.client.send(f"{service}/read", {"tag": tag, "text": "1,000"}) for tag in tags]
    wait_for(lambda: site.statuses(service) == {"paused": READERS}, "all to be paused")
    assert all(site.records.lines(tag) == ["fetched", "parsed", "parsed", "parsed"] for tag in tags)
    paused = site.rows(service)
    assert {row["pinned_deployment_id"] for row in paused} == {old}
    assert {row["last_failure_related_command_name"] for row in paused} == {"parse"}

    new = site.deploy("new")
    answer = remote.do("resume", service, deployment="latest")

    assert (set(answer.done), answer.refused) == (set(sent), {})
    assert [site.client.attach(id) for id in sent] == [1000.0] * READERS
    assert all(site.records.lines(tag) == ["fetched", *["parsed"] * 4, "stored"] for tag in tags)
    assert {row["pinned_deployment_id"] for row in site.rows(service)} == {new}


def test_code_that_does_not_fit_the_journal_is_named_and_taken_back(site: Site, remote: Remote) -> None:
    """The new code ships first, where the journal has a charge."""
    service, tag = f"Order{site.name}", f"{site.name}.order"
    old = site.deploy("old")
    id = site.client.send(f"{service}/process", tag)
    awakeable = site.records.awakeable(tag)
    site.client.wait_status(id, "suspended")
    site.deploy("new")

    assert remote.do("resume", id, deployment="latest").refused == {}

    row = site.client.wait_status(id, "paused")
    assert row["last_failure"].startswith("[570 Journal mismatch]")
    assert row["last_failure_error_code"] == "RT0016"
    assert row["last_failure_related_command_index"] == 1
    assert row["last_failure_related_command_type"] == "Run"
    assert {"charge", "ship"} <= set(words(row["last_failure"])), "the recorded command and the issued one"
    last = json.loads(site.events(id, "Paused")[-1])["last_failure"]
    assert (last["restate_doc_error_code"], last["related_command_index"]) == ("RT0016", 1)
    described = run_perdure(site.client.admin, "invocations", "describe", id).stdout
    assert "RT0016" in described
    assert {"charge", "ship"} <= set(words(described))
    assert f"--deployment {old}" in described, "the way back"
    assert json.loads(site.events(id, "Operation")[-1])["moved_from"] == old

    assert remote.do("resume", id, deployment=old).refused == {}
    site.client.resolve(awakeable, "signed")
    assert site.client.attach(id) == "charge then ship"
    assert [line for line in site.records.lines(tag) if line in ("charge", "ship")] == ["charge", "ship"]


def words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text).split()


def test_a_deployment_that_is_not_there_is_refused(site: Site, remote: Remote) -> None:
    service, tag = f"Order{site.name}", f"{site.name}.order"
    site.deploy("old")
    id = site.client.send(f"{service}/process", tag)
    site.client.wait_status(id, "suspended")
    [reason] = remote.do("resume", id, deployment="dp_106v8EeZcV5JEnDoDh8E4RX").refused.values()
    assert reason == f"The given deployment was not found when trying to resume the invocation '{id}'."
    remote.do("kill", id)


def test_retry_now_ends_a_back_off(site: Site, remote: Remote) -> None:
    """Its policy would wait for twenty seconds, longer than this test; an operator knows that waiting is over."""
    service, tag = f"Agent{site.name}", f"{site.name}.agent"
    site.deploy("old")
    id = site.client.send(f"{service}/answer", tag)

    def backing_off(attempts: int) -> bool:
        row = site.client.wait_status(id, "backing-off")
        return bool(row["retry_count"] >= attempts)

    wait_for(lambda: backing_off(3), "a long back-off")
    assert remote.do("retry-now", id).refused == {}
    wait_for(lambda: backing_off(4), "the next attempt")
    remote.do("kill", service)


def test_the_command_line_says_what_a_bulk_operation_left_out(site: Site) -> None:
    service = f"Order{site.name}"
    site.deploy("old")
    for number in range(3):
        site.client.send(f"{service}/process", f"{site.name}.{number}")
    wait_for(lambda: site.statuses(service) == {"suspended": 3}, "all to be suspended")
    remote = CommandLineRemote(site.client)
    assert len(remote.do("kill", service, limit="2").done) == 2
    assert len(remote.do("kill", service, limit="2").done) == 1
