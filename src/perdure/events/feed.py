"""One client's stream: what it follows, how far it has come, and the bytes that it is sent."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import msgspec

from perdure.errors import StoreUnavailable
from perdure.events.hub import Hub, channel_key
from perdure.events.log import Change
from perdure.events.topics import InvocationTopic, ListTopic, RegistryTopic, StateTopic, Topic

HEARTBEAT_S: Final = 15.0
RETRY_MS: Final = 1000
PIECE: Final = 64 * 1024
"""Bytes handed to the connection at once; it is waited for before the next."""
ABSENT_NOTED: Final = 1000


class Feed:
    """Call order: `pieces` once, until it ends; then `leave`. `close` ends it from outside."""

    def __init__(self, hub: Hub, topics: tuple[Topic, ...], last_id: str | None) -> None:
        """last_id: of the last message that the client has; None: it begins. Raises: TooManyFollowers."""
        self.topics = topics
        self._hub = hub
        self._last_id = last_id
        self._stream = _stream_name(hub.epoch, topics)
        self._position = 0
        self._told = 0
        self._absent: dict[tuple[int, str], None] = {}
        self._news = asyncio.Event()
        self._closed = False
        hub.join(self)

    def wake(self) -> None:
        """There is something new in the log."""
        self._news.set()

    def close(self) -> None:
        self._closed = True
        self._news.set()

    def is_closed(self) -> bool:
        return self._closed

    def leave(self) -> None:
        self._hub.leave(self)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes of the stream."""
        loop = asyncio.get_running_loop()
        silent_since = loop.time()
        yield b"retry: %d\n\n" % RETRY_MS
        reset = self._resume()
        follows = self._last_id is not None and reset is None
        try:
            while not self.is_closed():
                messages = self._changes() if follows else await self._begin(reset)
                for piece in _cut(messages):
                    yield piece
                    if self.is_closed():
                        return
                if messages:
                    silent_since = loop.time()
                if self._hub.log.last == self._position:
                    await self._wait(silent_since + HEARTBEAT_S)
                if loop.time() >= silent_since + HEARTBEAT_S:
                    yield self._heartbeat()
                    silent_since = loop.time()
                reset = self._gap()
                follows = reset is None
        except StoreUnavailable:
            return  # the client comes again, and is told more if it lasts

    async def _wait(self, until: float) -> None:
        """Waits for news, which may not concern this client. until: a time of the loop."""
        try:
            async with asyncio.timeout_at(until):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    def _heartbeat(self) -> bytes:
        """A comment. What concerns others moves the place of this client too, so it is told where it is."""
        moved = b"id: %b\n" % self._id(self._position) if self._position != self._told else b""
        self._told = self._position
        return b": heartbeat\n%b\n" % moved

    # where the client is

    def _resume(self) -> str | None:
        """Goes to where the client was. Returns: why that cannot be; None also when it begins."""
        if self._last_id is None:
            return None
        stream, _, number = self._last_id.rpartition("-")
        if stream != self._stream or not (number.isascii() and number.isdigit() and len(number) < 20):
            return "restarted"
        self._position = self._told = int(number)
        if self._position > self._hub.log.last:
            return "restarted"
        return "expired" if self._gap() is not None else None

    def _gap(self) -> str | None:
        """Why the log does not have all that comes after the position; None: it has."""
        for channel in (self._hub.channels.get(channel_key(topic)) for topic in self.topics):
            if channel is None or channel.since is None:
                return "expired"
            if channel.since > self._position:
                return channel.gap
        return "slow" if self._hub.log.forgotten > self._position else None

    # what is told

    async def _begin(self, reset: str | None) -> list[bytes]:
        snapshots, self._position = await self._hub.snapshot(self.topics)
        self._absent.clear()
        messages = [] if reset is None else [_message("reset", {"reason": reset})]
        *others, last = [{"topic": place, **snapshot} for place, snapshot in enumerate(snapshots)]
        messages += [_message("snapshot", snapshot) for snapshot in others]
        self._told = self._position
        messages.append(_message("snapshot", last, self._id(self._position)))
        return messages

    def _changes(self) -> list[bytes]:
        changes = self._hub.log.after(self._position)
        self._position = self._hub.log.last
        return [message for change in changes for message in self._messages(change)]

    def _messages(self, change: Change) -> Iterable[bytes]:
        told, gone = self._concerned(change)
        gone = [place for place in gone if (place, change.subject) not in self._absent]
        for place in told:
            self._absent.pop((place, change.subject), None)
        for place in gone:
            self._note_absent(place, change.subject)
        if not told and not gone:
            return
        self._told = change.sequence
        id = self._id(change.sequence)
        if gone:
            yield _message("gone", {"topics": gone, "id": change.subject, "purged": False}, None if told else id)
        if told:
            data = b'{"topics":%b,%b' % (msgspec.json.encode(told), change.body)
            yield _frame(change.kind, data, id)

    def _note_absent(self, place: int, id: str) -> None:
        """So that it is not told of every change of a row that has no place in the list."""
        self._absent[place, id] = None
        if len(self._absent) > ABSENT_NOTED:
            del self._absent[next(iter(self._absent))]

    def _concerned(self, change: Change) -> tuple[list[int], list[int]]:
        """Topics that are told of the change, and lists that the row has no place in."""
        told: list[int] = []
        gone: list[int] = []
        for place, topic in enumerate(self.topics):
            match topic:
                case ListTopic():
                    if change.row is not None and topic.filter.may_take(change.row):
                        (told if topic.filter.takes(change.row) else gone).append(place)
                    elif change.kind == "gone" or (
                        change.kind == "counts" and topic.filter.counts and change.subject == repr(topic.filter.counted)
                    ):
                        told.append(place)
                case InvocationTopic():
                    if change.subject == topic.id:
                        told.append(place)
                case RegistryTopic():
                    if change.kind == "registry":
                        told.append(place)
                case StateTopic():
                    if change.kind == "state" and change.subject == f"{topic.service}/{topic.key}":
                        told.append(place)
        return told, gone

    def _id(self, number: int) -> bytes:
        return f"{self._stream}-{number}".encode()


def _stream_name(epoch: str, topics: tuple[Topic, ...]) -> str:
    """The same for the same topics in one run of the server, so that an id is good for these alone."""
    return hashlib.sha256(f"{epoch}{topics!r}".encode()).hexdigest()[:8]


def _message(event: str, data: Any, id: bytes | None = None) -> bytes:
    return _frame(event, msgspec.json.encode(data), id)


def _frame(event: str, data: bytes, id: bytes | None) -> bytes:
    """data: JSON, which has no line breaks."""
    named = b"" if id is None else b"id: %b\n" % id
    return b"event: %b\n%bdata: %b\n\n" % (event.encode(), named, data)


def _cut(messages: Iterable[bytes]) -> Iterable[bytes]:
    """The same bytes in pieces of a bearable size."""
    gathered = b"".join(messages)
    for start in range(0, len(gathered), PIECE):
        yield gathered[start : start + PIECE]
