"""`perdure invocations watch`: news of one invocation as they come, line by line, good for a pipe too."""

import json
from collections.abc import Iterable
from typing import Any

import typer

from perdure.cli import changes
from perdure.cli.admin_client import AdminClient
from perdure.cli.changes import Message
from perdure.cli.failures import NothingFound
from perdure.cli.invocation_view import event_details, parsed
from perdure.cli.journal_view import entry_line
from perdure.cli.output import first_line, readable_time

Row = dict[str, Any]


class _Follower:
    """What has been told already. index: of the last journal entry. sequence: of the last event.

    A stream that could not go on where it stopped begins with everything anew, of which only the rest is told.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._status: tuple[Any, ...] = ()
        self._index = -1
        self._sequence = 0

    def take(self, message: Message) -> Row | None:
        """Tells what is new. Returns: the row, when the message has it."""
        data = message.data
        match message.event:
            case "snapshot":
                self._tell_entries(data["journal"])
                self._tell_events(data["journal_events"])
                self._tell_status(data["invocation"])
                row: Row | None = data["invocation"]
                return row
            case "invocation":
                self._tell_status(data["invocation"])
                changed: Row = data["invocation"]
                return changed
            case "journal":
                self._tell_entries([data["entry"]])
            case "journal_event":
                self._tell_events([data["event"]])
        return None

    def _tell_status(self, invocation: Row | None) -> None:
        if invocation is None:
            return
        status = tuple(invocation.get(name) for name in ("status", "retry_count", "last_failure", "cancelling"))
        if status != self._status:
            self._status = status
            self._tell("status", invocation, _status_line(invocation))

    def _tell_entries(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row["index"] > self._index:
                self._index = row["index"]
                known = {name: value for name, value in row.items() if name != "entry_json"}
                entry = parsed(known, "entry_lite_json", "entry")
                self._tell("journal", entry, entry_line(entry))

    def _tell_events(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row["sequence"] > self._sequence:
                self._sequence = row["sequence"]
                event = parsed(row, "event_json", "event")
                details = f"{event['event_type']} {event_details(event['event'] or {})}"
                self._tell("event", event, f"{details}  {readable_time(event.get('appended_at')) or ''}".rstrip())

    def _tell(self, kind: str, document: Row, line: str) -> None:
        text = json.dumps({"news": kind, **document}, ensure_ascii=False) if self._as_json else f"{kind:<8} {line}"
        typer.echo(text)


def follow(client: AdminClient, id: str, as_json: bool) -> None:
    """Until it is completed or gone, or Control-C. Raises: NothingFound when it is not there to begin with."""
    follower = _Follower(as_json)
    seen = False
    try:
        for message in changes.messages(client, f"invocation:{id}"):
            row = follower.take(message)
            if row is not None and row["status"] == "completed":
                return
            missing = message.event == "snapshot" and row is None
            if missing and not seen:
                raise NothingFound(f"there is no invocation `{id}`; it may have been purged or never existed")
            if missing or message.event == "gone":
                break
            seen = True
    except KeyboardInterrupt:
        return  # the way to end it, not an accident
    if not as_json:
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
