"""Hundreds of agents wait for a tool that is gone; an operator finds them and calls them off."""

import json

import pytest

from support.client import wait_for
from support.remotes import Remote

from .conftest import Site

pytestmark = pytest.mark.interop

AGENTS = 200


def test_agents_stuck_on_a_dead_endpoint_are_cancelled_in_one_command(site: Site, remote: Remote) -> None:
    service = f"Agent{site.name}"
    site.deploy("old")
    tags = [f"{site.name}.{number}" for number in range(AGENTS)]
    for tag in tags:
        site.client.send(f"{service}/answer", tag)
    stuck = f"SELECT id, last_failure FROM sys_invocation WHERE target_service_name = '{service}'"
    wait_for(lambda: len(site.client.query(f"{stuck} AND status = 'backing-off'")) == AGENTS, "all to be stuck", 30)
    assert all("refused" in row["last_failure"] for row in site.client.query(stuck))

    answer = remote.do("cancel", service, reason="the tool is gone")

    assert (len(answer.done), answer.refused) == (AGENTS, {})
    wait_for(lambda: site.statuses(service) == {"completed": AGENTS}, "all to end", 30)
    assert {row["completion_failure"] for row in site.rows(service)} == {"[409] cancelled"}
    assert {tuple(site.records.lines(tag)) for tag in tags} == {("opened", "closed")}
    assert {reason(site, id) for id in answer.done} == {"the tool is gone"}


def reason(site: Site, invocation: str) -> str:
    """Why somebody steered it, as the events tell."""
    (told,) = (json.loads(event) for event in site.events(invocation, "Operation"))
    return str(told["reason"])
