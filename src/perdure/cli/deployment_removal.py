"""`perdure deployments remove`: not while something depends on it, unless forced.

The server removes at once or not at all, so whether a deployment is drained is worked out here.
"""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from perdure.cli import queries
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import StillNeeded
from perdure.cli.nouns import verb
from perdure.cli.options import DEFAULT_ADMIN_URL, AdminUrl, AsJson, Reason, Yes
from perdure.cli.output import confirm, write_json, write_line


def register(group: typer.Typer) -> None:
    verb(group, ("remove", "rm"), remove_deployment)


def remove_deployment(
    id: Annotated[str, typer.Argument(metavar="ID", help="The deployment's id, dp_….")],
    force: Annotated[bool, typer.Option("--force", help="Also when services and invocations depend on it.")] = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Remove a deployment that is drained. No invocation is pinned to it, and newer ones offer its services."""
    client = AdminClient(admin, reason)
    path = f"/deployments/{quote(id, safe='')}"
    deployment = client.get(path).body
    needs = _needs(client, id)
    if needs and not force:
        raise StillNeeded(
            f"{id} is not drained: {'; '.join(needs)}. Register a newer deployment and let them finish, or remove it"
            " with --force"
        )
    address = deployment.get("uri") or deployment.get("arn")
    consequence = f", although {'; '.join(needs)}" if needs else ", which is drained"
    confirm(f"Remove {id} at {address}{consequence}?", yes=yes)
    client.delete(path, force="true")
    if as_json:
        write_json({"deployment": id, "removed": True, "was_needed": needs})
    else:
        write_line(f"{id} is removed.")


def _needs(client: AdminClient, id: str) -> list[str]:
    """Everything that keeps it from being drained, as parts of a sentence."""
    pinned: list[dict[str, Any]] = client.query(queries.PINNED_COUNTS.format(deployment=queries.literal(id)))
    needs = []
    if pinned:
        counts = ", ".join(f"{one['invocations']} {one['status']}" for one in pinned)
        needs.append(f"invocations are pinned to it ({counts})")
    offered = sorted(
        service["name"]
        for service in client.part(client.get("/services"), "services")
        if service["deployment_id"] == id
    )
    if offered:
        needs.append(f"it takes the new invocations of {', '.join(offered)}")
    return needs
