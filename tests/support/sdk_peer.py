"""The server's part in a conversation with one attempt of a handler: frames in, frames out, without any transport."""

import asyncio
from collections.abc import Iterable
from typing import Any, TypeAlias

from google.protobuf.message import Message

from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import Frame, FrameDecoder, encode_frame
from perdure.protocol.messages import MESSAGE_CLASSES, NAMES, MessageType, completion, decode, make_failure, run_ack
from perdure.sdk.attempt import Attempt
from perdure.sdk.definitions import HandlerDefinition, handler_of
from perdure.sdk.services import Service, VirtualObject, Workflow

RAW_ID = bytes(range(24))
NOW = 1_700_000_000_000
_FINAL = {MessageType.SUSPENSION, MessageType.ERROR, MessageType.END}
_TYPES: dict[type[Message], int] = {
    cls: type_id for type_id, cls in MESSAGE_CLASSES.items() if cls is not pb.NotificationMessage
}

Entry: TypeAlias = Message | tuple[int, bytes]
"""A command, or a notification as its type and its payload."""


def handler(function: Any, kind: str = "service") -> HandlerDefinition[Any, Any]:
    """Makes a handler of a function. kind: service, exclusive, shared, workflow or promises (shared, of a workflow)."""
    match kind:
        case "exclusive" | "shared":
            decorate: Any = VirtualObject("O").handler("h", kind=kind)  # type: ignore[arg-type]
        case "workflow":
            decorate = Workflow("W").main("h")
        case "promises":
            decorate = Workflow("W").handler("h")
        case _:
            decorate = Service("P").handler("h")
    return handler_of(decorate(function))


class FixedClock:
    """Tells a time that stands still."""

    def now(self) -> int:
        return NOW


def input_command(value: bytes = b'"x"', **headers: str) -> pb.InputCommandMessage:
    return pb.InputCommandMessage(
        headers=[pb.Header(key=key, value=text) for key, text in headers.items()], value=pb.Value(content=value)
    )


def run_command(completion_id: int, name: str) -> pb.RunCommandMessage:
    return pb.RunCommandMessage(result_completion_id=completion_id, name=name)


def sleep_command(completion_id: int) -> pb.SleepCommandMessage:
    return pb.SleepCommandMessage(wake_up_time=1, result_completion_id=completion_id)


def run_completion(completion_id: int, value: bytes) -> tuple[int, bytes]:
    return MessageType.RUN_COMPLETION, completion(MessageType.RUN_COMPLETION, completion_id, value=value)


def sleep_completion(completion_id: int) -> tuple[int, bytes]:
    return MessageType.SLEEP_COMPLETION, completion(MessageType.SLEEP_COMPLETION, completion_id, void=True)


def signal(payload: bytes) -> tuple[int, bytes]:
    return MessageType.SIGNAL_NOTIFICATION, payload


def ack(completion_id: int) -> tuple[int, bytes]:
    return MessageType.PROPOSE_RUN_COMPLETION_ACK, run_ack(completion_id)


def frame(entry: Entry) -> bytes:
    if isinstance(entry, Message):
        return encode_frame(_TYPES[type(entry)], entry.SerializeToString())
    return encode_frame(*entry)


def start(known: int, **fields: Any) -> bytes:
    """The frame of a StartMessage for a service's handler, unless `fields` say otherwise."""
    values: dict[str, Any] = {"id": RAW_ID, "debug_id": "inv_1test", "random_seed": 7, "partial_state": True} | fields
    return encode_frame(MessageType.START, pb.StartMessage(known_entries=known, **values).SerializeToString())


def opening(entries: Iterable[Entry], **fields: Any) -> bytes:
    """The start of a request with this journal."""
    frames = [frame(entry) for entry in entries]
    return start(len(frames), **fields) + b"".join(frames)


class Peer:
    """Plays the server for one attempt.

    frames: what the attempt has sent.  `converse` waits until the attempt comes to rest and says what it sent since.
    """

    def __init__(self, handler: HandlerDefinition[Any, Any], version: int = 7, **options: Any) -> None:
        self.frames: list[Frame] = []
        self._seen = 0
        self._decoder = FrameDecoder(1 << 30)
        self._changed = asyncio.Event()
        self.attempt = Attempt(handler, version, self._receive, clock=FixedClock(), **options)
        self.task = asyncio.get_running_loop().create_task(self.attempt.run())

    def _receive(self, data: bytes) -> None:
        self.frames += self._decoder.feed(data)
        self._changed.set()

    async def converse(self, data: bytes = b"", *, end: bool = False) -> list[str]:
        """Sends bytes, and waits until the attempt is over or rests. Returns: what it sent since the last time."""
        if data:
            self.attempt.feed(data)
        if end:
            self.attempt.end_of_input()
        await self.rest()
        new = self.frames[self._seen :]
        self._seen = len(self.frames)
        return [say(one) for one in new]

    async def rest(self) -> None:
        """Waits until the event loop has gone round often enough for everything that does not wait for threads."""
        for _ in range(400):
            if self.task.done():
                break
            await asyncio.sleep(0)

    async def sent(self, type_id: int) -> Message:
        """Waits for the first frame of a type, for actions in threads."""
        async with asyncio.timeout(5):
            while True:
                for one in self.frames:
                    if one.type == type_id:
                        return decode(type_id, one.payload)
                self._changed.clear()
                await self._changed.wait()

    async def ended(self) -> list[str]:
        """Waits for the end of the attempt. Returns: what it sent since the last time."""
        await asyncio.wait_for(self.task, 5)
        return await self.converse()

    @property
    def final(self) -> Message:
        """The last frame, which ends the attempt."""
        last = self.frames[-1]
        assert last.type in _FINAL, say(last)
        return decode(last.type, last.payload)


def attempt(function: Any, *entries: Entry, kind: str = "service", version: int = 7, **start: Any) -> list[str]:
    """What a whole attempt sends whose journal begins with the input and these entries."""

    async def play() -> list[str]:
        peer = Peer(handler(function, kind), version)
        return await peer.converse(opening([input_command(), *entries], **start), end=True)

    return asyncio.run(play())


def talk(function: Any, *turns: Entry, kind: str = "service", version: int = 7, **start: Any) -> list[list[str]]:
    """What an attempt sends after its start, and after each frame."""

    async def play() -> list[list[str]]:
        peer = Peer(handler(function, kind), version)
        said = [await peer.converse(opening([input_command()], **start))]
        return said + [await peer.converse(frame(entry)) for entry in turns]

    return asyncio.run(play())


def void(type_id: int, completion_id: int) -> Entry:
    return type_id, completion(type_id, completion_id, void=True)


def value(type_id: int, completion_id: int, content: bytes) -> Entry:
    return type_id, completion(type_id, completion_id, value=content)


def failed(type_id: int, completion_id: int) -> Entry:
    return type_id, completion(type_id, completion_id, failure=make_failure(418, "no tea"))


def say(one: Frame) -> str:
    """A frame in one line, for example `Run result_completion_id: 1 name: "charge"`."""
    name = NAMES.get(one.type) or "".join(part.capitalize() for part in MessageType(one.type).name.split("_"))
    text = " ".join(str(decode(one.type, one.payload)).split())
    return f"{name} {text}".rstrip()
