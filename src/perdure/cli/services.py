"""`perdure services`: what can be called, how it does, and its settings."""

from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from perdure.cli import queries, service_config, watching
from perdure.cli.admin_client import AdminClient
from perdure.cli.nouns import noun, verb
from perdure.cli.options import DEFAULT_ADMIN_URL, DEFAULT_INTERVAL_S, AdminUrl, AsJson, Interval, Watch
from perdure.cli.output import first_line, readable_time, write_facts, write_json, write_line, write_table

SETTINGS: Final = (
    "idempotency_retention",
    "workflow_completion_retention",
    "journal_retention",
    "inactivity_timeout",
    "abort_timeout",
)
NO_SERVICES: Final = "No services. Register an endpoint with `perdure deployments register http://HOST:PORT`."

ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="Name of a service, object or workflow.")]


def register(app: typer.Typer) -> None:
    group = noun(app, ("services", "service", "svc"), "Look at services and change their settings.")
    verb(group, ("list", "ls"), list_services)
    verb(group, ("describe", "get"), describe_service)
    verb(group, ("status",), service_status)
    service_config.register(group)


def list_services(
    public_only: Annotated[bool, typer.Option("--public-only", help="Only those that the ingress offers.")] = False,
    extra: Annotated[bool, typer.Option("--extra", help="Deployment and address too.")] = False,
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """List the services in their newest revision."""
    client = AdminClient(admin)

    def look() -> None:
        found = client.part(client.get("/services"), "services")
        found = sorted((s for s in found if s["public"] or not public_only), key=lambda service: str(service["name"]))
        if as_json:
            write_json({"services": found})
        elif not found:
            write_line(NO_SERVICES)
        else:
            _show_list(client, found, extra)

    watching.show(look, watch, interval)


def _show_list(client: AdminClient, services: list[dict[str, Any]], extra: bool) -> None:
    columns: tuple[str, ...] = ("service", "type", "revision", "public", "handlers")
    addresses = {}
    if extra:
        columns = (*columns, "deployment", "address")
        deployments = client.part(client.get("/deployments"), "deployments")
        addresses = {one["id"]: one.get("uri") or one.get("arn") for one in deployments}
    rows = []
    for service in services:
        handlers = ", ".join(sorted(handler["name"] for handler in service["handlers"]))
        public = "yes" if service["public"] else "no"
        row: tuple[object, ...] = (service["name"], service["ty"], service["revision"], public, handlers)
        rows.append((*row, service["deployment_id"], addresses.get(service["deployment_id"])) if extra else row)
    write_table(columns, rows)


def describe_service(
    service: ServiceName,
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Show a service, its settings, handlers and deployments."""
    client = AdminClient(admin)

    def look() -> None:
        found = client.get(f"/services/{quote(service, safe='')}").body
        deployments = [
            {**one, "revision": listed["revision"]}
            for one in client.part(client.get("/deployments"), "deployments")
            for listed in one["services"]
            if listed["name"] == service
        ]
        deployments.sort(key=lambda one: one["revision"], reverse=True)
        if as_json:
            write_json({"service": found, "deployments": deployments})
        else:
            _show_one(found, deployments)

    watching.show(look, watch, interval)


def _show_one(service: dict[str, Any], deployments: list[dict[str, Any]]) -> None:
    policy = service.get("retry_policy") or {}
    write_facts(
        [
            ("service", service["name"]),
            ("type", service["ty"]),
            ("revision", service["revision"]),
            ("public", "yes" if service["public"] else "no"),
            ("documentation", service.get("documentation")),
            *((name.replace("_", " "), service.get(name)) for name in SETTINGS),
            *((f"retry {name.replace('_', ' ')}", value) for name, value in policy.items()),
            *((f"metadata {name}", value) for name, value in (service.get("metadata") or {}).items()),
            *(("note", f"{note.get('code')}: {note['message']}") for note in service.get("info") or ()),
        ]
    )
    write_table(
        ("handler", "type", "input", "output", "public"),
        (
            (
                handler["name"],
                handler.get("ty", "Service"),
                handler.get("input_description"),
                handler.get("output_description"),
                "yes" if handler.get("public", True) else "no",
            )
            for handler in sorted(service["handlers"], key=lambda handler: str(handler["name"]))
        ),
    )
    if deployments:
        write_table(
            ("deployment", "address", "revision", "created"),
            (
                (one["id"], one.get("uri") or one.get("arn"), one["revision"], readable_time(one["created_at"]))
                for one in deployments
            ),
        )


def service_status(
    service: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="Only of this one; else of all.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most locked keys and oldest ones to show.")] = 10,
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Show invocations by handler and status. And the longest-standing ones, and locked keys."""
    client = AdminClient(admin)

    def look() -> None:
        if service is not None:
            client.get(f"/services/{quote(service, safe='')}")  # a name that is not one is refused, not shown as idle
        where = f" AND target_service_name = {queries.literal(service)}" if service is not None else ""
        locked = f" WHERE service_name = {queries.literal(service)}" if service is not None else ""
        document = {
            "handlers": client.query(queries.HANDLER_COUNTS.format(where=where)),
            "oldest": client.query(queries.OLDEST.format(where=where, limit=limit)),
            "locked": client.query(queries.LOCKED.format(where=locked, limit=limit)),
        }
        if as_json:
            write_json(document)
        else:
            _show_status(document)

    watching.show(look, watch, interval)


def _show_status(document: dict[str, list[dict[str, Any]]]) -> None:
    if not document["handlers"]:
        write_line("Nothing is waiting or running.")
        return
    write_table(
        ("service", "handler", "status", "invocations", "oldest"),
        (
            (c["service"], c["handler"], c["status"], c["invocations"], readable_time(c.get("oldest")))
            for c in document["handlers"]
        ),
    )
    write_line("The longest-standing ones")
    write_table(
        ("invocation", "target", "status", "created", "last failure"),
        (
            (i["id"], i["target"], i["status"], readable_time(i["created_at"]), first_line(i.get("last_failure") or ""))
            for i in document["oldest"]
        ),
    )
    if document["locked"]:
        write_line("Locked keys")
        write_table(
            ("service", "key", "held by"),
            ((k["service_name"], k["service_key"], k.get("invocation_id")) for k in document["locked"]),
        )
