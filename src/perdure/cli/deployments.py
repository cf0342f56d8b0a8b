"""`perdure deployments`: endpoints and the services they offer."""

from typing import Annotated, Any

import typer

from perdure.cli.admin_client import AdminClient, Answer
from perdure.cli.failures import BadUsage
from perdure.cli.nouns import noun, verb
from perdure.cli.options import DEFAULT_ADMIN_URL, AdminUrl, AsJson, Yes
from perdure.cli.output import confirm, readable_time, write_json, write_line, write_table


def register(app: typer.Typer) -> None:
    group = noun(app, ("deployments", "deployment", "dp"), "Register endpoints and list them.")
    verb(group, ("list", "ls"), list_deployments)
    verb(group, ("register", "add", "discover"), register_deployment)


def list_deployments(as_json: AsJson = False, admin: AdminUrl = DEFAULT_ADMIN_URL) -> None:
    """List the registered deployments."""
    client = AdminClient(admin)
    found = client.part(client.get("/deployments"), "deployments")
    if as_json:
        write_json({"deployments": found})
    elif found:
        write_table(("deployment", "address", "transport", "protocol", "services", "created"), map(_row, found))
    else:
        write_line("No deployments. Register one with `perdure deployments register http://HOST:PORT`.")


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
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Register an endpoint, so that its services can be called."""
    client = AdminClient(admin)
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
