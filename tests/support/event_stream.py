"""Clients of the stream of changes: how its bytes become messages, and what a client makes of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx

WAIT_S = 20.0


class Message(NamedTuple):
    """id: the last one that was seen, of this message or before it. event: empty where only the id moved."""

    event: str
    data: Any
    id: str | None


async def read_messages(response: httpx.Response) -> AsyncIterator[Message]:
    """As browsers read them."""
    event, data, id = "", "", None
    async for line in response.aiter_lines():
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            event = value
        elif name == "data":
            data = value
        elif name == "id":
            id = value
        elif not line and (data or id):
            yield Message(event, json.loads(data) if data else None, id)
            event, data = "", ""


@asynccontextmanager
async def following(
    admin: str, *topics: str, after: str | None = None, http2: bool = False, in_address: bool = False
) -> AsyncIterator[AsyncIterator[Message]]:
    """The messages of one connection. in_address: says there where it was, not in a header."""
    headers = {"last-event-id": after} if after is not None and not in_address else {}
    parameters = [("topics", topic) for topic in topics]
    if after is not None and in_address:
        parameters.append(("after", after))
    async with (
        httpx.AsyncClient(http1=not http2, http2=http2, timeout=WAIT_S) as client,
        client.stream("GET", f"{admin}/events", params=parameters, headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        yield read_messages(response)


class Fold:
    """What a client knows that has read the messages: by topic, rows by id, journals, events, state, registry.

    Asserts on the way that nothing comes twice or out of order.
    """

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.journals: dict[int, list[Any]] = {}
        self.events: dict[int, list[Any]] = {}
        self.attempts: dict[int, list[Any]] = {}
        self.others: dict[int, Any] = {}
        self.counts: dict[int, Any] = {}
        self.resets: list[str] = []
        self.snapshots = 0
        self.last_id: str | None = None
        self.numbers: list[int] = []

    def take(self, message: Message) -> None:
        if message.id is not None:
            if message.id != self.last_id:
                self.numbers.append(int(message.id.rpartition("-")[2]))
            self.last_id = message.id
        if message.event == "snapshot":
            self._snapshot(message.data)
        elif message.event == "reset":
            self.resets.append(message.data["reason"])
        else:
            for topic in message.data["topics"] if message.data else ():
                self._change(message.event, topic, message.data)

    def _snapshot(self, data: dict[str, Any]) -> None:
        self.snapshots += 1
        topic = data["topic"]
        if "invocations" in data:
            self.rows[topic] = {row["id"]: row for row in data["invocations"]}
            self.counts[topic] = data.get("counts")
        elif "journal" in data:
            row = data["invocation"]
            self.rows[topic] = {row["id"]: row} if row else {}
            self.journals[topic] = data["journal"]
            self.events[topic] = data["journal_events"]
            self.attempts[topic] = [data["attempt"]] if data["attempt"] else []
        else:
            self.others[topic] = data

    def _change(self, event: str, topic: int, data: dict[str, Any]) -> None:
        if event == "invocation":
            self.rows[topic][data["invocation"]["id"]] = data["invocation"]
        elif event == "gone":
            self.rows[topic].pop(data["id"], None)
        elif event == "journal":
            assert data["entry"]["index"] == len(self.journals[topic])
            self.journals[topic].append(data["entry"])
        elif event == "journal_cleared":
            self.journals[topic].clear()
        elif event == "journal_event":
            known = self.events[topic]
            assert not known or data["event"]["sequence"] == known[-1]["sequence"] + 1
            known.append(data["event"])
            self.events[topic] = [one for one in known if one["sequence"] >= data["oldest"]]
        elif event == "attempt":
            self.attempts[topic].append(data["attempt"])
        elif event == "counts":
            self.counts[topic] = data["counts"]
        else:
            assert event in ("registry", "state")
            self.others[topic] = data


async def fold_until(messages: AsyncIterator[Message], fold: Fold, reached: Callable[[Fold], Any]) -> None:
    """Reads on until the fold is as wanted."""
    async with asyncio.timeout(WAIT_S):
        while not reached(fold):
            fold.take(await anext(messages))
