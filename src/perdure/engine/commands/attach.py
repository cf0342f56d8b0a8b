"""Attach to another invocation, or look at its output."""

from perdure import ids
from perdure.engine.commands.refusal import CommandRefused
from perdure.engine.journal import append_command
from perdure.engine.turn import Turn
from perdure.model.invocation import Invocation
from perdure.model.records import AttachMessage, Entry


def on_attach(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    _ask(turn, invocation, entry, peek=False)


def on_get_output(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    _ask(turn, invocation, entry, peek=True)


def _ask(turn: Turn, invocation: Invocation, entry: Entry, *, peek: bool) -> None:
    target = _target_id(entry)
    append_command(turn, invocation, entry.type, entry.raw)
    turn.send(AttachMessage(target, invocation.id, entry.message.result_completion_id, peek))


def _target_id(entry: Entry) -> str:
    command = entry.message
    match command.WhichOneof("target"):
        case "invocation_id":
            return check_invocation_id(command.invocation_id, entry, "RT0017")
        case "workflow_target":
            target = command.workflow_target
            return ids.workflow_invocation_id(target.workflow_name, target.workflow_key)
        case "idempotent_request_target":
            target = command.idempotent_request_target
            key = target.service_key if target.HasField("service_key") else None
            return ids.idempotent_invocation_id(target.service_name, target.handler_name, target.idempotency_key, key)
        case _:
            raise CommandRefused("RT0017", "the command names no target.", entry)


def check_invocation_id(text: str, entry: Entry, rt_code: str) -> str:
    """Raises: CommandRefused with that code; on the official server it differs from command to command."""
    try:
        ids.decode_invocation_id(text)
    except ids.BadId as error:
        raise CommandRefused(rt_code, f"bad invocation id '{text}': {error}", entry) from None
    return text
