"""`perdure whoami` and `perdure status`: whom one talks to, and how it does."""

import platform
from typing import Any

import typer

from perdure import __version__
from perdure.cli import queries, watching
from perdure.cli.admin_client import AdminClient
from perdure.cli.nouns import verb
from perdure.cli.options import DEFAULT_ADMIN_URL, DEFAULT_INTERVAL_S, AdminUrl, AsJson, Interval, Watch
from perdure.cli.output import write_facts, write_json, write_line, write_table


def register(app: typer.Typer) -> None:
    verb(app, ("whoami",), whoami)
    verb(app, ("status",), status)


def whoami(as_json: AsJson = False, admin: AdminUrl = DEFAULT_ADMIN_URL) -> None:
    """Show which program, server and addresses are in use."""
    client = AdminClient(admin)
    server = client.get("/version").body
    client.get("/health")
    document = {"version": __version__, "python": platform.python_version(), "admin": client.url, "server": server}
    if as_json:
        write_json(document)
    else:
        write_facts(
            [("program", f"perdure {__version__}, Python {platform.python_version()}"), *_server(client, server)]
        )


def status(
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Show the server, and the invocations in each status. And how much is registered."""
    client = AdminClient(admin)

    def look() -> None:
        server = client.get("/version").body
        client.get("/health")
        deployments = client.part(client.get("/deployments"), "deployments")
        services = client.part(client.get("/services"), "services")
        counts = client.query(queries.STATUS_COUNTS)
        if as_json:
            document = {"admin": client.url, "server": server, "deployments": len(deployments)}
            write_json({**document, "services": len(services), "invocations": counts})
            return
        facts = [*_server(client, server), ("deployments", len(deployments)), ("services", len(services))]
        write_facts(facts)
        if counts:
            write_table(("status", "invocations"), ((one["status"], one["invocations"]) for one in counts))
        else:
            write_line("No invocations.")
        if any(one["status"] == "paused" for one in counts):
            write_line("Paused ones wait for somebody: `perdure invocations list --status paused`.")

    watching.show(look, watch, interval)


def _server(client: AdminClient, server: dict[str, Any]) -> list[tuple[str, object]]:
    own = server.get("perdure_version")
    return [
        ("server", f"Perdure {own}, compatible with {server['version']}" if own else server["version"]),
        ("health", "healthy"),
        ("admin", client.url),
        ("ingress", server.get("ingress_endpoint")),
    ]
