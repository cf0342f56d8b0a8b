"""One attempt, without IO: response bytes in, what the engine must know out.

head ──▶ frames ──▶ End | Suspension | Error ──▶ (anything more is ignored)
  └── bad status ──▶ failed    └── bad frame ──▶ failed
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec

from perdure.model.invocation import AttemptFailure
from perdure.model.records import AttemptEnd, Ended, Entry, ErrorBehavior, Failed, Suspended
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.errors import AwaitTreeTooDeep, BadFrame, ProtocolError
from perdure.protocol.framing import Frame, FrameDecoder
from perdure.protocol.futures import AwaitTree, awaiting_on_tree, suspension_tree
from perdure.protocol.messages import NAMES, MessageType, decode
from perdure.protocol.versions import invocation_content_type

FIRST_VERSION_WITH_AWAITING_ON = 7

_RT_CODES = {570: "RT0016", 571: "RT0012"}
_BAD_STATUSES = {413: "RT0019", 415: "RT0015", 429: "RT0023", 502: "RT0010", 503: "RT0023", 504: "RT0010"}


# On the hot path: reading a member of an enumeration costs several times as much as comparing two numbers.
_SUSPENSION = MessageType.SUSPENSION.value
_ERROR = MessageType.ERROR.value
_END = MessageType.END.value
_PROPOSAL = MessageType.PROPOSE_RUN_COMPLETION.value
_AWAITING_ON = MessageType.AWAITING_ON.value
_INPUT = MessageType.INPUT_COMMAND.value
"""The first of the commands, and the one that is not the handler's to send."""
_LAST_COMMAND = 0x7FFF


def failed(code: int, rt_code: str, message: str, retry_after: int | None = None) -> Failed:
    """A failed attempt that no frame of the handler describes. retry_after: ms."""
    return Failed(AttemptFailure(code, rt_code, message), retry_after)


class Heard(msgspec.Struct, gc=False):
    """What a piece of the response said. awaiting_on: the newest await tree, for display."""

    entries: list[Entry]
    end: AttemptEnd | None = None
    awaiting_on: AwaitTree | None = None


class AttemptMachine:
    """Reads the response of one attempt. version: negotiated protocol version. message_limit: bytes of a payload."""

    __slots__ = ("_decoder", "_version", "ended", "seen")

    def __init__(self, version: int, message_limit: int, seen: int = 0) -> None:
        """seen: journal entries before this index are known to the handler; whoever sends more keeps it up to date."""
        self._version = version
        self._decoder = FrameDecoder(message_limit)
        self.ended = False
        self.seen = seen

    def head_received(self, status: int, headers: Mapping[str, str], now: int) -> Failed | None:
        """None: the head is as it must be. now: ms since the epoch, for dates in `retry-after`."""
        if status == 200:
            expected = invocation_content_type(self._version)
            content_type = headers.get("content-type", "")
            if content_type == expected:
                return None
            self.ended = True
            return failed(500, "RT0012", f"the endpoint answered with content type '{content_type}', not '{expected}'")
        self.ended = True
        text = f"the endpoint answered with status {status}"
        if status == 404:
            text += ": it does not know this service and handler; is the code older than the registration?"
        failure = AttemptFailure(500, _BAD_STATUSES.get(status, "RT0012"), text)
        retry_after = _retry_after(headers.get("retry-after"), now) if status in (429, 503) else None
        return Failed(failure, retry_after, counted=status != 415)

    def data_received(self, data: bytes) -> Heard:
        """Takes a piece of the body. After the end nothing is heard any more."""
        heard = Heard([])
        if self.ended:
            return heard
        entries = heard.entries
        decoder = self._decoder
        try:
            for frame in decoder.feed(data):
                kind = frame.type
                if _INPUT < kind <= _LAST_COMMAND:
                    payload = frame.payload
                    entries.append(Entry(kind, frame.flags, payload, decode(kind, payload)))
                    continue
                self._on_other_frame(frame, heard)
                if heard.end is not None:
                    self.ended = True
                    return heard
            decoder.raise_pending()
        except AwaitTreeTooDeep as error:
            self.ended = True
            heard.end = Failed(AttemptFailure(500, error.restate_code, str(error)), behavior=ErrorBehavior.PAUSE)
        except ProtocolError as error:
            self.ended = True
            heard.end = Failed(AttemptFailure(571, error.restate_code, str(error)))
        return heard

    def end_received(self) -> Failed | None:
        """The body is over; without a final frame the attempt failed."""
        if self.ended:
            return None
        self.ended = True
        if self._decoder.buffered:
            return failed(571, "RT0012", "the response was cut off in the middle of a frame")
        return failed(500, "RT0006", "the response ended without a final frame: the handler's process may have died")

    def _on_other_frame(self, frame: Frame, heard: Heard) -> None:
        """Not a command."""
        kind = frame.type
        payload = frame.payload
        if kind == _PROPOSAL:
            message = decode(kind, payload)
            if message.WhichOneof("result") is None:
                raise BadFrame("the result of a run was proposed without a value or a failure")
            heard.entries.append(Entry(kind, frame.flags, payload, message))
        elif kind == _AWAITING_ON and self._version >= FIRST_VERSION_WITH_AWAITING_ON:
            heard.awaiting_on = awaiting_on_tree(payload)[0]
        elif kind == _END:
            heard.end = Ended()
        elif kind == _SUSPENSION:
            heard.end = _suspended(suspension_tree(payload, self._version), self.seen)
        elif kind == _ERROR:
            message = decode(kind, payload)
            assert isinstance(message, wire.ErrorMessage)
            heard.end = _error(message)
        else:
            raise BadFrame(f"a frame of type 0x{kind:04x} is not the handler's to send")


def _suspended(tree: AwaitTree, seen: int) -> Suspended:
    if tree.is_empty:
        raise BadFrame("the handler suspended without waiting for anything")
    return Suspended(msgspec.json.encode(msgspec.structs.replace(tree, seen=seen)))


def _error(message: wire.ErrorMessage) -> Failed:
    command_type = None
    if message.HasField("related_command_type"):
        command_type = NAMES.get(message.related_command_type)
    failure = AttemptFailure(
        code=message.code,
        rt_code=_RT_CODES.get(message.code, "RT0007"),
        message=message.message,
        stacktrace=message.stacktrace or None,
        command_index=message.related_command_index if message.HasField("related_command_index") else None,
        command_name=message.related_command_name if message.HasField("related_command_name") else None,
        command_type=command_type,
    )
    retry_after = message.next_retry_delay if message.HasField("next_retry_delay") else None
    return Failed(failure, retry_after, message.behavior)


def _retry_after(value: str | None, now: int) -> int | None:
    """The delay in ms that a `retry-after` header asks for, by seconds or a date; None: none that is in the future."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        # The standard library refuses to read thousands of digits, and nobody means them.
        return int(value[:_SECONDS_DIGITS_MAX]) * 1000 or None
    try:
        at = int(parsedate_to_datetime(value).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    # Not at once: the endpoint is in trouble, and the policy knows how to wait.
    return at - now if at > now else None


_SECONDS_DIGITS_MAX = 12
"""More than 30 000 years."""
