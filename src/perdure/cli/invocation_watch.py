"""`perdure invocations watch`: news of one invocation as they come, line by line, good for a pipe too."""

import json
from typing import Any, Final

import typer

from perdure.cli import queries, watching
from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import NothingFound
from perdure.cli.invocation_view import event_details, parsed
from perdure.cli.journal_view import entry_line
from perdure.cli.output import first_line, readable_time

EVENTS_AT_ONCE: Final = 1000


class _Follower:
    """What has been told already.

    index: of the last journal entry. events: all there were; they are few, for equal ones in a row are stored once.
    """

    def __init__(self, client: AdminClient, id: str, as_json: bool) -> None:
        self._client = client
        self._id = queries.literal(id)
        self._as_json = as_json
        self._status: tuple[Any, ...] = ()
        self._index = -1
        self._events: set[tuple[Any, ...]] = set()

    def look(self) -> dict[str, Any] | None:
        """Tells what is new. Returns: the row; None when there is none."""
        rows = self._client.query(queries.INVOCATION.format(id=self._id))
        # The journal is read after the status, so that nothing of a completed invocation is left untold.
        self._tell_entries()
        self._tell_events()
        if not rows:
            return None
        invocation = rows[0]
        status = tuple(invocation.get(name) for name in ("status", "retry_count", "last_failure", "cancelling"))
        if status != self._status:
            self._status = status
            self._tell("status", invocation, _status_line(invocation))
        return invocation

    def _tell_entries(self) -> None:
        sql = queries.JOURNAL_AFTER.format(id=self._id, index=self._index)
        for row in self._client.query(sql):
            entry = parsed(row, "entry_lite_json", "entry")
            self._index = entry["index"]
            self._tell("journal", entry, entry_line(entry))

    def _tell_events(self) -> None:
        for row in reversed(self._client.query(queries.EVENTS.format(id=self._id, limit=EVENTS_AT_ONCE))):
            known = (row.get("appended_at"), row["event_type"], row.get("event_json"))
            if known not in self._events:
                self._events.add(known)
                event = parsed(row, "event_json", "event")
                details = f"{event['event_type']} {event_details(event['event'] or {})}"
                self._tell("event", event, f"{details}  {readable_time(event.get('appended_at')) or ''}".rstrip())

    def _tell(self, kind: str, document: dict[str, Any], line: str) -> None:
        text = json.dumps({"news": kind, **document}, ensure_ascii=False) if self._as_json else f"{kind:<8} {line}"
        typer.echo(text)


def follow(client: AdminClient, id: str, interval_s: float, as_json: bool) -> None:
    """Until it is completed or gone, or Control-C. Raises: NothingFound when it is not there to begin with."""
    follower = _Follower(client, id, as_json)
    invocation = follower.look()
    if invocation is None:
        raise NothingFound(f"there is no invocation `{id}`; it may have been purged or never existed")
    try:
        while invocation is not None and invocation["status"] != "completed":
            watching.pause(interval_s)
            invocation = follower.look()
    except KeyboardInterrupt:
        return  # the way to end it, not an accident
    if invocation is None and not as_json:
        typer.echo("It is gone: it was purged, or completed without its result being kept.")


def _status_line(invocation: dict[str, Any]) -> str:
    parts = [invocation["status"]]
    if (invocation.get("retry_count") or 0) > 1:
        parts.append(f"attempt {invocation['retry_count']}")
    if invocation.get("cancelling"):
        parts.append(f"cancelling, {invocation['cancelling']}")
    failure = invocation.get("completion_failure") or invocation.get("last_failure")
    if failure:
        parts.append(first_line(failure))
    elif invocation.get("completion_result"):
        parts.append(invocation["completion_result"])
    return ", ".join(parts)
