"""The stream of changes over real connections: it tells what SQL tells, whatever happens to the connection."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import restate

from perdure.events import hub as hub_module
from perdure.events.topics import TOPICS_MAX, ListTopic, parse_topics
from perdure.node.node import Node
from perdure.node.settings import load_settings
from support.event_stream import WAIT_S, Fold, fold_until, following, read_messages

worker = restate.Service("Worker")
counter = restate.VirtualObject("Counter")


@worker.handler()
async def steps(ctx: restate.Context, count: int) -> int:
    async def step() -> int:
        await asyncio.sleep(0.002)
        return 1

    return sum([await ctx.run_typed(f"step {number}", step) for number in range(count)])


@worker.handler()
async def wait(ctx: restate.Context) -> str:
    _, promise = ctx.awakeable(type_hint=str)
    return await promise


@worker.handler()
async def fail(ctx: restate.Context) -> None:
    raise ValueError("broken")


@counter.handler()
async def add(ctx: restate.ObjectContext, number: int) -> int:
    count = (await ctx.get("count", type_hint=int) or 0) + number
    ctx.set("count", count)
    return count


class Server:
    def __init__(self, node: Node) -> None:
        self.node = node
        self.admin = node.admin_url
        self.http = httpx.AsyncClient(timeout=WAIT_S)

    async def send(self, target: str, argument: Any = None) -> str:
        answer = await self.http.post(f"{self.node.ingress_url}/{target}/send", json=argument)
        return str(answer.json()["invocationId"])

    async def call(self, target: str, argument: Any = None) -> Any:
        return (await self.http.post(f"{self.node.ingress_url}/{target}", json=argument)).json()

    async def operate(self, id: str, verb: str) -> int:
        answer = await self.http.patch(f"{self.admin}/invocations/{id}/{verb}?actor=ada&reason=test")
        return answer.status_code

    async def query(self, sql: str) -> list[dict[str, Any]]:
        headers = {"accept": "application/json"}
        answer = await self.http.post(f"{self.admin}/query", json={"query": sql}, headers=headers)
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows

    async def invocations(self) -> dict[str, Any]:
        return {row["id"]: row for row in await self.query("SELECT * FROM sys_invocation")}


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[Server]:
    settings = load_settings(None, {"ingress": "127.0.0.1:0", "admin": "127.0.0.1:0", "data": data})
    node = Node(settings)
    await node.start()
    await node.add_app("test", restate.app([worker, counter]))
    server = Server(node)
    try:
        yield server
    finally:
        await server.http.aclose()
        await node.stop()


def with_server(data: Path, work: Callable[[Server], Awaitable[None]]) -> None:
    async def main() -> None:
        async with running(data) as server:
            await work(server)

    asyncio.run(main())


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_one_invocation_from_the_beginning_to_the_end(tmp_path: Path, http2: bool) -> None:
    async def work(server: Server) -> None:
        id = await server.send("Worker/wait")
        fold = Fold()
        async with following(server.admin, f"invocation:{id}", http2=http2) as messages:
            await fold_until(messages, fold, lambda fold: fold.rows and fold.rows[0][id]["status"] == "running")
            assert await server.operate(id, "cancel") in (200, 202)
            await fold_until(messages, fold, lambda fold: fold.rows[0][id]["status"] == "completed")
        assert fold.rows[0] == await server.invocations()
        columns = "id, index, entry_type, name, raw_length, version, entry_json, entry_lite_json, appended_at"
        assert fold.journals[0] == await server.query(f"SELECT {columns} FROM sys_journal ORDER BY index")
        [event] = await server.query("SELECT * FROM sys_journal_events")
        del event["partition_key"]
        assert fold.events[0] == [{**event, "sequence": 1}]
        assert '"actor":"ada"' in event["event_json"]
        assert [one["state"] for one in fold.attempts[0]][-1] == "ended"

    with_server(tmp_path, work)


def test_a_list_with_a_filter(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        fold = Fold()
        topics = ("invocations?service=Worker&status=running&status=suspended&counts=true", "invocations?text=COUNTER")
        async with following(server.admin, *topics) as messages:
            await fold_until(messages, fold, lambda fold: fold.snapshots == 2)
            waiting = await server.send("Worker/wait")
            await server.call("Counter/a/add", 1)
            await server.call("Worker/steps", 1)
            await fold_until(messages, fold, lambda fold: fold.rows[0].keys() == {waiting})
            await fold_until(messages, fold, lambda fold: fold.counts[0] == {"running": 1})
            await fold_until(
                messages, fold, lambda fold: [row["status"] for row in fold.rows[1].values()] == ["completed"]
            )
            assert await server.operate(waiting, "kill") == 200
            await fold_until(messages, fold, lambda fold: not fold.rows[0])
            [added] = fold.rows[1]
            assert await server.operate(added, "purge") == 200
            await fold_until(messages, fold, lambda fold: not fold.rows[1])

    with_server(tmp_path, work)


def test_a_filter_means_the_same_for_the_snapshot_and_for_what_changes(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        for number in range(4):
            await server.call("Worker/steps", number)
            await server.call(f"Counter/Key{number}/add", 1)
        for verb in ("cancel", "pause"):
            await server.operate(await server.send("Worker/wait"), verb)
        await server.send("Worker/wait")
        rows = list((await server.invocations()).values())
        moment = sorted(row["created_at"] for row in rows)[4]
        values = {
            "status": ["running", "completed", "paused", "backing-off"],
            "result": ["success", "failure"],
            "service": ["Worker", "Counter", "None"],
            "handler": ["steps", "wait"],
            "key": ["Key1", "Key2"],
            "id": [rows[3]["id"], rows[5]["id"]],
            "kind": ["service", "virtual_object"],
            "deployment": [rows[0]["pinned_deployment_id"]],
            "text": ["KEY", "worker/st", "cancel", rows[2]["id"][-9:]],
            "created_after": [moment],
            "created_before": [moment],
        }
        chance = random.Random(1)
        for _ in range(6):
            topics = []
            for _ in range(TOPICS_MAX):
                names = chance.sample(list(values), chance.randint(1, 3))
                pairs = [(name, value) for name in names for value in chance.sample(values[name], 1)]
                if "status" in names:
                    pairs.append(("status", chance.choice(values["status"])))
                topics.append("invocations?" + urlencode(pairs))
            fold = Fold()
            async with following(server.admin, *topics) as messages:
                await fold_until(messages, fold, lambda fold: fold.snapshots == TOPICS_MAX)
            for place, topic in enumerate(parse_topics(topics)):
                assert isinstance(topic, ListTopic)
                taken = {row["id"] for row in rows if topic.filter.may_take(row) and topic.filter.takes(row)}
                assert fold.rows[place].keys() == taken, topics[place]

    with_server(tmp_path, work)


def test_what_is_registered_and_the_state_of_an_object(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        fold = Fold()
        async with following(server.admin, "registry", "state:Counter/a%2Fb%2Cc") as messages:
            await fold_until(messages, fold, lambda fold: fold.snapshots == 2)
            assert [service["name"] for service in fold.others[0]["services"]] == ["Counter", "Worker"]
            assert fold.others[1]["state"] == []
            await server.call("Counter/a%2Fb%2Cc/add", 3)
            await fold_until(messages, fold, lambda fold: fold.others[1]["state"])
            columns = "service_name, service_key, key, key_length, value_utf8, value, value_length"
            assert fold.others[1]["state"] == await server.query(f"SELECT {columns} FROM state")
            await server.node.add_app("more", restate.app([restate.Service("More")]))
            await fold_until(messages, fold, lambda fold: len(fold.others[0]["services"]) == 3)

    with_server(tmp_path, work)


@pytest.mark.parametrize("seed", range(6))
def test_a_client_that_is_cut_off_again_and_again_knows_what_sql_knows(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)

    async def load(server: Server) -> str:
        """Returns: the id of the last one to come to rest."""
        for number in range(30):
            id = await server.send(
                *chance.choice([("Worker/steps", number % 7), ("Counter/a/add", 1), ("Worker/wait",)])
            )
            if chance.random() < 0.3:
                await server.operate(id, chance.choice(["cancel", "kill", "pause", "purge"]))
            await asyncio.sleep(chance.random() * 0.02)
        waiting = await server.query(
            "SELECT id FROM sys_invocation WHERE target_handler_name = 'wait' AND status != 'completed'"
        )
        for row in waiting:
            await server.operate(row["id"], "cancel")
        return await server.send("Worker/steps", 2)

    async def work(server: Server) -> None:
        followed = await server.send("Worker/steps", 40)
        fold = Fold()
        loading = asyncio.create_task(load(server))

        async def is_known() -> bool:
            if not loading.done() or fold.snapshots < 2:
                return False
            rows = await server.invocations()
            return all(row["status"] in ("completed", "paused") for row in rows.values()) and fold.rows[0] == rows

        async with asyncio.timeout(WAIT_S):
            while not await is_known():
                topics = ("invocations?limit=500", f"invocation:{followed}")
                how = {"http2": chance.random() < 0.5, "in_address": chance.random() < 0.5}
                async with following(server.admin, *topics, after=fold.last_id, **how) as messages:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.3):
                            for _ in range(chance.randrange(1, 12)):
                                fold.take(await anext(messages))
        assert fold.resets == []
        assert fold.numbers == sorted(set(fold.numbers))
        indexes = await server.query(f"SELECT index FROM sys_journal WHERE id = '{followed}' ORDER BY index")
        assert [entry["index"] for entry in fold.journals[1]] == [row["index"] for row in indexes]
        assert fold.rows[1][followed] == fold.rows[0][followed]

    with_server(tmp_path, work)


def test_after_a_restart_of_the_server_it_begins_anew(tmp_path: Path) -> None:
    async def main() -> None:
        fold = Fold()
        async with running(tmp_path) as server:
            await server.call("Counter/a/add", 1)
            async with following(server.admin, "invocations") as messages:
                await fold_until(messages, fold, lambda fold: fold.snapshots == 1)
        async with running(tmp_path) as server:
            await server.call("Counter/a/add", 1)
            async with following(server.admin, "invocations", after=fold.last_id) as messages:
                await fold_until(messages, fold, lambda fold: fold.snapshots == 2)
            assert fold.resets == ["restarted"]
            assert fold.rows[0] == await server.invocations()

    asyncio.run(main())


def test_an_id_is_good_for_its_own_topics_alone(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        fold = Fold()
        async with following(server.admin, "registry") as messages:
            await fold_until(messages, fold, lambda fold: fold.snapshots == 1)
        async with following(server.admin, "invocations", after=fold.last_id) as messages:
            await fold_until(messages, fold, lambda fold: fold.snapshots == 2)
        assert fold.resets == ["restarted"]

    with_server(tmp_path, work)


def test_nothing_is_noted_before_the_first_and_after_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LINGER_S", 0.2)

    def is_following(server: Server) -> bool:
        noting: Any = server.node.partition
        return noting._tell_changes is not None or server.node.invoker.follower is not None

    async def work(server: Server) -> None:
        await server.call("Counter/a/add", 1)
        assert not is_following(server)
        fold = Fold()
        async with following(server.admin, "invocations") as messages:
            await fold_until(messages, fold, lambda fold: fold.snapshots == 1)
            assert is_following(server)
        async with asyncio.timeout(WAIT_S):
            while is_following(server):
                await asyncio.sleep(0.01)
        async with following(server.admin, "invocations", after=fold.last_id) as messages:
            await fold_until(messages, fold, lambda fold: fold.snapshots == 2)
        assert fold.resets == ["expired"]

    with_server(tmp_path, work)


def test_a_client_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    """And when it reads again, it is told that it has missed something, and knows in the end what SQL knows."""

    async def work(server: Server) -> None:
        log: Any = server.node._hub.log  # type: ignore[union-attr]
        log._kept = 50
        async with httpx.AsyncClient(timeout=WAIT_S) as client:
            address = f"{server.admin}/events?topics=invocations%3Flimit%3D500"
            async with client.stream("GET", address) as slow:
                beside = Fold()
                async with following(server.admin, "invocations?limit=500") as messages:
                    await fold_until(messages, beside, lambda fold: fold.snapshots == 1)
                    # More than the sockets between take.
                    big = "x" * 20_000
                    for _ in range(4):
                        await asyncio.gather(*(server.call(f"Counter/{big}{n}/add", 1) for n in range(100)))
                    done = await server.invocations()
                    await fold_until(messages, beside, lambda fold: fold.rows[0] == done)
                fold = Fold()
                await fold_until(read_messages(slow), fold, lambda fold: fold.snapshots and fold.rows[0] == done)
                assert fold.resets in (["slow"], ["slow", "slow"])

    with_server(tmp_path, work)


def test_many_clients_at_once_and_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "FOLLOWERS_MAX", 40)

    async def work(server: Server) -> None:
        async with contextlib.AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(following(server.admin, "invocations")) for _ in range(40)]
            folds = [Fold() for _ in streams]
            for messages, fold in zip(streams, folds, strict=True):
                await fold_until(messages, fold, lambda fold: fold.snapshots == 1)
            refused = await server.http.get(f"{server.admin}/events?topics=registry")
            assert (refused.status_code, refused.json()["restate_code"]) == (503, "E0602")
            await server.call("Counter/a/add", 1)
            rows = await server.invocations()
            for messages, fold in zip(streams, folds, strict=True):
                await fold_until(messages, fold, lambda fold: fold.rows[0] == rows)

    with_server(tmp_path, work)


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_server_that_stops_ends_its_streams(tmp_path: Path, http2: bool) -> None:
    async def main() -> None:
        async with contextlib.AsyncExitStack() as clients, asyncio.timeout(WAIT_S):
            async with running(tmp_path) as server:
                stream = following(server.admin, "invocations", http2=http2)
                messages = await clients.enter_async_context(stream)
                assert (await anext(messages)).event == "snapshot"
            assert [message async for message in messages] == []

    asyncio.run(main())


def test_it_is_never_gathered_for_compression_and_head_is_answered(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        async with asyncio.timeout(WAIT_S):
            address = f"{server.admin}/events?topics=invocations"
            async with server.http.stream("GET", address, headers={"accept-encoding": "gzip"}) as response:
                assert response.headers["content-type"].startswith("text/event-stream")
                assert "content-encoding" not in response.headers
                assert (await anext(read_messages(response))).event == "snapshot"
            head = await server.http.head(address)
            assert (head.status_code, head.content) == (200, b"")

    with_server(tmp_path, work)


@pytest.mark.parametrize(
    ("topics", "reason"),
    [
        ("", "no topic is given"),
        ("topics=sessions", "there is no topic `sessions`"),
        ("topics=invocation:inv_1", "is not an invocation id: bad length"),
        ("topics=invocations?colour=red", "`colour` is no filter"),
        ("topics=invocations?status=lost", "`status` cannot be `lost`"),
        ("topics=invocations?limit=501", "a number from 1 to 500"),
        ("topics=invocations?created_after=yesterday", "`created_after` cannot be `yesterday`"),
        ("topics=invocations?text=a%26text=b", "`text` is given twice"),
        ("&".join(["topics=registry"] * 17), "17 topics are given, more than 16"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path: Path, topics: str, reason: str) -> None:
    async def work(server: Server) -> None:
        answer = await server.http.get(f"{server.admin}/events?{topics}")
        assert (answer.status_code, answer.json()["restate_code"]) == (400, "E0601")
        assert reason in answer.json()["message"]

    with_server(tmp_path, work)
