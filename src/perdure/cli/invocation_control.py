"""The verbs of `perdure invocations` that change something, for one invocation or for many."""

from functools import partial
from typing import Annotated, Any

import typer

from perdure.cli import bulk, queries
from perdure.cli.admin_client import AdminClient
from perdure.cli.bulk import Operation
from perdure.cli.failures import BadUsage, Refused
from perdure.cli.nouns import verb
from perdure.cli.options import DEFAULT_ADMIN_URL, AdminUrl, AsJson, Reason, Yes

UNFINISHED = "status != 'completed'"
FINISHED = "status = 'completed'"
PAUSABLE = "status IN ('scheduled', 'pending', 'ready', 'running', 'backing-off', 'suspended')"
# What only waits for its time or its key has nothing to resume, unless it was paused meanwhile.
WAITING = (
    "status IN ('paused', 'backing-off', 'suspended', 'scheduled', 'pending', 'running')"
    " AND (status IN ('paused', 'backing-off', 'suspended') OR pause_requested)"
)
RETRYING = "status IN ('paused', 'backing-off')"

Targets = Annotated[
    list[str],
    typer.Argument(metavar="QUERY...", help="Ids, Service, Service/handler, Object/key or Object/key/handler."),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Most invocations to do it to; else all that match.")]
Deployment = Annotated[
    str | None, typer.Option("--deployment", metavar="ID", help="Where to go on: a deployment, `latest` or `keep`.")
]


def register(group: typer.Typer) -> None:
    verb(group, ("cancel",), cancel)
    verb(group, ("kill",), kill)
    verb(group, ("pause",), pause)
    verb(group, ("resume",), resume)
    verb(group, ("retry-now",), retry_now)
    verb(group, ("purge",), purge)
    verb(group, ("purge-journal",), purge_journal)
    verb(group, ("restart-as-new", "restart"), restart_as_new)


def cancel(
    query: Targets,
    kill: Annotated[bool, typer.Option("--kill", help="End them at once, without letting them clean up.")] = False,
    limit: Limit = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Cancel: handlers learn of it, and can clean up."""
    operation = KILL if kill else CANCEL
    bulk.run(operation, query, AdminClient(admin, reason), yes=yes, as_json=as_json, limit=limit)


def kill(
    query: Targets,
    limit: Limit = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Kill: they end at once, and none of their code runs again."""
    bulk.run(KILL, query, AdminClient(admin, reason), yes=yes, as_json=as_json, limit=limit)


def pause(
    query: Targets,
    limit: Limit = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Pause: nothing of them runs until they are resumed. One inside a run block stops when the block is over."""
    bulk.run(PAUSE, query, AdminClient(admin, reason), yes=yes, as_json=as_json, limit=limit)


def resume(
    query: Targets,
    deployment: Deployment = None,
    limit: Limit = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Resume what is paused, also on another deployment. And start anew what backs off or is suspended."""
    act = partial(_patch, "resume", {200: "resumed"}, deployment=deployment)
    operation = Operation("Resume", WAITING, act)
    bulk.run(operation, query, AdminClient(admin, reason), yes=yes, as_json=as_json, limit=limit)


def retry_now(
    query: Targets,
    limit: Limit = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Try again now what backs off or is paused."""
    bulk.run(RETRY, query, AdminClient(admin, reason), yes=yes, as_json=as_json, limit=limit)


def purge(
    query: Targets,
    limit: Limit = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Forget what is completed. That is its result, journal and idempotency key, and the state of a workflow."""
    bulk.run(PURGE, query, AdminClient(admin, reason), yes=yes, as_json=as_json, limit=limit)


def purge_journal(
    query: Targets,
    limit: Limit = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Forget the journals of what is completed; results stay."""
    bulk.run(PURGE_JOURNAL, query, AdminClient(admin, reason), yes=yes, as_json=as_json, limit=limit)


def restart_as_new(
    query: Targets,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="STEP", help="Keep the journal up to this step: its index, or its name."),
    ] = None,
    deployment: Deployment = None,
    key: Annotated[str | None, typer.Option(help="A new key, for a workflow: it runs once per key.")] = None,
    limit: Limit = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Run what is completed again, as new ones. From the start, or with the first steps already done."""
    if from_ is not None and not from_:
        raise BadUsage("--from is empty; give the index or the name of a step")
    operation = Operation("Restart", FINISHED, partial(_restart, from_, deployment, key))
    bulk.run(operation, query, AdminClient(admin, reason), yes=yes, as_json=as_json, limit=limit)


def _patch(
    route: str, effects: dict[int, str], client: AdminClient, id: str, deployment: str | None = None
) -> dict[str, Any]:
    """effects: by status what it says about the invocation."""
    answer = client.patch(f"/invocations/{id}/{route}", deployment=deployment)
    return {"effect": effects.get(answer.status, "accepted")}


def _restart(
    from_: str | None, deployment: str | None, key: str | None, client: AdminClient, id: str
) -> dict[str, Any]:
    index = None if from_ is None else _step(client, id, from_)
    path = f"/invocations/{id}/restart-as-new"
    answer = client.patch(path, **{"from": index, "deployment": deployment, "key": key})
    new = answer.body.get("new_invocation_id") if isinstance(answer.body, dict) else None
    return {"effect": f"restarted as {new}", "new_invocation_id": new}


def _step(client: AdminClient, id: str, step: str) -> int:
    """The journal index that `step` means. Raises: Refused when its journal has no such step, or several."""
    if step.isdecimal():
        return int(step)
    sql = queries.STEPS_NAMED.format(id=queries.literal(id), name=queries.literal(step))
    found = [row["index"] for row in client.query(sql)]
    if len(found) == 1:
        return int(found[0])
    if found:
        indexes = ", ".join(map(str, found))
        raise Refused(f"several steps are called `{step}`; give the index of one of them: {indexes}", 409)
    raise Refused(f"no step is called `{step}`; see `perdure invocations describe {id}`", 404)


KILL = Operation("Kill", UNFINISHED, partial(_patch, "kill", {200: "killed"}))
# 202 means that the signal is stored and the handler has still to see it.
CANCEL = Operation("Cancel", UNFINISHED, partial(_patch, "cancel", {200: "cancelled", 202: "cancelling"}))
PAUSE = Operation("Pause", PAUSABLE, partial(_patch, "pause", {200: "paused already", 202: "pausing"}))
RETRY = Operation("Retry", RETRYING, partial(_patch, "resume", {200: "retrying"}))
PURGE = Operation("Purge", FINISHED, partial(_patch, "purge", {200: "purged"}))
PURGE_JOURNAL = Operation("Purge the journals of", FINISHED, partial(_patch, "purge-journal", {200: "journal purged"}))
