"""`perdure invocations`: look at invocations."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from perdure.cli import invocation_control, invocation_view, invocation_watch, queries, watching
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import BadUsage
from perdure.cli.nouns import noun, verb
from perdure.cli.options import DEFAULT_ADMIN_URL, DEFAULT_INTERVAL_S, AdminUrl, AsJson, Interval, Watch
from perdure.cli.output import first_line, readable_time, write_json, write_line, write_table


class Status(StrEnum):
    """What operators see as an invocation's status."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    READY = "ready"
    RUNNING = "running"
    BACKING_OFF = "backing-off"
    SUSPENDED = "suspended"
    PAUSED = "paused"
    COMPLETED = "completed"


class Result(StrEnum):
    """How a completed invocation ended."""

    SUCCESS = "success"
    FAILURE = "failure"


InvocationId = Annotated[str, typer.Argument(metavar="ID", help="The invocation's id, inv_….")]


def register(app: typer.Typer) -> None:
    group = noun(app, ("invocations", "invocation", "inv"), "Look at invocations, and control them.")
    verb(group, ("list", "ls"), list_invocations)
    verb(group, ("describe", "get"), describe_invocation)
    verb(group, ("watch",), watch_invocation)
    invocation_control.register(group)


def list_invocations(
    service: Annotated[list[str] | None, typer.Option(help="Only of this service; may be repeated.")] = None,
    handler: Annotated[list[str] | None, typer.Option(help="Only of this handler; may be repeated.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Only of this object or workflow key; may be repeated.")] = None,
    status: Annotated[list[Status] | None, typer.Option(help="Only in this status; may be repeated.")] = None,
    result: Annotated[
        Result | None, typer.Option("--completion-result", help="Only completed ones that ended so.")
    ] = None,
    deployment: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Only pinned to this deployment; may be repeated.")
    ] = None,
    virtual_objects_only: Annotated[
        bool, typer.Option("--virtual-objects-only", help="Only those of virtual objects.")
    ] = False,
    zombie: Annotated[bool, typer.Option("--zombie", help="Only those pinned to a deployment that is gone.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most invocations to show.")] = 100,
    all_: Annotated[bool, typer.Option("--all", help="Completed ones too.")] = False,
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="Instead of the newest.")] = False,
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """List invocations, the newest first; completed ones only on request."""
    sets = (
        ("target_service_name", service),
        ("target_handler_name", handler),
        ("target_service_key", key),
        ("status", [str(one) for one in status or ()]),
        ("completion_result", [str(result)] if result else None),
        ("pinned_deployment_id", deployment),
    )
    conditions = [queries.one_of(column, values) for column, values in sets if values]
    if virtual_objects_only:
        conditions.append("target_service_ty = 'virtual_object'")
    if zombie:
        conditions.append(queries.PINNED_TO_NOTHING)
    everything = all_ or bool(status) or result is not None
    if not everything:
        conditions.append("status != 'completed'")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    # One more than wanted tells whether there are more, without counting them all.
    sql = queries.LIST.format(where=where, order="ASC" if oldest_first else "DESC", limit=limit + 1)
    client = AdminClient(admin)
    watching.show(lambda: _list(client, sql, limit, everything, as_json), watch, interval)


def _list(client: AdminClient, sql: str, limit: int, everything: bool, as_json: bool) -> None:
    found = client.query(sql)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        write_json({"invocations": shown, "more": more})
        return
    if not shown:
        write_line("No invocations." if everything else "No invocations that are not completed; --all shows those.")
        return
    write_table(("invocation", "target", "status", "created", "details"), map(_row, shown))
    if more:
        write_line(f"There are more than these {limit}; --limit shows more.")


def _row(invocation: dict[str, Any]) -> tuple[object, ...]:
    return (
        invocation["id"],
        invocation["target"],
        invocation["status"],
        readable_time(invocation["created_at"]),
        _details(invocation),
    )


def _details(invocation: dict[str, Any]) -> str:
    """The one thing worth knowing at a glance."""
    match invocation["status"]:
        case Status.COMPLETED:
            return first_line(invocation.get("completion_failure") or invocation.get("completion_result") or "")
        case Status.SCHEDULED:
            return f"starts {readable_time(invocation.get('scheduled_start_at'))}"
        case _ if invocation.get("cancelling"):
            return f"cancelling, {invocation['cancelling']}"
        case _ if invocation.get("last_failure"):
            return f"attempt {invocation.get('retry_count')}: {first_line(invocation['last_failure'])}"
        case _ if invocation.get("invoked_by_target"):
            return f"called by {invocation['invoked_by_target']}"
        case _:
            return ""


def describe_invocation(
    id: InvocationId,
    entries: Annotated[int, typer.Option(min=1, help="Most journal entries and events to show.")] = 100,
    watch: Watch = False,
    interval: Interval = DEFAULT_INTERVAL_S,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Show what an invocation does, why it is not moving and what went wrong."""
    _check_id(id)
    client = AdminClient(admin)

    def look() -> None:
        description = invocation_view.read(client, id, entries)
        if as_json:
            write_json(description.document())
        else:
            invocation_view.show(description)

    watching.show(look, watch, interval)


def watch_invocation(
    id: InvocationId,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document per line and news.")] = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Follow one invocation until it is completed: status, journal and events as they come."""
    _check_id(id)
    invocation_watch.follow(AdminClient(admin), id, as_json)


def _check_id(id: str) -> None:
    if not queries.is_invocation_id(id):
        raise BadUsage(f"`{id}` is not an invocation id; find it with `perdure invocations list --all`")
