"""Run blocks and the output: stored, and for a proposed result answered."""

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
    message_type = MessageType.RUN_COMPLETION
    if proposal.WhichOneof("result") == "failure":
        raw = messages.completion(message_type, completion_id, failure=proposal.failure)
        notification = Notification(message_type, raw, completion_id=completion_id, failed=True)
    else:
        raw = messages.completion(message_type, completion_id, value=proposal.value)
        notification = Notification(message_type, raw, completion_id=completion_id)
    index = append_notification(turn, invocation, notification)
    version = invocation.protocol_version
    if entry.flags & ACK_FLAG and version is not None and version >= FIRST_VERSION_WITH_RUN_ACKS:
        ack = encode_frame(MessageType.PROPOSE_RUN_COMPLETION_ACK, messages.run_ack(completion_id))
        turn.emit(SendToAttempt(invocation.number, invocation.attempt, None, ack))
    else:
        forward(turn, invocation, index, notification)
