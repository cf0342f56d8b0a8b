"""Signals to other invocations, and completed awakeables, which are signals by number."""

from perdure import ids
from perdure.engine.cancelling import is_echo
from perdure.engine.commands.attach import check_invocation_id
from perdure.engine.commands.refusal import CommandRefused
from perdure.engine.journal import append_command
from perdure.engine.notifications import Notification, model_failure, signal_of
from perdure.engine.turn import Turn
from perdure.model.invocation import Invocation, Outcome, Success
from perdure.model.records import Entry, SignalMessage
from perdure.protocol.messages import CANCEL_SIGNAL


def on_send_signal(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    command = entry.message
    target = check_invocation_id(command.target_invocation_id, entry)
    named = command.WhichOneof("signal_id") == "name"
    signal_id = None if named else command.idx
    signal_name = command.name if named else None
    append_command(turn, invocation, entry.type, entry.raw)
    if signal_id == CANCEL_SIGNAL and is_echo(turn, invocation, target):
        return
    _send(turn, target, signal_of(signal_id, signal_name, _outcome(command)))


def on_complete_awakeable(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    command = entry.message
    try:
        target, signal_id = ids.decode_awakeable_id(command.awakeable_id)
    except ids.BadId as error:
        text = f"bad awakeable id '{command.awakeable_id}': {error}"
        raise CommandRefused("RT0017", text, entry) from None
    append_command(turn, invocation, entry.type, entry.raw)
    _send(turn, target, signal_of(signal_id, None, _outcome(command)))


def _outcome(command: object) -> Outcome | None:
    """The result of either command; None: void."""
    match command.WhichOneof("result"):  # type: ignore[attr-defined]
        case "value":
            return Success(command.value.content)  # type: ignore[attr-defined]
        case "failure":
            return model_failure(command.failure)  # type: ignore[attr-defined]
        case _:
            return None


def _send(turn: Turn, target: str, signal: Notification) -> None:
    turn.send(SignalMessage(target, signal.signal_id, signal.signal_name, signal.failed, signal.raw))
