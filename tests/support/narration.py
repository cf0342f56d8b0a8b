"""What happened, told in words: journal entries, actions, rows. Names stand for ids, times count from `START`."""

import json
from typing import Any

import msgspec
from google.protobuf.message import Message

from perdure.model import actions
from perdure.model.invocation import Failure, Invocation, JournalEntry, Success
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.framing import FrameDecoder
from perdure.protocol.messages import NAMES, MessageType, decode, is_notification

START = 1_800_000_000_000
"""The time at which every script begins, ms since the epoch."""

_SHORT = {
    "result_completion_id": "id",
    "completion_id": "id",
    "invocation_id_notification_idx": "callee-id",
    "completion_value": "value",
    "completion_failure": "failure",
    "signal_id": "idx",
    "signal_name": "name",
    "service_name": "service",
    "handler_name": "handler",
    "target_invocation_id": "to",
    "invocation_id": "invocation",
}
_TIMES = {"wake_up_time", "invoke_time"}


def time(at: int) -> str:
    """Seconds since START."""
    return f"{(at - START) / 1000:g}s" if abs(at - START) < 10**15 else "far"


def entry(entry: JournalEntry) -> str:
    name = NAMES[entry.type]
    if is_notification(entry.type) and entry.type != MessageType.SIGNAL_NOTIFICATION:
        name += " done"
    return f"{name}{fields(decode(entry.type, entry.raw))}"


def fields(message: Message) -> str:
    parts = []
    for field, value in message.ListFields():
        if isinstance(value, wire.Void):
            parts.append("void")
        else:
            text = time(value) if field.name in _TIMES else _value(value)
            parts.append(f"{_SHORT.get(field.name, field.name)}={text}")
    return "".join(f" {part}" for part in parts)


def _value(value: Any) -> str:
    match value:
        case wire.Value():
            return _value(value.content)
        case wire.Failure():
            return f"{value.code}:{_value(value.message)}"
        case wire.StateKeys():
            return "[" + " ".join(_value(key) for key in value.keys) + "]"
        case Message():
            return "{" + fields(value).strip() + "}"
        case bytes():
            return _value(value.decode())
        case str():
            return value if value and " " not in value else json.dumps(value, ensure_ascii=False)
        case int():
            return str(value)
        case _:
            return "[" + " ".join(_value(item) for item in value) + "]"


def outcome(outcome: Success | Failure) -> str:
    if isinstance(outcome, Success):
        return f"value={_value(outcome.value)}"
    return f"failure={outcome.code}:{_value(outcome.message)}"


def action(action: actions.Action, attempt_name: str) -> str | None:
    """One line, None for what the story tells already. attempt_name: of the invocation behind the action's number."""
    match action:
        case actions.StartAttempt():
            return f"start {attempt_name} attempt={action.attempt}"
        case actions.SendToAttempt():
            [frame] = FrameDecoder(1 << 30).feed(action.data)
            message = decode(frame.type, frame.payload)
            what = f"[{action.index}]" if action.index is not None else MessageType(frame.type).name + fields(message)
            return f"send {attempt_name} attempt={action.attempt}: {what}"
        case actions.HalfClose():
            return f"half-close {attempt_name} attempt={action.attempt}{' drain' if action.drain else ''}"
        case actions.AbortAttempt():
            return f"abort {attempt_name} attempt={action.attempt}"
        case actions.ArmTimer():
            return f"timer at {time(action.due)}"
        case actions.Completed():
            return f"completed {action.id}: {outcome(action.outcome)}"
        case actions.Reply():
            return f"reply: {answer(action.answer)}"
        case actions.RegistryChanged():
            return "registry changed"
        case _:
            raise AssertionError(f"a new kind of action: {action}")


def answer(answer: Any) -> str:
    match answer:
        case actions.Accepted():
            at = "" if answer.execution_time is None else f" at {time(answer.execution_time)}"
            return f"accepted {answer.id}{at}" if answer.created else f"accepted before {answer.id}{at}"
        case actions.Finished():
            expires = "" if answer.expires_at is None else f" expires {time(answer.expires_at)}"
            return f"finished {answer.id} {outcome(answer.outcome)}{expires}"
        case actions.AlreadyInvoked():
            return f"already invoked {answer.id}"
        case actions.Refused():
            return f"refused {answer.status} {answer.message}"
        case actions.Restarted():
            return f"restarted as {answer.id}"
        case actions.Done():
            return "done" if answer.immediate else "done soon"
        case _:
            return str(answer)


_ROW_TIMES = {
    "execution_time",
    "inboxed_at",
    "running_at",
    "last_start_at",
    "completed_at",
    "next_retry_at",
    "completion_expires_at",
    "journal_expires_at",
    "cancel_due",
}
_ROW_HIDDEN = {"number", "id", "created_at", "modified_at", "entry_stored_at", "awaiting", "service_kind"}


def row(invocation: Invocation) -> list[str]:
    """The columns that tell something, one per line."""
    lines = []
    defaults = {field.name: field.default for field in msgspec.structs.fields(Invocation)}
    for name in invocation.__struct_fields__:
        value = getattr(invocation, name)
        if name in _ROW_HIDDEN or value is None or value == defaults[name]:
            continue
        if name in _ROW_TIMES:
            value = time(value)
        elif isinstance(defaults[name], bool):
            # SQLite has no type for these.
            value = bool(value)
        elif isinstance(value, bytes):
            value = value.decode()
        lines.append(f"{name}: {value}")
    return lines
