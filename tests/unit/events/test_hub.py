"""The hub over a partition, attempts and tables that a test makes up: bounds, failures, and who is told what."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from perdure.errors import StoreUnavailable
from perdure.events import feed as feed_module
from perdure.events import hub as hub_module
from perdure.events.feed import Feed
from perdure.events.filters import InvocationFilter
from perdure.events.hub import Hub
from perdure.events.problems import TooManyFollowers
from perdure.events.reader import Look, Place, Progress, Seen
from perdure.events.topics import InvocationTopic, ListTopic, parse_topics
from perdure.model.changes import Changes
from perdure.model.registry import Registry

IDS = [f"inv_1{'0' * 31}{number:02}" for number in range(60)]
WAIT_S = 10.0


class World:
    """Invocation `number` has the id `IDS[number]`; its row is there when its status is."""

    def __init__(self) -> None:
        self.registry = Registry({}, {}, {})
        self.follower: Any = None
        self.changed: Callable[[Changes], None] | None = None
        self.status: dict[int, str] = {}
        self.looks: list[Look] = []
        self.failing = False
        self.counted = 0

    # as the partition, and as the invoker

    async def follow(self, follower: Callable[[Changes], None] | None) -> None:
        self.changed = follower

    def started(self, number: int) -> None:
        return None

    # as the reader

    def look(self, look: Look) -> Seen:
        self.looks.append(look)
        if self.failing:
            raise OSError("no disk")
        wanted = {IDS[number] for number in look.numbers} | {*look.ids}
        return Seen(
            rows={id: row for id, row in self.rows().items() if id in wanted},
            progress={id: Progress(self.place(id), False, [], [], 0) for id in look.places},
            states={},
            registry=None,
            snapshots={topic: self.snapshot(topic) for topic in look.snapshots},
            places={topic.id: self.place(topic.id) for topic in look.snapshots if isinstance(topic, InvocationTopic)},
        )

    def counts(self, wanted: InvocationFilter) -> dict[str, int]:
        self.counted += 1
        return {"running": len(self.status)}

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        pass

    def rows(self) -> dict[str, Any]:
        return {
            IDS[number]: {"id": IDS[number], "status": status, "created_at": "2026-11-21T10:00:00Z"}
            for number, status in self.status.items()
        }

    def place(self, id: str) -> Place:
        number = IDS.index(id)
        return Place(number) if number in self.status else Place()

    def snapshot(self, topic: Any) -> Any:
        if isinstance(topic, ListTopic):
            return {"invocations": list(self.rows().values()), "more": False}
        return {"invocation": self.rows().get(topic.id), "journal": [], "journal_events": []}

    # what a test does

    def set(self, numbers: Any, status: str) -> None:
        numbers = list(numbers)
        self.status.update(dict.fromkeys(numbers, status))
        self.tell(Changes(set(numbers), {}, set()))

    def remove(self, number: int) -> None:
        del self.status[number]
        self.tell(Changes({number}, {number: IDS[number]}, set()))

    def tell(self, changes: Changes) -> None:
        if self.changed is not None:
            self.changed(changes)


class FixedClock:
    def now(self) -> int:
        return 0


class Client:
    """Reads one feed."""

    def __init__(self, hub: Hub, *topics: str, after: str | None = None) -> None:
        self.feed = Feed(hub, parse_topics(topics), after)
        self.pieces = self.feed.pieces()
        self.messages: list[tuple[str, Any]] = []
        self.id: str | None = None

    async def read(self) -> None:
        for frame in (await anext(self.pieces)).decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in frame.splitlines() if not line.startswith(":"))
            self.id = fields.get("id", self.id)
            if "event" in fields:
                self.messages.append((fields["event"], json.loads(fields["data"])))

    async def read_until(self, reached: Callable[[list[tuple[str, Any]]], Any]) -> list[tuple[str, Any]]:
        """Returns: the messages since the last time."""
        async with asyncio.timeout(WAIT_S):
            while not reached(self.messages):
                await self.read()
        taken, self.messages = self.messages, []
        return taken

    async def begin(self) -> None:
        await self.read_until(lambda messages: any(event == "snapshot" for event, _ in messages))


def has(event: str) -> Callable[[list[tuple[str, Any]]], bool]:
    return lambda messages: any(name == event for name, _ in messages)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "FLUSH_S", 0.0)
    monkeypatch.setattr(hub_module, "REST", 0)


def with_hub(work: Callable[[World, Hub], Awaitable[None]]) -> None:
    @asynccontextmanager
    async def running(world: World) -> AsyncIterator[Hub]:
        hub = Hub(world, world, world, world, FixedClock(), "epoch")
        try:
            yield hub
        finally:
            await hub.close()

    async def main() -> None:
        world = World()
        async with running(world) as hub:
            await work(world, hub)

    asyncio.run(main())


def test_rows_that_change_often_are_told_once_and_as_they_are() -> None:
    async def work(world: World, hub: Hub) -> None:
        client = Client(hub, "invocations")
        await client.begin()
        for status in ("ready", "running", "completed"):
            world.set([1, 2], status)
        messages = await client.read_until(lambda messages: len(messages) == 2)
        assert {data["invocation"]["id"]: data["invocation"]["status"] for _, data in messages} == {
            IDS[1]: "completed",
            IDS[2]: "completed",
        }

    with_hub(work)


def test_one_look_reads_a_bounded_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "ROWS_PER_LOOK", 7)

    async def work(world: World, hub: Hub) -> None:
        client = Client(hub, "invocations")
        await client.begin()
        world.set(range(20), "running")
        messages = await client.read_until(lambda messages: len(messages) == 20)
        assert {data["invocation"]["id"] for _, data in messages} == {*IDS[:20]}
        assert [len(look.numbers) for look in world.looks if look.numbers] == [7, 7, 6]

    with_hub(work)


def test_too_many_changes_are_told_as_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "ROWS_WAITING", 10)

    async def work(world: World, hub: Hub) -> None:
        world.set([50], "running")
        client, detail = Client(hub, "invocations"), Client(hub, f"invocation:{IDS[50]}")
        await client.begin()
        await detail.begin()
        world.set(range(20), "running")
        reset, (_, snapshot) = await client.read_until(has("snapshot"))
        assert reset == ("reset", {"reason": "overload"})
        assert len(snapshot["invocations"]) == 21
        # Who follows one invocation has missed nothing.
        world.set([50], "completed")
        assert [event for event, _ in await detail.read_until(has("invocation"))] == ["invocation"]

    with_hub(work)


def test_what_cannot_be_read_is_told_anew_later() -> None:
    async def work(world: World, hub: Hub) -> None:
        client = Client(hub, "invocations")
        await client.begin()
        world.failing = True
        before = len(world.looks)
        world.set([1], "running")
        async with asyncio.timeout(WAIT_S):
            while len(world.looks) == before:
                await asyncio.sleep(0)
            world.failing = False
            messages = await client.read_until(has("snapshot"))
        assert messages[0] == ("reset", {"reason": "expired"})
        assert [row["id"] for row in messages[1][1]["invocations"]] == [IDS[1]]

    with_hub(work)


def test_a_stream_ends_when_it_cannot_even_begin() -> None:
    async def work(world: World, hub: Hub) -> None:
        world.failing = True
        client = Client(hub, "invocations")
        with pytest.raises(StopAsyncIteration):
            await client.read_until(lambda _: False)
        assert client.messages == []

    with_hub(work)


def test_one_that_leaves_and_one_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LINGER_S", 0.01)

    async def work(world: World, hub: Hub) -> None:
        world.set([1, 2], "running")
        first, second = Client(hub, f"invocation:{IDS[1]}"), Client(hub, f"invocation:{IDS[2]}")
        await first.begin()
        await second.begin()
        first.feed.leave()
        async with asyncio.timeout(WAIT_S):
            while InvocationTopic(IDS[1]) in hub.channels:
                await asyncio.sleep(0.01)
        world.looks.clear()
        world.set([1], "completed")
        world.set([2], "completed")
        await second.read_until(has("invocation"))
        assert {id for look in world.looks for id in look.places} == {IDS[2]}
        second.feed.leave()
        async with asyncio.timeout(WAIT_S):
            while world.changed is not None:
                await asyncio.sleep(0.01)
        again = Client(hub, f"invocation:{IDS[2]}", after=second.id)
        messages = await again.read_until(has("snapshot"))
        assert messages[0] == ("reset", {"reason": "expired"})

    with_hub(work)


def test_it_is_not_there_yet_then_comes_and_goes() -> None:
    async def work(world: World, hub: Hub) -> None:
        client = Client(hub, f"invocation:{IDS[3]}")
        [(_, begun)] = await client.read_until(has("snapshot"))
        assert begun["invocation"] is None
        world.set([4], "running")
        world.set([3], "running")
        [(event, data)] = await client.read_until(lambda messages: messages)
        assert (event, data["invocation"]["id"]) == ("invocation", IDS[3])
        world.remove(3)
        assert await client.read_until(lambda messages: messages) == [
            ("gone", {"topics": [0], "id": IDS[3], "purged": True})
        ]

    with_hub(work)


def test_a_row_that_matches_one_list_and_no_more_the_other() -> None:
    async def work(world: World, hub: Hub) -> None:
        topics = ("invocations?status=running", "invocations?status=completed", f"invocations?id={IDS[9]}")
        client = Client(hub, *topics)
        await client.begin()
        world.set([1], "completed")
        gone, told = await client.read_until(lambda messages: len(messages) == 2)
        assert gone == ("gone", {"topics": [0], "id": IDS[1], "purged": False})
        assert (told[0], told[1]["topics"]) == ("invocation", [1])

    with_hub(work)


def test_a_row_is_said_to_be_gone_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "HEARTBEAT_S", 0.01)

    async def work(world: World, hub: Hub) -> None:
        client, other = Client(hub, "invocations?status=paused"), Client(hub, "invocations")
        await client.begin()
        await other.begin()
        for status in ("ready", "running", "paused", "completed"):
            world.set([1], status)
            await other.read_until(has("invocation"))
            messages = await client.read_until(lambda _: str(client.id).endswith(f"-{hub.log.last}"))
            told[status] = [event for event, _ in messages]
        assert told == {"ready": ["gone"], "running": [], "paused": ["invocation"], "completed": ["gone"]}

    told: dict[str, list[str]] = {}
    with_hub(work)


def test_what_concerns_others_moves_the_place_of_a_client_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "HEARTBEAT_S", 0.01)

    async def work(world: World, hub: Hub) -> None:
        client, other = Client(hub, f"invocations?id={IDS[9]}"), Client(hub, "invocations")
        await client.begin()
        await other.begin()
        begun = client.id
        world.set([1], "running")
        await other.read_until(has("invocation"))
        async with asyncio.timeout(WAIT_S):
            while client.id == begun:
                await client.read()
        assert client.messages == []
        assert client.id is not None
        assert client.id.endswith(f"-{hub.log.last}")

    with_hub(work)


def test_a_client_whom_nothing_concerns_hears_a_heartbeat_however_busy_the_others_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_module, "HEARTBEAT_S", 0.05)

    async def work(world: World, hub: Hub) -> None:
        client, other = Client(hub, f"invocations?id={IDS[9]}"), Client(hub, "invocations")
        await client.begin()
        await other.begin()

        async def be_busy() -> None:
            while True:
                world.set([1], "running")
                await asyncio.sleep(0.001)

        busy = asyncio.create_task(be_busy())
        async with asyncio.timeout(WAIT_S):
            for _ in range(3):
                assert (await anext(client.pieces)).startswith(b": heartbeat\nid: ")
        busy.cancel()

    with_hub(work)


def test_counts_are_told_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perdure.events.counting.PAUSE_S", 0.0)
    monkeypatch.setattr("perdure.events.counting.REST", 0)

    async def work(world: World, hub: Hub) -> None:
        client = Client(hub, "invocations", "invocations?counts=true")
        await client.begin()
        world.set([1], "running")
        messages = await client.read_until(
            lambda messages: ("counts", {"topics": [1], "counts": {"running": 1}}) in messages
        )
        assert all(data["topics"] == [1] for event, data in messages if event == "counts")
        other = Client(hub, "invocations?counts=true&limit=1")
        assert (await other.read_until(has("snapshot")))[0][1]["counts"] == {"running": 1}

    with_hub(work)


def test_nobody_counts_what_nobody_wants_counted() -> None:
    async def work(world: World, hub: Hub) -> None:
        client = Client(hub, "invocations")
        await client.begin()
        world.set([1], "running")
        await client.read_until(has("invocation"))
        assert world.counted == 0

    with_hub(work)


def test_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "FOLLOWERS_MAX", 2)

    async def work(world: World, hub: Hub) -> None:
        first, _ = Client(hub, "registry"), Client(hub, "invocations")
        with pytest.raises(TooManyFollowers):
            Client(hub, "invocations")
        first.feed.leave()
        Client(hub, "invocations")

    with_hub(work)


def test_when_the_server_stops_streams_end_and_none_begins() -> None:
    async def work(world: World, hub: Hub) -> None:
        client = Client(hub, "invocations")
        await client.begin()
        await hub.close()
        assert world.changed is None
        with pytest.raises(StopAsyncIteration):
            await client.read()
        with pytest.raises(StoreUnavailable):
            Client(hub, "invocations")

    async def main() -> None:
        world = World()
        await work(world, Hub(world, world, world, world, FixedClock(), "epoch"))

    asyncio.run(main())
