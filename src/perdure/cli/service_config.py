"""`perdure services config`: the settings of a service that can be changed while it runs."""

import json
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer

from perdure.cli.admin_client import AdminClient
from perdure.cli.editor import edit_json
from perdure.cli.failures import BadUsage
from perdure.cli.nouns import noun, verb
from perdure.cli.options import DEFAULT_ADMIN_URL, AdminUrl, AsJson, Reason, Yes
from perdure.cli.output import confirm, write_facts, write_json, write_line

CHANGEABLE: Final = (
    "public",
    "idempotency_retention",
    "workflow_completion_retention",
    "journal_retention",
    "inactivity_timeout",
    "abort_timeout",
)


class Answer(StrEnum):
    """A value for an option, as the official tool wants it: there is no flag to switch off."""

    TRUE = "true"
    FALSE = "false"


ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="Name of a service, object or workflow.")]


def register(services: typer.Typer) -> None:
    group = noun(services, ("config",), "See and change the settings of a service.")
    verb(group, ("view", "get"), view_config)
    verb(group, ("edit",), edit_config)
    verb(group, ("patch",), patch_config)


def view_config(service: ServiceName, as_json: AsJson = False, admin: AdminUrl = DEFAULT_ADMIN_URL) -> None:
    """Show the settings in effect."""
    _show(_read(AdminClient(admin), service), as_json)


def edit_config(
    service: ServiceName,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Change settings in your editor."""
    client = AdminClient(admin, reason)
    before = _read(client, service)
    after = edit_json(before, f"{service}-config")
    unknown = sorted(after.keys() - before.keys())
    if unknown:
        raise BadUsage(f"{', '.join(unknown)}: no such setting; there are {', '.join(before)}")
    _change(
        client, service, before, {name: value for name, value in after.items() if value != before[name]}, yes, as_json
    )


def patch_config(
    service: ServiceName,
    public: Annotated[Answer | None, typer.Option("--public", help="Whether the ingress offers it.")] = None,
    idempotency_retention: Annotated[str | None, typer.Option(metavar="DURATION", help="Such as `2h` or P1D.")] = None,
    workflow_completion_retention: Annotated[str | None, typer.Option(metavar="DURATION")] = None,
    journal_retention: Annotated[str | None, typer.Option(metavar="DURATION")] = None,
    inactivity_timeout: Annotated[str | None, typer.Option(metavar="DURATION")] = None,
    abort_timeout: Annotated[str | None, typer.Option(metavar="DURATION")] = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Change single settings."""
    values = (
        None if public is None else public is Answer.TRUE,
        idempotency_retention,
        workflow_completion_retention,
        journal_retention,
        inactivity_timeout,
        abort_timeout,
    )
    changes = {name: value for name, value in zip(CHANGEABLE, values, strict=True) if value is not None}
    if not changes:
        raise BadUsage("nothing to change was given; see `perdure services config patch --help`")
    client = AdminClient(admin, reason)
    _change(client, service, _read(client, service), changes, yes, as_json)


def _read(client: AdminClient, service: str) -> dict[str, Any]:
    found = client.get(f"/services/{quote(service, safe='')}").body
    return {name: found[name] for name in CHANGEABLE if found.get(name) is not None}


def _change(
    client: AdminClient, service: str, before: dict[str, Any], changes: dict[str, Any], yes: bool, as_json: bool
) -> None:
    if not changes:
        if as_json:
            write_json(before)
        else:
            write_line("Nothing was changed.")
        return
    for name, value in changes.items():
        typer.echo(f"{name}: {json.dumps(before.get(name))} becomes {json.dumps(value)}", err=True)
    confirm(f"Change the settings of {service}?", yes=yes)
    # All six, and null for those that stay, as the official tool does.
    body = {name: changes.get(name) for name in CHANGEABLE}
    answer = client.patch(f"/services/{quote(service, safe='')}", body)
    _show({name: answer.body[name] for name in CHANGEABLE if answer.body.get(name) is not None}, as_json)


def _show(config: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(config)
        return
    write_facts(
        (name.replace("_", " "), ("yes" if value else "no") if isinstance(value, bool) else value)
        for name, value in config.items()
    )
