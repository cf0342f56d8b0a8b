"""`perdure state`: what objects and workflows keep, key by key."""

from typing import Annotated, Any, Final

import typer

from perdure.cli import json_patch, queries, watching
from perdure.cli.admin_client import AdminClient
from perdure.cli.editor import edit_json
from perdure.cli.failures import BadUsage, NothingFound
from perdure.cli.nouns import noun, verb
from perdure.cli.options import DEFAULT_ADMIN_URL, DEFAULT_INTERVAL_S, AdminUrl, AsJson, Interval, Reason, Watch, Yes
from perdure.cli.output import confirm, progress, write_json, write_line, write_table
from perdure.cli.state_store import KeyState, Outcome, read, write

SHOWN: Final = 20
"""Keys to show before asking; more are counted."""

ServiceName = Annotated[str, typer.Argument(metavar="SERVICE", help="Name of an object or workflow.")]
KeyName = Annotated[str, typer.Argument(metavar="KEY", help="Which one of them.")]
Force = Annotated[bool, typer.Option("--force", help="Also when the state changed since it was read.")]


def register(app: typer.Typer) -> None:
    group = noun(app, ("state", "kv"), "See and change the state of objects and workflows.")
    verb(group, ("get",), get_state)
    verb(group, ("edit",), edit_state)
    verb(group, ("patch",), patch_state)
    verb(group, ("clear",), clear_state)


def get_state(
    service: ServiceName,
    key: KeyName,
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Show the state of a key."""
    client = AdminClient(admin)

    def look() -> None:
        found = read(client, service, key)
        if as_json:
            write_json({"service": service, "key": key, "version": found.version, "state": found.document()})
        elif found.entries:
            write_table(("name", "value"), found.texts())
        else:
            write_line(f"{service}/{key} has no state.")

    watching.show(look, watch, interval)


def edit_state(
    service: ServiceName,
    key: KeyName,
    force: Force = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Change the state of a key in your editor, as one JSON object. Other bytes stand as {"$base64": "…"}."""
    client = AdminClient(admin, reason)
    found = read(client, service, key)
    document = edit_json(found.document(), f"{service}-{key}")
    _change(client, found, document, force=force, yes=yes, as_json=as_json)


def patch_state(
    service: ServiceName,
    key: KeyName,
    patch: Annotated[str, typer.Option("--patch", "-p", metavar="JSON", help="JSON Patch, a list of operations.")],
    force: Force = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Change the state of a key with a JSON Patch. Names are the first part of a path."""
    operations = json_patch.parse(patch)
    client = AdminClient(admin, reason)
    found = read(client, service, key)
    document = json_patch.apply(found.document(), operations)
    if not isinstance(document, dict):
        raise BadUsage("the patch leaves no JSON object of names and values")
    _change(client, found, document, force=force, yes=yes, as_json=as_json)


def _change(
    client: AdminClient, found: KeyState, document: dict[str, Any], *, force: bool, yes: bool, as_json: bool
) -> None:
    new = found.with_document(document)
    if new.entries == found.entries:
        outcome = Outcome.UNCHANGED
    else:
        for line in found.differences(new):
            typer.echo(line, err=True)
        confirm(f"Change the state of {found.service}/{found.key}?", yes=yes)
        outcome = write(client, found, new, force=force)
    _tell([(new, outcome)], as_json)


def clear_state(
    target: Annotated[str, typer.Argument(metavar="SERVICE[/KEY]", help="One key, or all keys of a service.")],
    force: Force = False,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Remove all state of a key, or of all keys."""
    client = AdminClient(admin, reason)
    service, slash, key = target.partition("/")
    if not service or (slash and not key):
        raise BadUsage(f"`{target}` names no state; give SERVICE or SERVICE/KEY")
    literal = queries.literal(service)
    keys = (
        [key]
        if slash
        else [row["service_key"] for row in client.pages(queries.STATE_KEYS, "service_key", service=literal)]
    )
    states = [read(client, service, one) for one in keys] if slash else None
    if not keys or (states is not None and not states[0].entries):
        raise NothingFound(f"{target} has no state")
    if not as_json:
        for one in keys[:SHOWN]:
            write_line(f"{service}/{one}")
        if len(keys) > SHOWN:
            write_line(f"… and {len(keys) - SHOWN} more")
    confirm(f"Remove the state of {f'these {len(keys)} keys' if len(keys) > 1 else 'this key'}?", yes=yes)
    done: list[tuple[KeyState, Outcome]] = []
    try:
        for one in progress(keys, "Clear"):
            found = read(client, service, one)
            done.append((found, write(client, found, found.with_document({}), force=force)))
    finally:
        _tell(done, as_json)


def _tell(done: list[tuple[KeyState, Outcome]], as_json: bool) -> None:
    if as_json:
        write_json({"changes": [{"service": s.service, "key": s.key, "effect": outcome} for s, outcome in done]})
        return
    for state, outcome in done:
        write_line(f"{state.service}/{state.key}  {outcome}")
