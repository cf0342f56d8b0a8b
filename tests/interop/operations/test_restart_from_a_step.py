"""A failed claim is run again from the step before the failure; an agent has a picture drawn again."""

from functools import partial
from typing import Any

import pytest

from support.client import wait_for
from support.remotes import CommandLineRemote, HttpRemote, Remote, perdure_program

from .conftest import Site

pytestmark = pytest.mark.interop

PEOPLE = ("ann", "bob", "cy")


def failed_claim(site: Site) -> tuple[str, str]:
    """Approved by everybody, and failed in the conversion: its id and tag."""
    tag = f"{site.name}.claim"
    id = site.client.send(f"Claims{site.name}/settle", {"tag": tag, "amount": "20 EUR"})
    for person in PEOPLE:
        site.client.resolve(site.records.awakeable(tag, f"{person} "), f"fine, {person}")
    failure = site.client.failure(id)
    assert (failure.status, failure.body["message"]) == (422, "no rate for EUR")
    return id, tag


def settled(site: Site, old: str, new: str | None, tag: str, deployment: str) -> None:
    """The new claim was paid with the approvals of the old one."""
    assert new is not None
    assert site.client.attach(new) == {"approved": [f"fine, {person}" for person in PEOPLE], "paid": 40.0}
    lines = site.records.lines(tag)
    assert [line.split()[0] for line in lines] == ["parsed", *PEOPLE, "noted", "paid"], "no step is done twice"
    row = site.client.invocation(new)
    assert (row["restarted_from"], row["pinned_deployment_id"]) == (old, deployment)


@pytest.mark.parametrize("step", ["index", "name"])
def test_a_claim_is_restarted_from_the_step_before_the_failure(site: Site, remote: Remote, step: str) -> None:
    if isinstance(remote, HttpRemote) and step == "name":
        pytest.skip("the admin API counts; names are the command line's")
    site.deploy("old")
    id, tag = failed_claim(site)
    new = site.deploy("new")
    [index] = [entry["index"] for entry in site.journal(id) if entry.get("name") == "note approvals"]
    answer = remote.do("restart-as-new", id, **{"from": str(index) if step == "index" else "note approvals"})
    settled(site, id, answer.done[id], tag, new)


def test_claims_are_restarted_in_bulk_from_a_step(site: Site) -> None:
    site.deploy("old")
    id, tag = failed_claim(site)
    new = site.deploy("new")
    remote = CommandLineRemote(site.client)
    answer = remote.do("restart-as-new", f"Claims{site.name}/settle", **{"from": "note approvals"})
    settled(site, id, answer.done[id], tag, new)


def test_on_the_old_code_the_failure_comes_again(site: Site, remote: Remote) -> None:
    old = site.deploy("old")
    id, tag = failed_claim(site)
    site.deploy("new")
    [index] = [entry["index"] for entry in site.journal(id) if entry.get("name") == "note approvals"]
    again = remote.do("restart-as-new", id, **{"from": str(index), "deployment": old}).done[id]
    assert again is not None
    assert site.client.failure(again).status == 422
    assert site.records.lines(tag).count("noted") == 1


def test_from_the_start_everybody_is_asked_again(site: Site, remote: Remote) -> None:
    site.deploy("old")
    id, tag = failed_claim(site)
    site.deploy("new")
    again = remote.do("restart-as-new", id).done[id]
    assert again is not None
    for person in PEOPLE:
        wait_for(partial(asked_twice, site, tag, person), f"{person} to be asked again")
        site.client.resolve(asked(site, tag, person)[1], "again")
    assert site.client.attach(again)["approved"] == ["again"] * 3


def asked_twice(site: Site, tag: str, person: str) -> bool:
    return len(asked(site, tag, person)) == 2


def asked(site: Site, tag: str, person: str) -> list[str]:
    return [line.split()[1] for line in site.records.lines(tag) if line.startswith(f"{person} ")]


def test_a_handler_has_another_invocation_run_again(site: Site, remote: Remote) -> None:
    """Regenerate: the operation is a step like any other, done once."""
    site.deploy("old")
    service, tag = f"Studio{site.name}", f"{site.name}.picture"
    id = site.client.send(f"{service}/draw", tag)
    assert site.client.attach(id) == "sketch 1, painting 1"
    [index] = [entry["index"] for entry in site.journal(id) if entry.get("name") == "sketch"]
    wanted: dict[str, Any] = {"tag": f"{tag}.log"}
    if isinstance(remote, HttpRemote):
        url = f"{site.client.admin}/invocations/{id}/restart-as-new?from={index}"
        wanted["request"] = ["PATCH", f"{url}&actor=director&reason=regenerate"]
    else:
        options = ["--from", "sketch", "--reason", "regenerate", "--json", "--admin", site.client.admin]
        wanted["command"] = [*perdure_program(), "invocations", "restart-as-new", id, *options]
    assert site.client.call(f"{service}/regenerate", wanted) == "sketch 1, painting 2"
    assert site.records.lines(f"{tag}.log") == ["restart"]
    assert '"reason":"regenerate"' in site.events(id, "Operation")[-1]
