"""One file for each kind of journal command: what storing it sets in motion."""

from collections.abc import Callable

from perdure.engine.commands import attach, call, promise, run, signal, sleep, state
from perdure.engine.commands.refusal import CommandRefused
from perdure.engine.turn import Turn
from perdure.model.invocation import Invocation
from perdure.model.records import Entry
from perdure.protocol.messages import MessageType

__all__ = ["COMMANDS", "UNANSWERED", "CommandRefused"]

CommandHandler = Callable[[Turn, Invocation, Entry], None]

COMMANDS: dict[int, CommandHandler] = {
    MessageType.OUTPUT_COMMAND: run.on_output,
    MessageType.GET_LAZY_STATE_COMMAND: state.on_get_lazy,
    MessageType.SET_STATE_COMMAND: state.on_set,
    MessageType.CLEAR_STATE_COMMAND: state.on_clear,
    MessageType.CLEAR_ALL_STATE_COMMAND: state.on_clear_all,
    MessageType.GET_LAZY_STATE_KEYS_COMMAND: state.on_get_lazy_keys,
    MessageType.GET_EAGER_STATE_COMMAND: state.on_get_eager,
    MessageType.GET_EAGER_STATE_KEYS_COMMAND: state.on_get_eager,
    MessageType.GET_PROMISE_COMMAND: promise.on_get,
    MessageType.PEEK_PROMISE_COMMAND: promise.on_peek,
    MessageType.COMPLETE_PROMISE_COMMAND: promise.on_complete,
    MessageType.SLEEP_COMMAND: sleep.on_sleep,
    MessageType.CALL_COMMAND: call.on_call,
    MessageType.ONE_WAY_CALL_COMMAND: call.on_one_way_call,
    MessageType.SEND_SIGNAL_COMMAND: signal.on_send_signal,
    MessageType.RUN_COMMAND: run.on_run,
    MessageType.ATTACH_INVOCATION_COMMAND: attach.on_attach,
    MessageType.GET_INVOCATION_OUTPUT_COMMAND: attach.on_get_output,
    MessageType.COMPLETE_AWAKEABLE_COMMAND: signal.on_complete_awakeable,
}
"""Every command that a handler may issue. The input is stored by the server and never comes from a handler."""

UNANSWERED: frozenset[int] = frozenset(
    {
        MessageType.OUTPUT_COMMAND,
        MessageType.SET_STATE_COMMAND,
        MessageType.CLEAR_STATE_COMMAND,
        MessageType.CLEAR_ALL_STATE_COMMAND,
        MessageType.GET_EAGER_STATE_COMMAND,
        MessageType.GET_EAGER_STATE_KEYS_COMMAND,
        MessageType.RUN_COMMAND,
    }
)
"""Commands that are only stored: nobody waits to hear of them, so they need not be durable before what follows them."""
