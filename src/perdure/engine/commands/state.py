"""Commands on the state of an object or workflow key. They take effect when they are stored."""

from perdure.engine.commands.refusal import CommandRefused
from perdure.engine.journal import append_command, append_notification, forward
from perdure.engine.notifications import Notification, completion_of, state_keys_completion
from perdure.engine.turn import Turn
from perdure.model.invocation import HandlerKind, Invocation, Success
from perdure.model.records import Entry
from perdure.protocol.messages import MessageType

_WRITERS = (HandlerKind.EXCLUSIVE, HandlerKind.WORKFLOW)


def _readable_key(invocation: Invocation, entry: Entry) -> str:
    if invocation.key is None:
        raise CommandRefused(
            "RT0017", f"{invocation.target} has no state: only virtual objects and workflows do.", entry
        )
    return invocation.key


def _writable_key(invocation: Invocation, entry: Entry) -> str:
    key = _readable_key(invocation, entry)
    if invocation.handler_kind not in _WRITERS:
        raise CommandRefused(
            "RT0017", f"{invocation.target} is a shared handler, which may read state but not write it.", entry
        )
    return key


def on_get_lazy(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    key = _readable_key(invocation, entry)
    value = turn.tx.state_value(invocation.service, key, entry.message.key)
    outcome = None if value is None else Success(value)
    notification = completion_of(MessageType.GET_LAZY_STATE_COMPLETION, entry.message.result_completion_id, outcome)
    _store_with_answer(turn, invocation, entry, notification)


def on_get_lazy_keys(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    key = _readable_key(invocation, entry)
    names = [name for name, _ in turn.tx.state(invocation.service, key)]
    _store_with_answer(turn, invocation, entry, state_keys_completion(entry.message.result_completion_id, names))


def on_get_eager(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    """The SDK answered it from the state it got at the start: only stored."""
    _readable_key(invocation, entry)
    append_command(turn, invocation, entry.type, entry.raw)


def on_set(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    key = _writable_key(invocation, entry)
    append_command(turn, invocation, entry.type, entry.raw)
    turn.tx.set_state(invocation.service, key, entry.message.key, entry.message.value.content)


def on_clear(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    key = _writable_key(invocation, entry)
    append_command(turn, invocation, entry.type, entry.raw)
    turn.tx.clear_state(invocation.service, key, entry.message.key)


def on_clear_all(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    key = _writable_key(invocation, entry)
    append_command(turn, invocation, entry.type, entry.raw)
    turn.tx.clear_all_state(invocation.service, key)


def _store_with_answer(turn: Turn, invocation: Invocation, entry: Entry, notification: Notification) -> None:
    append_command(turn, invocation, entry.type, entry.raw)
    forward(turn, invocation, append_notification(turn, invocation, notification), notification)
