"""`perdure invocations`: look at invocations and stop them."""

from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from perdure.cli import invocation_view, queries
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import BadUsage, NothingFound, Refused
from perdure.cli.nouns import noun, verb
from perdure.cli.options import DEFAULT_ADMIN_URL, AdminUrl, AsJson, Yes
from perdure.cli.output import confirm, first_line, readable_time, write_json, write_line, write_table

STOP_LIMIT: Final = 500
"""Most invocations that one command cancels or kills."""


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


TargetQuery = Annotated[
    str, typer.Argument(metavar="QUERY", help="An id, Service, Service/handler, Object/key or Object/key/handler.")
]


def register(app: typer.Typer) -> None:
    group = noun(app, ("invocations", "invocation", "inv"), "List, describe, cancel and kill invocations.")
    verb(group, ("list", "ls"), list_invocations)
    verb(group, ("describe", "get"), describe_invocation)
    verb(group, ("cancel",), cancel_invocations)
    verb(group, ("kill",), kill_invocations)


def list_invocations(
    service: Annotated[list[str] | None, typer.Option(help="Only of this service; may be repeated.")] = None,
    handler: Annotated[list[str] | None, typer.Option(help="Only of this handler; may be repeated.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Only of this object or workflow key; may be repeated.")] = None,
    status: Annotated[list[Status] | None, typer.Option(help="Only in this status; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most invocations to show.")] = 100,
    all_: Annotated[bool, typer.Option("--all", help="Completed ones too.")] = False,
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="Instead of the newest.")] = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """List invocations, the newest first; completed ones only on request."""
    conditions = []
    if service:
        conditions.append(queries.one_of("target_service_name", service))
    if handler:
        conditions.append(queries.one_of("target_handler_name", handler))
    if key:
        conditions.append(queries.one_of("target_service_key", key))
    if status:
        conditions.append(queries.one_of("status", [str(one) for one in status]))
    elif not all_:
        conditions.append("status != 'completed'")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    # One more than wanted tells whether there are more, without counting them all.
    sql = queries.LIST.format(where=where, order="ASC" if oldest_first else "DESC", limit=limit + 1)
    found = AdminClient(admin).query(sql)
    shown, more = found[:limit], len(found) > limit
    if as_json:
        write_json({"invocations": shown, "more": more})
        return
    if not shown:
        write_line("No invocations." if all_ or status else "No invocations that are not completed; --all shows those.")
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
        case _ if invocation.get("last_failure"):
            return f"attempt {invocation.get('retry_count')}: {first_line(invocation['last_failure'])}"
        case _ if invocation.get("invoked_by_target"):
            return f"called by {invocation['invoked_by_target']}"
        case _:
            return ""


def describe_invocation(
    id: Annotated[str, typer.Argument(metavar="ID", help="The invocation's id, inv_….")],
    entries: Annotated[int, typer.Option(min=1, help="Most journal entries and events to show.")] = 20,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Show what an invocation does, what it waits for and what went wrong."""
    if not queries.is_invocation_id(id):
        raise BadUsage(f"`{id}` is not an invocation id; find it with `perdure invocations list --all`")
    description = invocation_view.read(AdminClient(admin), id, entries)
    if as_json:
        write_json(description.document())
    else:
        invocation_view.show(description)


def cancel_invocations(
    query: TargetQuery,
    kill: Annotated[bool, typer.Option("--kill", help="End them at once, without letting them clean up.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Cancel invocations: their handlers learn of it and can clean up."""
    _stop("kill" if kill else "cancel", query, yes, as_json, AdminClient(admin))


def kill_invocations(
    query: TargetQuery, yes: Yes = False, as_json: AsJson = False, admin: AdminUrl = DEFAULT_ADMIN_URL
) -> None:
    """Kill invocations: they end at once, none of their code runs any more."""
    _stop("kill", query, yes, as_json, AdminClient(admin))


def _stop(operation: str, query: str, yes: bool, as_json: bool, client: AdminClient) -> None:
    condition = queries.target_condition(query)
    found = client.query(queries.RESOLVE.format(condition=condition, limit=STOP_LIMIT + 1))
    if not found and queries.is_invocation_id(query):
        # It may be completed or unknown: the server's refusal says which.
        found = [{"id": query, "target": None, "status": None}]
    if not found:
        raise NothingFound(
            f"no invocation that could be stopped matches `{query}`; see `perdure invocations list --all`"
        )
    chosen, more = found[:STOP_LIMIT], len(found) > STOP_LIMIT
    if len(chosen) > 1:
        if not as_json:
            write_table(("invocation", "target", "status"), ((i["id"], i["target"], i["status"]) for i in chosen))
        count = f"the first {STOP_LIMIT} of more" if more else f"these {len(chosen)}"
        confirm(f"{operation.capitalize()} {count} invocations?", yes=yes)
    succeeded: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for invocation in chosen:
        outcome = {"id": invocation["id"], "target": invocation["target"]}
        try:
            answer = client.patch(f"/invocations/{invocation['id']}/{operation}")
        except Refused as refusal:
            failed.append({**outcome, "message": str(refusal)})
        else:
            succeeded.append({**outcome, "effect": _effect(operation, answer.status)})
    if as_json:
        write_json({"operation": operation, "succeeded": succeeded, "failed": failed, "more": more})
    else:
        for one in succeeded:
            write_line(f"{one['id']}  {one['target'] or ''}  {one['effect']}")
        if more:
            write_line("There are more; give the same command again.")
    if failed:
        others = f" (and {len(failed) - 1} others)" if len(failed) > 1 else ""
        raise Refused(f"could not {operation} {failed[0]['id']}{others}: {failed[0]['message']}", 409)


def _effect(operation: str, status: int) -> str:
    """202 means that the signal is stored and the handler has still to see it."""
    if operation == "kill":
        return "killed"
    return "cancelling" if status == 202 else "cancelled"
