"""Journal entries as people read them: one line each, completions below the commands they belong to."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from perdure.cli.output import readable_time

CANCEL_SIGNAL: Final = 1
"""Number of the signal that cancels an invocation; those of awakeables are higher."""


def command_of(row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Kind and fields of a command; ("", {}) for notifications."""
    entry = row["entry"]
    if not isinstance(entry, dict) or not isinstance(entry.get("Command"), dict) or not entry["Command"]:
        return "", {}
    kind, fields = next(iter(entry["Command"].items()))
    return kind, fields if isinstance(fields, dict) else {}


def command_details(kind: str, fields: dict[str, Any], name: str | None) -> str:
    match kind:
        case "Call" | "OneWayCall":
            return " ".join(
                text for text in (_target(fields.get("invocation_target")), fields.get("invocation_id")) if text
            )
        case "Sleep" if isinstance(fields.get("wake_up_time"), int):
            return f"until {_utc(fields['wake_up_time'])}"
        case "CompleteAwakeable":
            return str(fields.get("id", ""))
        case "AttachInvocation" | "GetInvocationOutput" if isinstance(fields.get("target"), dict):
            return str(fields["target"].get("InvocationId", ""))
        case _:
            return str(fields.get("key") or name or "")


def _target(target: Any) -> str:
    """`{"VirtualObject":{"name":"A","key":"k","handler":"h",…}}` as `A/k/h`."""
    if not isinstance(target, dict) or not target:
        return ""
    fields = next(iter(target.values()))
    return "/".join(str(fields[part]) for part in ("name", "key", "handler") if fields.get(part) is not None)


def _utc(milliseconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def tree_lines(journal: list[dict[str, Any]], callees: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The entries as a tree. callees: rows of called invocations, by id.

    A completion stands below its command; one whose command is not shown stands for itself.
    """
    roots: list[tuple[str, list[str]]] = []
    commands: dict[int, list[str]] = {}
    for row in journal:
        kind, fields = command_of(row)
        if kind:
            below: list[str] = []
            roots.append((_command_line(row, callees), below))
            for name in ("completion_id", "result_completion_id", "invocation_id_completion_id"):
                if isinstance(fields.get(name), int):
                    commands[fields[name]] = below
            continue
        number = _completion_id(row["entry"])
        line = _notification_line(row, number not in commands)
        if number in commands:
            commands[number].append(line)
        else:
            roots.append((line, []))
    for position, (line, below) in enumerate(roots):
        last = position == len(roots) - 1
        yield f"{'└─' if last else '├─'} {line}"
        for number, completion in enumerate(below):
            yield f"{'  ' if last else '│ '} {'└─' if number == len(below) - 1 else '├─'} {completion}"


def entry_line(row: dict[str, Any]) -> str:
    """One entry without its neighbours."""
    return _command_line(row, {}) if command_of(row)[0] else _notification_line(row, alone=True)


def called(journal: Iterable[dict[str, Any]]) -> list[str]:
    """Ids of the invocations that the entries call or attach to, each once."""
    found: dict[str, None] = {}
    for row in journal:
        _, fields = command_of(row)
        target = fields.get("target")
        id = fields.get("invocation_id") or (target.get("InvocationId") if isinstance(target, dict) else None)
        if isinstance(id, str):
            found[id] = None
    return list(found)


def command_text(row: dict[str, Any]) -> str:
    """What a command does, without when."""
    kind, fields = command_of(row)
    details = command_details(kind, fields, None)
    name = row.get("name")
    return " ".join(part for part in (kind, f"`{name}`" if name else "", details if details != name else "") if part)


def _command_line(row: dict[str, Any], callees: dict[str, dict[str, Any]]) -> str:
    statuses = (callees[id]["status"] for id in called([row]) if id in callees)
    return _stamped(row, " ".join((command_text(row), *(f"({one})" for one in statuses))))


def _notification_line(row: dict[str, Any], alone: bool) -> str:
    if alone:
        return _stamped(row, _arrived(row))
    notification = row["entry"]["Notification"]
    kind = row.get("entry_type") or ""
    # A call has two: the id of what it called, and the result.
    result = "called" if kind.endswith("CallInvocationId") else notification.get("result") or "done"
    return _stamped(row, str(result))


def _stamped(row: dict[str, Any], text: str) -> str:
    return "  ".join(part for part in (str(row["index"]), text, readable_time(row.get("appended_at"))) if part)


def _completion_id(entry: Any) -> int | None:
    notification = entry.get("Notification") if isinstance(entry, dict) else None
    id = notification.get("id") if isinstance(notification, dict) else None
    return id.get("CompletionId") if isinstance(id, dict) else None


def _arrived(row: dict[str, Any]) -> str:
    """What came, and with which result."""
    kind = str(row.get("entry_type") or "")
    notification = row["entry"].get("Notification") if isinstance(row["entry"], dict) else None
    if not isinstance(notification, dict):
        return kind
    result = notification.get("result")
    match notification.get("id"):
        case {"SignalIndex": number}:
            return "Cancelled" if number == CANCEL_SIGNAL else f"Awakeable answered: {result}"
        case {"SignalName": name}:
            return f"Signal `{name}`: {result}"
        case {"CompletionId": number}:
            return f"{kind} completion {number}: {result}"
        case _:
            return kind
