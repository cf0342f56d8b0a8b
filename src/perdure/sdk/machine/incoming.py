"""What comes from the server: the start, the journal, and then notifications.

    preamble ──(all known entries are there)──▶ running ──(a final frame was written)──▶ closed

Entries are kept as bytes and decoded when they are needed.
"""

from collections import deque
from typing import Final

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.errors import ProtocolError
from perdure.protocol.framing import Frame, FrameDecoder
from perdure.protocol.messages import MessageType, decode, is_command, is_notification

MESSAGE_BYTES_MAX = 256 * 1024 * 1024
"""The largest message that is accepted from a server; servers have lower limits of their own."""

# On the hot path: a member of an enumeration costs more than a number.
_START: Final = MessageType.START.value
_INPUT: Final = MessageType.INPUT_COMMAND.value
_RUN_ACK: Final = MessageType.PROPOSE_RUN_COMPLETION_ACK.value


class Incoming:
    """Cuts the request body into the start message, the recorded commands and the queue of notifications.

    Invariant: `ready` is set once, when `start` and exactly `known_entries` entries are there.
    """

    __slots__ = ("_decoder", "_entries_left", "commands", "ended", "queue", "ready", "start")

    def __init__(self) -> None:
        self._decoder = FrameDecoder(MESSAGE_BYTES_MAX)
        self._entries_left = 0
        self.start: pb.StartMessage | None = None
        self.ready = False
        self.ended = False
        """No more bytes will come; what has come stays usable."""
        self.commands: list[Frame] = []
        """The recorded commands, Input first."""
        self.queue: deque[Frame] = deque()
        """Notifications and acks, in the order of arrival, that nobody needed yet."""

    def feed(self, data: bytes) -> bool:
        """Takes bytes of the body, cut anywhere. Returns: True if they made it `ready`. Raises: ProtocolError."""
        was_ready = self.ready
        for frame in self._decoder.feed(data):
            if frame.type == _RUN_ACK and self.ready:
                # An attempt that goes on hears of little else.
                self.queue.append(frame)
            else:
                self._take(frame)
        self._decoder.raise_pending()
        return self.ready and not was_ready

    def end(self) -> None:
        """The body has ended. Raises: ProtocolError if the handler cannot have begun."""
        self.ended = True
        if not self.ready:
            raise ProtocolError(
                f"the request ended too early: {self._entries_left} entries of the journal are missing"
                if self.start is not None
                else "the request ended before its first message"
            )

    def _take(self, frame: Frame) -> None:
        type_id = frame.type
        if self.ready:
            if is_notification(type_id):
                self.queue.append(frame)
            elif type_id != MessageType.COMMAND_ACK:
                raise _unexpected(type_id)
        elif is_notification(type_id):
            self.queue.append(frame)
            self._count_entry()
        elif is_command(type_id):
            self.commands.append(frame)
            self._count_entry()
        elif self.start is None and type_id == _START:
            self._begin(frame)
        else:
            raise _unexpected(type_id)

    def _begin(self, frame: Frame) -> None:
        message = decode(_START, frame.payload)
        assert isinstance(message, pb.StartMessage)
        if message.known_entries == 0:
            raise ProtocolError("the start message announces an empty journal; at least the input belongs to it")
        self.start = message
        self._entries_left = message.known_entries

    def _count_entry(self) -> None:
        if self.start is None:
            raise ProtocolError("an entry of the journal came before the start message")
        self._entries_left -= 1
        if self._entries_left == 0:
            if not self.commands or self.commands[0].type != _INPUT:
                raise ProtocolError("the journal does not begin with an input")
            self.ready = True


def _unexpected(type_id: int) -> ProtocolError:
    return ProtocolError(f"a message of type 0x{type_id:04x} is not expected here")
