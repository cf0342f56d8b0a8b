"""Collects what changes, reads it once for all who follow, and keeps it for a while.

    partition, invoker ──what changed──▶ Hub ──Look──▶ Reader (a thread)
                                          ▲               │ Seen
                            feeds ◀── ChangeLog ◀─────────┘

Nobody is ever waited for: the partition hands over numbers and goes on, and a feed that lags reads on in the log.
Without feeds nothing is installed, noted or read.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import msgspec
import structlog

from perdure.clock import Clock
from perdure.engine.load import AttemptStart
from perdure.errors import StoreUnavailable
from perdure.events.counting import Counter, Counting, Counts
from perdure.events.filters import InvocationFilter, Row
from perdure.events.log import ChangeLog
from perdure.events.problems import TooManyFollowers
from perdure.events.reader import Look, Place, Seen
from perdure.events.topics import InvocationTopic, ListTopic, RegistryTopic, StateTopic, Topic
from perdure.model.changes import Changes
from perdure.model.invocation import AttemptNews
from perdure.model.registry import Registry
from perdure.model.timestamps import format_time

FOLLOWERS_MAX: Final = 256
FLUSH_S: Final = 0.05
"""Between two looks."""
REST: Final = 2
"""So many times as long as the last look took is rested before the next, so that looks never take most of the time."""
LINGER_S: Final = 30.0
"""How long what nobody follows any more is still kept up to date, for those who come back."""
ROWS_PER_LOOK: Final = 200
ROWS_WAITING: Final = 10_000
"""More rows than that are not told one by one: lists begin anew."""

log = structlog.get_logger()


class ChangeSource(Protocol):
    """See `partition.loop.Partition`."""

    @property
    def registry(self) -> Registry: ...
    async def follow(self, follower: Callable[[Changes], None] | None) -> None: ...


class AttemptSource(Protocol):
    """See `invoker.invoker.Invoker`."""

    follower: Callable[[AttemptStart, AttemptNews], None] | None

    def started(self, number: int) -> AttemptStart | None: ...


class Looker(Protocol):
    """See `events.reader.Reader`."""

    def look(self, look: Look) -> Seen: ...
    def interrupt(self) -> None: ...
    def close(self) -> None: ...


class Channel:
    """What the log has of one subject. Lists share one channel, every other topic is its own.

    since: everything after that number is in the log, None: nothing yet. gap: why something before is not.
    place: how far an invocation has been told.
    """

    def __init__(self) -> None:
        self.feeds = 0
        self.left_at = 0.0
        self.since: int | None = None
        self.gap = "expired"
        self.place = Place()


class Asked(msgspec.Struct, frozen=True):
    """Somebody begins to follow these topics. answer: their snapshots, and the number of the last change seen."""

    topics: tuple[Topic, ...]
    answer: "asyncio.Future[tuple[list[Row], int]]"


class Pending(msgspec.Struct):
    """What the next look is for. invocations: numbers for lists, the longest waiting first. details: ids."""

    invocations: dict[int, None] = {}
    removed: dict[int, str] = {}
    details: set[str] = set()
    states: set[tuple[str, str]] = set()
    registry: bool = False
    attempts: list[Row] = []
    asked: list[Asked] = []


class Feed(Protocol):
    """Who is told; see `events.feed.Feed`."""

    topics: tuple[Topic, ...]

    def wake(self) -> None: ...
    def close(self) -> None: ...


Key = ListTopic | InvocationTopic | RegistryTopic | StateTopic | None


def channel_key(topic: Topic) -> Key:
    return None if isinstance(topic, ListTopic) else topic


class Hub:
    """Call order: `join` and `leave` as often as wanted, then `close`. All on the event loop's thread."""

    def __init__(
        self,
        changes: ChangeSource,
        attempts: AttemptSource,
        reader: Looker,
        counter: Counter,
        clock: Clock,
        epoch: str,
    ) -> None:
        """reader, counter: the hub's own, and closed by it. epoch: tells this run of the server from all others."""
        self._changes = changes
        self._attempts = attempts
        self._reader = reader
        self._clock = clock
        self.epoch = epoch
        self.log = ChangeLog()
        self.channels: dict[Key, Channel] = {}
        self._feeds: set[Feed] = set()
        self._pending = Pending()
        self._registry: Registry | None = None
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "events")
        self._closed = False
        self._counting = Counting(counter, self._counted, self._on_counts)

    # what feeds ask

    def join(self, feed: Feed) -> None:
        """Raises: TooManyFollowers, StoreUnavailable when the server stops."""
        if self._closed:
            raise StoreUnavailable("the server is stopping")
        if len(self._feeds) >= FOLLOWERS_MAX:
            raise TooManyFollowers(f"{FOLLOWERS_MAX} clients follow already")
        self._feeds.add(feed)
        for key in map(channel_key, feed.topics):
            self.channels.setdefault(key, Channel()).feeds += 1

    def leave(self, feed: Feed) -> None:
        """Idempotent."""
        if feed not in self._feeds:
            return
        self._feeds.discard(feed)
        now = asyncio.get_running_loop().time()
        for key in map(channel_key, feed.topics):
            if (channel := self.channels.get(key)) is not None:
                channel.feeds -= 1
                channel.left_at = now
        self._news.set()

    async def snapshot(self, topics: tuple[Topic, ...]) -> tuple[list[Row], int]:
        """How the topics are now, and the number of the last change that this has seen. Raises: StoreUnavailable."""
        await self._follow()
        self._counting.touch()
        asked = Asked(topics, asyncio.get_running_loop().create_future())
        self._pending.asked.append(asked)
        self._news.set()
        return await asked.answer

    async def close(self) -> None:
        """Ends all feeds, which end their streams."""
        self._closed = True
        for feed in list(self._feeds):
            feed.close()
        async with self._turn:
            if self._task is not None:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
                await self._unfollow()
        await self._counting.close()
        self._reader.interrupt()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._reader.close)
        self._thread.shutdown()

    # what happens

    def _on_changes(self, changes: Changes) -> None:
        pending = self._pending
        woken = False
        for key, channel in self.channels.items():
            match key:
                case None:
                    pending.invocations.update(dict.fromkeys(changes.invocations))
                    pending.removed.update(changes.removed)
                    woken = woken or bool(changes.invocations)
                    self._counting.touch()
                case InvocationTopic():
                    number = channel.place.number
                    if number is None or number in changes.invocations:
                        pending.details.add(key.id)
                        woken = True
                case StateTopic():
                    if (key.service, key.key) in changes.states:
                        pending.states.add((key.service, key.key))
                        woken = True
                case RegistryTopic():
                    if self._changes.registry is not self._registry:
                        self._registry = self._changes.registry
                        pending.registry = woken = True
        if len(pending.invocations) > ROWS_WAITING:
            self._overload()
        if woken:
            self._news.set()

    def _on_attempt(self, start: AttemptStart, news: AttemptNews) -> None:
        if None in self.channels:
            self._pending.invocations[start.number] = None
            self._counting.touch()
            self._news.set()
        if InvocationTopic(start.id) in self.channels:
            self._pending.details.add(start.id)
            if news is not AttemptNews.TOLD:
                self._pending.attempts.append(_attempt(start, str(news), format_time(self._clock.now())))
            self._news.set()

    def _overload(self) -> None:
        """More rows than can be told one by one: whoever follows a list gets it anew."""
        self._pending.invocations.clear()
        self._pending.removed.clear()
        self._begin_anew(self.channels[None], "overload")

    def _begin_anew(self, channel: Channel, reason: str) -> None:
        channel.gap = reason
        if channel.since is not None:
            channel.since = self.log.skip()

    def _counted(self) -> set[InvocationFilter]:
        topics = [topic for feed in self._feeds for topic in feed.topics if isinstance(topic, ListTopic)]
        return {topic.filter.counted for topic in topics if topic.filter.counts}

    def _on_counts(self, counted: InvocationFilter, counts: Counts) -> None:
        self.log.append("counts", repr(counted), {"counts": counts}, newest_only=True)
        self._wake_feeds()

    def _wake_feeds(self) -> None:
        for feed in self._feeds:
            feed.wake()

    # the task

    async def _follow(self) -> None:
        async with self._turn:
            if self._closed:
                raise StoreUnavailable("the server is stopping")
            if self._task is not None:
                return
            self._registry = self._changes.registry
            await self._changes.follow(self._on_changes)
            self._attempts.follower = self._on_attempt
            self._task = asyncio.create_task(self._run(), name="events")
            self._counting.start()

    async def _unfollow(self) -> None:
        self._attempts.follower = None
        self._counting.stop()
        self._task = None
        self.channels.clear()
        _fail(self._pending, StoreUnavailable("the server is stopping"))
        self._pending = Pending()
        self.log.forget()
        try:
            await self._changes.follow(None)
        except StoreUnavailable:
            pass  # the partition has stopped, and tells nobody any more

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(LINGER_S):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()
            began = loop.time()
            for key, channel in list(self.channels.items()):
                if not channel.feeds and began - channel.left_at >= LINGER_S:
                    del self.channels[key]
            if not self.channels:
                async with self._turn:
                    if not self.channels:
                        await self._unfollow()
                        return
            if self._pending != Pending():
                await self._flush()
            self._wake_feeds()
            await asyncio.sleep(max(FLUSH_S, REST * (loop.time() - began)))

    async def _flush(self) -> None:
        look, pending = self._next_look()
        try:
            seen = await asyncio.get_running_loop().run_in_executor(self._thread, self._reader.look, look)
            self._publish(pending, seen)
            self._answer(pending, seen)
        except asyncio.CancelledError:
            _fail(pending, StoreUnavailable("the server is stopping"))
            raise
        except Exception as error:  # a disk that fails, or a defect; whoever follows begins anew
            log.exception("changes could not be read")
            for channel in self.channels.values():
                self._begin_anew(channel, "expired")
            _fail(pending, StoreUnavailable(f"what is followed could not be read: {error}"))

    def _next_look(self) -> tuple[Look, Pending]:
        """Takes what is pending; rows beyond what one look may take stay."""
        pending, self._pending = self._pending, Pending()
        numbers = list(pending.invocations)
        self._pending.invocations = dict.fromkeys(numbers[ROWS_PER_LOOK:])
        numbers = numbers[:ROWS_PER_LOOK]
        self._pending.removed = {n: id for n, id in pending.removed.items() if n in self._pending.invocations}
        pending.removed = {n: id for n, id in pending.removed.items() if n not in self._pending.invocations}
        if self._pending.invocations:
            self._news.set()
        topics = list(dict.fromkeys(topic for asked in pending.asked for topic in asked.topics))
        # So that a snapshot and what the others are told end at the same entry.
        pending.details.update(topic.id for topic in topics if isinstance(topic, InvocationTopic))
        places = {
            id: channel.place
            for id in pending.details
            if (channel := self.channels.get(InvocationTopic(id))) is not None and channel.since is not None
        }
        look = Look(
            numbers=numbers,
            ids=[*places, *pending.removed.values()],
            places=places,
            states=pending.states,
            registry=pending.registry,
            snapshots=topics,
        )
        return look, pending

    def _publish(self, pending: Pending, seen: Seen) -> None:
        """Of one invocation, its row comes last: it says completed when all of its journal has been told."""
        append = self.log.append
        removed: list[str] = []
        for id, progress in seen.progress.items():
            channel = self.channels.get(InvocationTopic(id))
            if channel is None:
                continue
            if channel.place.number is not None and progress.place.number is None:
                removed.append(id)
            channel.place = progress.place
            if progress.cleared:
                append("journal_cleared", id, {"id": id})
            for entry in progress.entries:
                append("journal", id, {"entry": entry})
            for event in progress.events:
                append("journal_event", id, {"event": event, "oldest": progress.oldest_event})
        for attempt in pending.attempts:
            append("attempt", attempt["id"], {"attempt": attempt})
        for id, row in seen.rows.items():
            append("invocation", id, {"invocation": row}, row, newest_only=True)
        for id in dict.fromkeys((*removed, *pending.removed.values())):
            if id not in seen.rows:
                append("gone", id, {"id": id, "purged": True}, newest_only=True)
        if seen.registry is not None:
            append("registry", "", seen.registry, newest_only=True)
        for (service, key), state in seen.states.items():
            named = {"service_name": service, "service_key": key, "state": state}
            append("state", f"{service}/{key}", named, newest_only=True)

    def _answer(self, pending: Pending, seen: Seen) -> None:
        """Gives snapshots to who asked for them; from here on their channels are complete."""
        now = format_time(self._clock.now())
        for topic in dict.fromkeys(topic for asked in pending.asked for topic in asked.topics):
            channel = self.channels.get(channel_key(topic))
            if channel is not None and channel.since is None:
                channel.since = self.log.last
                if isinstance(topic, InvocationTopic):
                    channel.place = seen.places[topic.id]
        for asked in pending.asked:
            if not asked.answer.done():
                asked.answer.set_result(([self._snapshot(topic, seen, now) for topic in asked.topics], self.log.last))

    def _snapshot(self, topic: Topic, seen: Seen, now: str) -> Row:
        snapshot = {"now": now, **seen.snapshots[topic]}
        if isinstance(topic, InvocationTopic):
            snapshot["attempt"] = self._open_attempt(seen.places[topic.id], snapshot["invocation"])
        elif isinstance(topic, ListTopic) and topic.filter.counts and topic.filter.counted in self._counting.known:
            snapshot["counts"] = self._counting.known[topic.filter.counted]
        return snapshot

    def _open_attempt(self, place: Place, row: Row | None) -> Row | None:
        start = None if place.number is None else self._attempts.started(place.number)
        return None if start is None or row is None else _attempt(start, "started", row.get("last_start_at"))


def _attempt(start: AttemptStart, state: str, at: str | None) -> Row:
    return {
        "id": start.id,
        "attempt": start.attempt,
        "state": state,
        "at": at,
        "deployment_id": start.deployment.id,
    }


def _fail(pending: Pending, error: StoreUnavailable) -> None:
    for asked in pending.asked:
        if not asked.answer.done():
            asked.answer.set_exception(error)
