"""Doing the same to many invocations: find them all, show them, ask, do it one by one, and tell what came of each."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from perdure.cli import queries
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import NothingFound, Refused
from perdure.cli.output import confirm, progress, write_json, write_line, write_table

SHOWN: Final = 20
"""Rows of what will be hit; more are counted. The answer to the question covers them all."""


class Operation(NamedTuple):
    """name: as in a question, `Cancel`. states: SQL that picks those it can be done to, in terms of `sys_invocation`.

    act: does it to the invocation with an id and tells the effect, with an `effect` for people; raises PerdureError.
    """

    name: str
    states: str
    act: Callable[[AdminClient, str], dict[str, Any]]


def run(
    operation: Operation, targets: Sequence[str], client: AdminClient, *, yes: bool, as_json: bool, limit: int | None
) -> None:
    """targets: target queries. limit: most invocations to do it to; None: all there are. Raises: PerdureError."""
    found, more = _find(operation, targets, client, limit)
    if len(found) > 1:
        if not as_json:
            _preview(found)
        count = f"the first {len(found)} of more" if more else f"these {len(found)}"
        confirm(f"{operation.name} {count} invocations?", yes=yes)
    succeeded: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    try:
        for invocation in progress(found, operation.name):
            outcome = {"id": invocation["id"], "target": invocation["target"]}
            try:
                succeeded.append({**outcome, **operation.act(client, invocation["id"])})
            except Refused as refusal:
                failed.append({**outcome, "message": str(refusal)})
    finally:
        # Also when the server went away or somebody pressed Control-C: what has been done stays done.
        _report(operation, succeeded, failed, more, len(found), as_json)
    if failed:
        others = f" (and {len(failed) - 1} others)" if len(failed) > 1 else ""
        message = failed[0]["message"]
        raise Refused(f"could not {operation.name.lower()} {failed[0]['id']}{others}: {message}", 409)


def _find(
    operation: Operation, targets: Sequence[str], client: AdminClient, limit: int | None
) -> tuple[list[dict[str, Any]], bool]:
    """The invocations, and whether the limit left some out."""
    found: dict[str, dict[str, Any]] = {}
    conditions = [queries.target_condition(target) for target in targets]  # all are checked before the first is asked
    for target, condition in zip(targets, conditions, strict=True):
        rows = client.pages(queries.RESOLVE, "id", condition=condition, states=operation.states)
        matching = list(rows if limit is None else islice(rows, limit + 1))
        if not matching and queries.is_invocation_id(target):
            # In another state, or unknown: the server's refusal says which.
            matching = [{"id": target, "target": None, "status": None}]
        found.update((row["id"], row) for row in matching)
    if not found:
        raise NothingFound(
            f"nothing to {operation.name.lower()} matches `{' '.join(targets)}`; see `perdure invocations list --all`"
        )
    chosen = list(found.values())
    if limit is None or len(chosen) <= limit:
        return chosen, False
    return chosen[:limit], True


def _preview(found: list[dict[str, Any]]) -> None:
    write_table(("invocation", "target", "status"), ((i["id"], i["target"], i["status"]) for i in found[:SHOWN]))
    if len(found) > SHOWN:
        write_line(f"… and {len(found) - SHOWN} more")


def _report(
    operation: Operation,
    succeeded: list[dict[str, Any]],
    failed: list[dict[str, Any]],
    more: bool,
    wanted: int,
    as_json: bool,
) -> None:
    untouched = wanted - len(succeeded) - len(failed)
    if as_json:
        name = operation.name.lower()
        document = {"operation": name, "succeeded": succeeded, "failed": failed, "more": more, "untouched": untouched}
        write_json(document)
        return
    for one in succeeded:
        write_line(f"{one['id']}  {one['target'] or ''}  {one['effect']}")
    if len(succeeded) + len(failed) > 1 or untouched:
        # One alone that failed is told by the error.
        for one in failed:
            write_line(f"{one['id']}  {one['target'] or ''}  failed: {one['message']}")
        rest = f", {untouched} not tried" if untouched else ""
        write_line(f"{len(succeeded)} done, {len(failed)} failed{rest}")
    if more:
        write_line("There are more; give the same command again.")
