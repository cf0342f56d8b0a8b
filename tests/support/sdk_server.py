"""Enough of a server to bring a handler to its end: it stores entries, and completes what was asked in any order."""

from collections.abc import Callable

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import Frame
from perdure.protocol.messages import MessageType, completion, is_command, make_failure, signal_notification
from support.sdk_peer import Entry, Peer, ack, frame, input_command, opening, signal

Choose = Callable[[int], int]
"""Picks one of so many."""


class Server:
    """One invocation's journal and what is about to happen to it.

    Invariant: what is in `journal` is in the order in which the handler's attempts see it.
    """

    def __init__(self, version: int, choose: Choose, *, state: dict[bytes, bytes], partial: bool) -> None:
        self.version = version
        self.journal: list[Entry] = [input_command()]
        self.first_state = dict(state)
        self.partial = partial
        self._state = dict(state)
        self._choose = choose
        self._possible: list[Entry] = []
        self._proposed: list[pb.ProposeRunCompletionMessage] = []

    def will_signal(self, payload: bytes) -> None:
        """A signal that comes at some time."""
        self._possible.append(signal(payload))

    def will_cancel(self) -> None:
        self.will_signal(signal_notification(1, void=True))

    async def conduct(self, peer: Peer) -> None:
        """Runs one attempt, to its end."""
        await peer.converse(self.request(self.journal))
        self.store(peer.frames)
        taken = len(peer.frames)
        while not peer.task.done():
            stored = [self._next() for _ in range(1 + self._choose(3)) if self._possible or self._proposed]
            assert stored, "the handler waits for what nobody will bring"
            self.journal += [entry for entry, _ in stored]
            for _, sent in stored:
                await peer.converse(frame(sent))
                self.store(peer.frames[taken:])
                taken = len(peer.frames)

    def request(self, journal: list[Entry]) -> bytes:
        """The beginning of an attempt that finds this journal."""
        state = {} if self.partial else self._state_after(journal)
        entries = [pb.StartMessage.StateEntry(key=key, value=value) for key, value in state.items()]
        return opening(journal, state_map=entries, partial_state=self.partial)

    def _state_after(self, journal: list[Entry]) -> dict[bytes, bytes]:
        state = dict(self.first_state)
        for entry in journal:
            if isinstance(entry, tuple):
                _change(state, Frame(entry[0], 0, entry[1]))
        return state

    def _next(self) -> tuple[Entry, Entry]:
        """Something happens. Returns: the entry for the journal, and what the attempt is sent."""
        at = self._choose(len(self._possible) + len(self._proposed))
        if at < len(self._possible):
            entry = self._possible.pop(at)
            return entry, entry
        proposal = self._proposed.pop(at - len(self._possible))
        completion_id = proposal.result_completion_id
        type_id = MessageType.RUN_COMPLETION
        if proposal.HasField("failure"):
            entry = type_id, completion(type_id, completion_id, failure=proposal.failure)
        else:
            entry = type_id, completion(type_id, completion_id, value=proposal.value)
        return entry, ack(completion_id) if self.version >= 7 else entry

    def store(self, frames: list[Frame]) -> None:
        """Takes what an attempt sent."""
        for one in frames:
            if one.type == MessageType.PROPOSE_RUN_COMPLETION:
                self._proposed.append(pb.ProposeRunCompletionMessage.FromString(one.payload))
            if not is_command(one.type):
                continue
            self.journal.append((one.type, one.payload))
            self._answer(one)
            _change(self._state, one)

    def _answer(self, command: Frame) -> None:
        match command.type:
            case MessageType.SLEEP_COMMAND:
                slept = pb.SleepCommandMessage.FromString(command.payload)
                self._complete(MessageType.SLEEP_COMPLETION, slept.result_completion_id, void=True)
            case MessageType.CALL_COMMAND:
                called = pb.CallCommandMessage.FromString(command.payload)
                self._identify(called.invocation_id_notification_idx)
                self._give(MessageType.CALL_COMPLETION, called.result_completion_id, called.service_name)
            case MessageType.ATTACH_INVOCATION_COMMAND:
                attached = pb.AttachInvocationCommandMessage.FromString(command.payload)
                type_id = MessageType.ATTACH_INVOCATION_COMPLETION
                self._give(type_id, attached.result_completion_id, attached.invocation_id[-1])
            case MessageType.GET_PROMISE_COMMAND:
                promise = pb.GetPromiseCommandMessage.FromString(command.payload)
                self._give(MessageType.GET_PROMISE_COMPLETION, promise.result_completion_id, promise.key)
            case MessageType.PEEK_PROMISE_COMMAND:
                peeked = pb.PeekPromiseCommandMessage.FromString(command.payload)
                type_id = MessageType.PEEK_PROMISE_COMPLETION
                if self._choose(2):
                    self._complete(type_id, peeked.result_completion_id, void=True)
                else:
                    self._give(type_id, peeked.result_completion_id, peeked.key)
            case MessageType.COMPLETE_PROMISE_COMMAND:
                settled = pb.CompletePromiseCommandMessage.FromString(command.payload)
                type_id = MessageType.COMPLETE_PROMISE_COMPLETION
                if settled.key == "X":
                    self._complete(type_id, settled.result_completion_id, void=True)
                else:
                    failure = make_failure(409, "completed already")
                    self._complete(type_id, settled.result_completion_id, failure=failure)
            case MessageType.GET_LAZY_STATE_KEYS_COMMAND:
                asked = pb.GetLazyStateKeysCommandMessage.FromString(command.payload)
                type_id = MessageType.GET_LAZY_STATE_KEYS_COMPLETION
                self._complete(type_id, asked.result_completion_id, state_keys=sorted(self._state))
            case MessageType.ONE_WAY_CALL_COMMAND:
                sent = pb.OneWayCallCommandMessage.FromString(command.payload)
                self._identify(sent.invocation_id_notification_idx)
            case MessageType.GET_LAZY_STATE_COMMAND:
                read = pb.GetLazyStateCommandMessage.FromString(command.payload)
                value = self._state.get(read.key)
                type_id = MessageType.GET_LAZY_STATE_COMPLETION
                if value is None:
                    self._complete(type_id, read.result_completion_id, void=True)
                else:
                    self._complete(type_id, read.result_completion_id, value=value)

    def _give(self, type_id: int, completion_id: int, name: str) -> None:
        """X goes well, everything else fails."""
        if name == "X":
            self._complete(type_id, completion_id, value=b"1")
        else:
            self._complete(type_id, completion_id, failure=make_failure(404, "nobody"))

    def _identify(self, completion_id: int) -> None:
        self._complete(
            MessageType.CALL_INVOCATION_ID_COMPLETION, completion_id, invocation_id=f"inv_1callee{completion_id}"
        )

    def _complete(self, type_id: int, completion_id: int, **result: object) -> None:
        self._possible.append((type_id, completion(type_id, completion_id, **result)))  # type: ignore[arg-type]


def _change(state: dict[bytes, bytes], command: Frame) -> None:
    match command.type:
        case MessageType.SET_STATE_COMMAND:
            written = pb.SetStateCommandMessage.FromString(command.payload)
            state[written.key] = written.value.content
        case MessageType.CLEAR_STATE_COMMAND:
            state.pop(pb.ClearStateCommandMessage.FromString(command.payload).key, None)
        case MessageType.CLEAR_ALL_STATE_COMMAND:
            state.clear()
