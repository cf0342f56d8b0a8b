"""`perdure deployments`: endpoints and the services they offer."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from perdure.cli import deployment_removal, queries, watching
from perdure.cli.admin_client import AdminClient, Answer
from perdure.cli.failures import BadUsage
from perdure.cli.nouns import noun, verb
from perdure.cli.options import DEFAULT_ADMIN_URL, DEFAULT_INTERVAL_S, AdminUrl, AsJson, Interval, Reason, Watch, Yes
from perdure.cli.output import confirm, readable_time, write_facts, write_json, write_line, write_table


def register(app: typer.Typer) -> None:
    group = noun(app, ("deployments", "deployment", "dp"), "Register, look at and remove endpoints.")
    verb(group, ("list", "ls"), list_deployments)
    verb(group, ("describe", "get"), describe_deployment)
    verb(group, ("register", "add", "discover"), register_deployment)
    deployment_removal.register(group)


def list_deployments(
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """List the registered deployments."""
    client = AdminClient(admin)
    watching.show(lambda: _list(client, as_json), watch, interval)


def _list(client: AdminClient, as_json: bool) -> None:
    found = client.part(client.get("/deployments"), "deployments")
    if as_json:
        write_json({"deployments": found})
    elif found:
        write_table(("deployment", "address", "transport", "protocol", "services", "created"), map(_row, found))
    else:
        write_line("No deployments. Register one with `perdure deployments register http://HOST:PORT`.")


def describe_deployment(
    id: Annotated[str, typer.Argument(metavar="ID", help="The deployment's id, dp_….")],
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Show a deployment and its services. And how many invocations depend on it."""
    client = AdminClient(admin)

    def look() -> None:
        found = client.get(f"/deployments/{quote(id, safe='')}").body
        newest = {one["name"]: one for one in client.part(client.get("/services"), "services")}
        pinned = client.query(queries.PINNED_COUNTS.format(deployment=queries.literal(id)))
        if as_json:
            write_json({"deployment": found, "invocations": pinned})
        else:
            _show_one(found, newest, pinned)

    watching.show(look, watch, interval)


def _show_one(deployment: dict[str, Any], newest: dict[str, dict[str, Any]], pinned: list[dict[str, Any]]) -> None:
    id, address, transport, protocol, _, created = _row(deployment)
    write_facts(
        [
            ("deployment", id),
            ("address", address),
            ("transport", transport),
            ("protocol", protocol),
            ("SDK", deployment.get("sdk_version")),
            ("created", created),
            *((f"header {name}", value) for name, value in (deployment.get("additional_headers") or {}).items()),
            *((f"metadata {name}", value) for name, value in (deployment.get("metadata") or {}).items()),
            ("invocations", ", ".join(f"{one['invocations']} {one['status']}" for one in pinned) or "none are pinned"),
        ]
    )
    rows = []
    for service in sorted(deployment["services"], key=lambda service: str(service["name"])):
        handlers = ", ".join(sorted(handler["name"] for handler in service.get("handlers") or ()))
        latest = newest.get(service["name"], {}).get("deployment_id") == id
        takes = "new invocations" if latest else "only what is pinned"
        rows.append((service["name"], service.get("ty"), service["revision"], handlers, takes))
    if rows:
        write_table(("service", "type", "revision", "handlers", "takes"), rows)


def _row(deployment: dict[str, Any]) -> tuple[object, ...]:
    services = (f"{service['name']} (revision {service['revision']})" for service in deployment["services"])
    transport = deployment.get("http_version", "Lambda")
    if deployment.get("protocol_type") == "RequestResponse":
        transport = f"{transport}, request/response"
    return (
        deployment["id"],
        deployment.get("uri") or deployment.get("arn"),
        transport,
        f"{deployment['min_protocol_version']} to {deployment['max_protocol_version']}",
        ", ".join(sorted(services)),
        readable_time(deployment["created_at"]),
    )


def register_deployment(
    uri: Annotated[str, typer.Argument(metavar="URI", help="Where the endpoint listens, http://HOST:PORT[/PATH].")],
    force: Annotated[bool, typer.Option("--force", help="Discover again what is already registered.")] = False,
    breaking: Annotated[bool, typer.Option("--breaking", help="Let services change their type.")] = False,
    use_http11: Annotated[bool, typer.Option("--use-http1.1", help="Speak HTTP/1.1 with the endpoint.")] = False,
    header: Annotated[
        list[str] | None, typer.Option("--header", "--extra-header", metavar="K=V", help="Sent with every request.")
    ] = None,
    metadata: Annotated[list[str] | None, typer.Option(metavar="K=V", help="Kept with the deployment.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be registered.")] = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Register an endpoint, so that its services can be called."""
    client = AdminClient(admin, reason)
    request: dict[str, Any] = {"uri": uri, "force": force, "breaking": breaking, "use_http_11": use_http11}
    if header:
        request["additional_headers"] = _pairs("--header", header)
    if metadata:
        request["metadata"] = _pairs("--metadata", metadata)
    planned = client.post("/deployments", {**request, "dry_run": True})
    planned_services = client.part(planned, "services")
    known = planned.status == 200
    if dry_run or (known and not force):
        _show(planned, "would be registered" if not known else "is already registered", uri, as_json, planned=dry_run)
        if known and not force and not as_json:
            write_line("Nothing was changed; --force discovers it again.")
        return
    if known or breaking:
        services = ", ".join(sorted(service["name"] for service in planned_services))
        confirm(f"Register {uri} again, in place of what is there ({services})?", yes=yes)
    done = client.post("/deployments", {**request, "dry_run": False})
    _show(done, "was discovered again" if known else "is registered", uri, as_json)


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise BadUsage(f"{option} `{text}` is not of the form key=value")
        pairs[key] = value
    return pairs


def _show(answer: Answer, what: str, uri: str, as_json: bool, *, planned: bool = False) -> None:
    body = answer.body
    if as_json:
        write_json({**body, "created": answer.status == 201, "dry_run": planned})
        return
    # The id of a new deployment in a dry run is made up and thrown away.
    write_line(f"{uri} {what}" + ("." if planned and answer.status == 201 else f" as {body['id']}."))
    rows = [
        (s["name"], s["ty"], s["revision"], ", ".join(sorted(handler["name"] for handler in s["handlers"])))
        for s in body["services"]
    ]
    if rows:
        write_table(("service", "type", "revision", "handlers"), sorted(rows))
    for service in body["services"]:
        for note in service.get("info") or ():
            write_line(f"{service['name']}: {note.get('code')}: {note['message']}")
