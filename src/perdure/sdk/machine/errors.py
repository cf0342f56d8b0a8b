"""How an attempt fails: the code, the texts, and which command was to blame."""

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from perdure.protocol import messages_pb2 as pb

INTERNAL: Final = 500
"""Any exception of the handler, or of the SDK."""
JOURNAL_MISMATCH: Final = 570
"""The code does not do what the journal recorded."""
PROTOCOL_VIOLATION: Final = 571
"""The server sent something unexpected."""
UNSUPPORTED_FEATURE: Final = 573
"""The code uses what the negotiated version of the protocol does not have."""

TEXT_MAX: Final = 64 * 1024
"""Characters of a message or a stack trace that are sent; the rest is in the handler's log."""


@dataclass(frozen=True, slots=True)
class RelatedCommand:
    """The command that an error is about. type: its message type.  name: may be empty."""

    index: int
    type: int
    name: str


@dataclass(frozen=True, slots=True)
class AttemptError:
    """What goes out as ErrorMessage. retry_delay_ms: None leaves the delay to the server's policy."""

    code: int
    message: str
    stacktrace: str = ""
    related: RelatedCommand | None = None
    retry_delay_ms: int | None = None

    def write(self) -> pb.ErrorMessage:
        """The message that says it."""
        message = pb.ErrorMessage(
            code=self.code, message=self.message[:TEXT_MAX], stacktrace=self.stacktrace[-TEXT_MAX:]
        )
        if self.related is not None:
            message.related_command_index = self.related.index
            message.related_command_type = self.related.type
            if self.related.name:
                message.related_command_name = self.related.name
        if self.retry_delay_ms is not None:
            message.next_retry_delay = self.retry_delay_ms
        return message


def entry_name(message: Message) -> str:
    """The name of a command, as the user gave it; empty without one."""
    if isinstance(message, pb.SendSignalCommandMessage):
        return message.entry_name
    name = getattr(message, "name", "")
    assert isinstance(name, str)
    return name
