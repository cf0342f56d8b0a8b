"""The replay machine: one attempt, from the start message to the final frame.

    replaying ──(the last recorded command is met)──▶ processing ──(a final frame)──▶ closed

While replaying, each operation must meet the next recorded command, and nothing is written. While
processing, each operation writes a new one. Notifications wait in one queue and are taken one at a time, only
when a wait needs more: so a race has the same winner in every attempt. The operations are in `commands.py`.
"""

import struct
from collections import deque
from collections.abc import Sequence
from typing import Final, Literal

from google.protobuf.message import DecodeError, Message

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.errors import ProtocolError
from perdure.protocol.framing import ACK_FLAG, Frame
from perdure.protocol.messages import CANCEL_SIGNAL, MESSAGE_CLASSES, MessageType
from perdure.protocol.seeds import random_seed_v5
from perdure.protocol.wire import write_bytes, write_varint
from perdure.sdk.exceptions import ContextClosed, SdkInternalException, SuspendedException
from perdure.sdk.machine.awaiting import Node, await_tree, flat_suspension
from perdure.sdk.machine.errors import (
    JOURNAL_MISMATCH,
    PROTOCOL_VIOLATION,
    UNSUPPORTED_FEATURE,
    AttemptError,
    RelatedCommand,
    entry_name,
)
from perdure.sdk.machine.incoming import Incoming
from perdure.sdk.machine.matching import same
from perdure.sdk.machine.mismatch import describe_added_await, describe_mismatch
from perdure.sdk.machine.outcome import Failure, NotificationId, Outcome, read_notification, write_failure
from perdure.sdk.machine.state import StateView

_FIRST_AWAKEABLE: Final = 17
"""Signal ids below are reserved."""

# On the hot path: members of enumerations and of modules cost more than names.
_END: Final = MessageType.END.value
_OUTPUT: Final = MessageType.OUTPUT_COMMAND.value
_PROPOSE: Final = MessageType.PROPOSE_RUN_COMPLETION.value
_RUN_ACK: Final = MessageType.PROPOSE_RUN_COMPLETION_ACK.value
_pack_header: Final = struct.Struct(">HHI").pack
_read_ack: Final = pb.ProposeRunCompletionAckMessage.FromString
_read_input: Final = pb.InputCommandMessage.FromString

# Until the start message is there.
_NO_START: Final = pb.StartMessage()
_NO_STATE: Final = StateView(_NO_START)

Ending = Literal["ended", "suspended", "failed", "dropped"]


