"""A server, an endpoint with many deployments, and the two ways to steer what runs there."""

import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.client import Client
from support.records import Records
from support.remotes import REMOTES, Remote
from support.servers import perdure, served

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Site:
    """The server, and the endpoint's address."""

    client: Client
    endpoint: str
    records: Records
    name: str = ""
    """Ends the names of the test's own services."""

    def deploy(self, variant: str) -> str:
        """Registers the services in this variant; returns the deployment's id."""
        return str(self.client.register(f"{self.endpoint}/{variant}-{self.name}")["id"])

    def rows(self, service: str) -> list[dict[str, Any]]:
        return self.client.query(
            f"SELECT * FROM sys_invocation WHERE target_service_name = '{service}' ORDER BY created_at, id"
        )

    def statuses(self, service: str) -> dict[str, int]:
        """How many invocations are in which status."""
        counted = self.client.query(
            f"SELECT status, COUNT(*) AS n FROM sys_invocation WHERE target_service_name = '{service}' GROUP BY status"
        )
        return {row["status"]: row["n"] for row in counted}

    def journal(self, invocation: str) -> list[dict[str, Any]]:
        return self.client.query(f"SELECT * FROM sys_journal WHERE id = '{invocation}' ORDER BY index")

    def events(self, invocation: str, kind: str) -> list[str]:
        rows = self.client.query(
            f"SELECT event_json FROM sys_journal_events WHERE id = '{invocation}' AND event_type = '{kind}'"
            " ORDER BY appended_at"
        )
        return [row["event_json"] for row in rows]


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("operations")
    (folder / "records").mkdir()
    records = Records(folder / "records")
    environment = {**records.environment, "PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, str(HERE / "endpoint.py")]
    with served(command, folder / "endpoint.log", environment) as uri, perdure(folder, {}) as client:
        yield Site(client, uri, records)


@pytest.fixture
def site(shared_site: Site) -> Site:
    """With services that no other test has."""
    return Site(shared_site.client, shared_site.endpoint, shared_site.records, uuid.uuid4().hex[:8])


@pytest.fixture(params=sorted(REMOTES))
def remote(request: pytest.FixtureRequest, shared_site: Site) -> Remote:
    return REMOTES[request.param](shared_site.client)
