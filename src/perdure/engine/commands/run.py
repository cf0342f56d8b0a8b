"""Run blocks and the output: stored, and for a proposed result answered."""

from functools import lru_cache

from perdure.engine.journal import append_command, append_notification, forward
from perdure.engine.notifications import Notification
from perdure.engine.turn import Turn
from perdure.model.actions import SendToAttempt
from perdure.model.invocation import Invocation
from perdure.model.records import Entry
from perdure.protocol import messages
from perdure.protocol.framing import ACK_FLAG, encode_frame
from perdure.protocol.messages import MessageType

FIRST_VERSION_WITH_RUN_ACKS = 7

# On the hot path: reading a member of an enumeration costs several times as much as a number.
_COMPLETION = MessageType.RUN_COMPLETION.value
_ACK = MessageType.PROPOSE_RUN_COMPLETION_ACK.value


def on_run(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    append_command(turn, invocation, entry.type, entry.raw)


def on_output(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    """The last output is the result."""
    invocation.output_index = invocation.journal_size
    append_command(turn, invocation, entry.type, entry.raw)


def on_run_proposal(turn: Turn, invocation: Invocation, entry: Entry) -> None:
    """The result of a run becomes durable; only then the handler goes on.

    A handler that asked for it gets a bare ack, since it kept the result; else the whole notification.
    """
    proposal = entry.message
    completion_id = proposal.result_completion_id
    failed = proposal.WhichOneof("result") == "failure"
    if failed:
        raw = messages.completion(_COMPLETION, completion_id, failure=proposal.failure)
    else:
        raw = messages.value_completion(completion_id, proposal.value)
    notification = Notification(_COMPLETION, raw, completion_id, failed=failed)
    index = append_notification(turn, invocation, notification)
    version = invocation.protocol_version
    if entry.flags & ACK_FLAG and version is not None and version >= FIRST_VERSION_WITH_RUN_ACKS:
        turn.emit(SendToAttempt(invocation.number, invocation.attempt, None, _ack(completion_id)))
    else:
        forward(turn, invocation, index, notification)


@lru_cache(maxsize=1024)  # completion ids are small numbers: every invocation has the same ones
def _ack(completion_id: int) -> bytes:
    return encode_frame(_ACK, messages.run_ack(completion_id))