class Machine:
    """The state of one attempt. Operations raise what leaves the user's code when the attempt cannot go on."""

    __slots__ = (
        "_calls",
        "_cancelling",
        "_further_cancels",
        "_identified",
        "_last_signal",
        "_named_signals",
        "_proposals",
        "command_index",
        "commands_written",
        "ending",
        "error",
        "incoming",
        "last_completion",
        "output",
        "recorded_count",
        "replaying",
        "results",
        "start",
        "state",
        "version",
    )

    def __init__(self, version: int) -> None:
        """version: of the service protocol, 5 to 7."""
        self.version = version
        self.incoming = Incoming()
        self.start = _NO_START
        self.state = _NO_STATE
        self.results: dict[NotificationId, Outcome] = {}
        """What has been taken from the queue. A run's own result stands here as soon as it is durable."""
        self.command_index = 0
        """Of the command that was met or written last; Input is 0."""
        self.recorded_count = 0
        self.replaying = False
        self.commands_written = 0
        self.ending: Ending | None = None
        self.error: AttemptError | None = None
        self.output: list[bytes] = []
        """Frames that are to be sent."""
        self.last_completion = 0
        self._last_signal = _FIRST_AWAKEABLE - 1
        self._named_signals: dict[str, deque[Outcome]] = {}
        self._proposals: dict[int, Outcome] = {}
        # Invocation ids (by their completion ids) of calls that a cancel passes on to.
        self._calls: list[int] = []
        self._cancelling: list[int] | None = None
        self._identified = 0
        self._further_cancels: list[Frame] = []

    # ---- Bytes in and out ----

    @property
    def ready(self) -> bool:
        """The handler can begin: the whole journal is there."""
        return self.incoming.ready

    def feed(self, data: bytes) -> None:
        """Takes bytes of the request. What breaks the protocol fails the attempt; `ending` tells."""
        if self.ending is not None:
            return
        try:
            completed = self.incoming.feed(data)
        except ProtocolError as error:
            self.fail(AttemptError(PROTOCOL_VIOLATION, str(error)))
        else:
            if completed:
                self._begin()

    def end_of_input(self) -> None:
        """The request has ended: what is there must do, then the handler is suspended."""
        if self.ending is not None:
            return
        try:
            self.incoming.end()
        except ProtocolError as error:
            self.fail(AttemptError(PROTOCOL_VIOLATION, str(error)))

    def _begin(self) -> None:
        start = self.incoming.start
        assert start is not None
        self.start = start
        self.state = StateView(start)
        self.recorded_count = len(self.incoming.commands)
        self.replaying = self.recorded_count > 1

    def input(self) -> pb.InputCommandMessage:
        """What the invocation was given. Raises: SdkInternalException."""
        try:
            return _read_input(self.incoming.commands[0].payload)
        except DecodeError:
            raise self.fail(AttemptError(PROTOCOL_VIOLATION, "the input cannot be decoded")) from None

    def random_seed(self) -> int:
        """The same for every attempt of the invocation."""
        return random_seed_v5(self.start.id) if self.version < 6 else self.start.random_seed

    # ---- Commands ----

    def require_open(self) -> None:
        """Raises what leaves the user's code if the attempt is over."""
        if self.ending is not None:
            raise self.closed()

    def closed(self) -> BaseException:
        """What leaves the user's code now that the attempt is over."""
        assert self.ending is not None
        if self.ending == "ended":
            return ContextClosed("the context is used after its handler has ended")
        if self.error is not None:
            return SdkInternalException(self.error.message)
        return SuspendedException()

    def command(self, type_id: int, message: Message) -> None:
        """Meets the next recorded command, or writes a new one."""
        self.encoded_command(type_id, message.SerializeToString())

    def encoded_command(self, type_id: int, payload: bytes) -> None:
        """The same, for a message that is encoded already."""
        if self.ending is not None:
            self.require_open()
        self.command_index += 1
        if not self.replaying:
            self.commands_written += 1
            self.output.append(_pack_header(type_id, 0, len(payload)) + payload)
            return
        recorded = self.incoming.commands[self.command_index]
        if (recorded.type != type_id or recorded.payload != payload) and not same(type_id, payload, recorded):
            message = MESSAGE_CLASSES[type_id].FromString(payload)
            related = RelatedCommand(self.command_index, type_id, entry_name(message))
            text = describe_mismatch(self.incoming.commands, self.command_index, type_id, message)
            raise self.fail(AttemptError(JOURNAL_MISMATCH, text, related=related))
        if self.command_index + 1 == self.recorded_count:
            self.replaying = False

    def next_recorded_type(self) -> int | None:
        """The type of the recorded command that the next operation will meet, None while processing."""
        return self.incoming.commands[self.command_index + 1].type if self.replaying else None

    def recorded(self) -> bytes:
        """The payload of the recorded command that was met last."""
        return self.incoming.commands[self.command_index].payload

    def next_completion_id(self) -> int:
        self.last_completion += 1
        return self.last_completion

    def next_signal_id(self) -> int:
        self._last_signal += 1
        return self._last_signal

    def add_call(self, invocation_id_completion: int) -> None:
        """Remembers a callee to cancel when this invocation is cancelled."""
        self._calls.append(invocation_id_completion)

    def failure(self, failure: Failure) -> pb.Failure:
        """The message for a failure. Raises: SdkInternalException for what the version cannot carry."""
        if failure.metadata and self.version < 6:
            text = f"metadata of errors needs version 6 of the service protocol; this invocation has {self.version}"
            raise self.fail(AttemptError(UNSUPPORTED_FEATURE, text))
        return write_failure(failure)

    def require_version(self, version: int, feature: str) -> None:
        """Raises: SdkInternalException if the invocation speaks an older version of the protocol."""
        if self.version < version:
            text = f"{feature} needs version {version} of the service protocol; this invocation has {self.version}"
            raise self.fail(AttemptError(UNSUPPORTED_FEATURE, text))

    def propose(self, completion_id: int, outcome: Outcome) -> None:
        """Asks the server to store the result of a run; it counts once an ack or a completion was taken."""
        if self.ending is not None:
            return
        payload = b"\x08" + write_varint(completion_id)
        if outcome.failure is not None:
            payload += write_bytes(b"\x7a", self.failure(outcome.failure).SerializeToString())
        else:
            payload += write_bytes(b"\x72", outcome.value)
        self._proposals[completion_id] = outcome
        self.output.append(_pack_header(_PROPOSE, ACK_FLAG if self.version >= 7 else 0, len(payload)) + payload)

    def is_proposed(self, completion_id: int) -> bool:
        """True while the server has the result of a run, and has not said that it is stored."""
        return completion_id in self._proposals

    def _write(self, type_id: int, payload: bytes, flags: int = 0) -> None:
        self.output.append(_pack_header(type_id, flags, len(payload)) + payload)

    # ---- Notifications ----

    def take(self) -> NotificationId | None:
        """Takes the next notification from the queue. Returns: what it answers; None if there is none."""
        queue = self.incoming.queue
        if not queue:
            return None
        frame = queue.popleft()
        try:
            if frame.type == _RUN_ACK:
                completion_id = _read_ack(frame.payload).completion_id
                outcome = self._proposals.pop(completion_id, None)
                if outcome is None:
                    raise self._acknowledged_wrongly(completion_id)
                self.results[completion_id] = outcome
                return completion_id
            key, outcome = read_notification(frame.payload)
        except (DecodeError, ProtocolError):
            raise self.fail(AttemptError(PROTOCOL_VIOLATION, "a notification cannot be decoded")) from None
        if isinstance(key, str):
            self._named_signals.setdefault(key, deque()).append(outcome)
        elif key == -CANCEL_SIGNAL:
            if self._cancelling is None:
                self._cancelling, self._calls, self._identified = self._calls, [], 0
            else:
                self._further_cancels.append(frame)
        else:
            # Only the first counts: an awakeable may be completed twice.
            self.results.setdefault(key, outcome)
        return key

    def _acknowledged_wrongly(self, completion_id: int) -> SdkInternalException:
        text = f"the server acknowledged the result of a run ({completion_id}) that this attempt did not propose"
        return self.fail(AttemptError(PROTOCOL_VIOLATION, text))

    def take_signal(self, name: str) -> Outcome | None:
        """The first signal of that name which nobody has taken yet."""
        queue = self._named_signals.get(name)
        return queue.popleft() if queue else None

    # ---- Cancellation ----

    @property
    def cancelling(self) -> bool:
        """A cancel was taken and has not surfaced yet."""
        return self._cancelling is not None

    def pass_cancel_on(self) -> int | None:
        """Cancels the callees, in the order of the calls, once the invocation ids of all are known.

        Returns: the completion id to wait for; None when all are told and the cancel can surface.
        """
        assert self._cancelling is not None
        while self._identified < len(self._cancelling):
            completion_id = self._cancelling[self._identified]
            if completion_id not in self.results:
                return completion_id
            self._identified += 1
        callees, self._cancelling = self._cancelling, None
        for completion_id in callees:
            target = self.results[completion_id].invocation_id
            message = pb.SendSignalCommandMessage(target_invocation_id=target, idx=CANCEL_SIGNAL)
            message.void.SetInParent()
            self.command(MessageType.SEND_SIGNAL_COMMAND, message)
        # One that came meanwhile surfaces at the wait after this one.
        self.incoming.queue.extendleft(self._further_cancels)
        self._further_cancels.clear()
        return None

    # ---- Blocking and ending ----

    def blocked_in_replay(self, nodes: Sequence[Node]) -> SdkInternalException:
        """Fails the attempt: the code waits for what no recorded notification brings."""
        index = self.command_index + 1
        recorded = self.incoming.commands[index]
        text = describe_added_await(self.incoming.commands, index, [leaf for node in nodes for leaf in node.pending])
        return self.fail(AttemptError(JOURNAL_MISMATCH, text, related=RelatedCommand(index, recorded.type, "")))

    def announce_wait(self, nodes: Sequence[Node]) -> None:
        """Tells the server what the handler waits for, with no action executing; since version 7."""
        message = pb.AwaitingOnMessage(awaiting_on=await_tree(nodes, cancel=True))
        self._write(MessageType.AWAITING_ON, message.SerializeToString())

    def suspend(self, nodes: Sequence[Node]) -> None:
        """The final frame of an attempt that cannot go on without notifications to come."""
        assert self.ending is None
        # A cancel that was taken already cannot wake it.
        cancel = not self.cancelling
        if self.version >= 7:
            message = pb.SuspensionMessage(awaiting_on=await_tree(nodes, cancel=cancel))
        else:
            message = flat_suspension(nodes, cancel=cancel)
        self._write(MessageType.SUSPENSION, message.SerializeToString())
        self.ending = "suspended"

    def finish(self, outcome: Outcome) -> None:
        """Writes the result of the invocation, and the final frame."""
        if outcome.failure is not None:
            payload = write_bytes(b"\x7a", self.failure(outcome.failure).SerializeToString())
        else:
            # An empty value is one, too.
            payload = write_bytes(b"\x72", write_bytes(b"\x0a", outcome.value) if outcome.value else b"")
        self.encoded_command(_OUTPUT, payload)
        self._write(_END, b"")
        self.ending = "ended"

    def fail(self, error: AttemptError) -> SdkInternalException:
        """Writes the final frame of an attempt that failed. Returns: what is to leave the user's code."""
        if self.ending is None:
            self.error = error
            self.ending = "failed"
            self._write(MessageType.ERROR, error.write().SerializeToString())
        return SdkInternalException(error.message)

    def drop(self) -> None:
        """The server is gone, or does not want this attempt any more: nothing more is written."""
        if self.ending is None:
            self.ending = "dropped"
        self.output.clear()

    def run_attempt_number(self) -> int:
        """How many times the run that was met last has been tried, this time included."""
        return 1 + (self.start.retry_count_since_last_stored_entry if self.commands_written == 0 else 0)

    def run_elapsed_ms(self, attempt_ms: int) -> int:
        """The time that has gone into it. attempt_ms: since this attempt began."""
        if self.commands_written == 0 and self.start.retry_count_since_last_stored_entry > 0:
            return attempt_ms + self.start.duration_since_last_stored_entry
        return attempt_ms
