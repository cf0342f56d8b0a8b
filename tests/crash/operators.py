"""Operators who do anything to any invocation, and remember what they were told, to hold it against what is true."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from .processes import Server

PATIENCE_S = 60.0
SETTLE_S = 120.0
"""Time for thousands of invocations to end, many of them one after the other on the same key."""

KEYS = [f"k{number}" for number in range(3)]
ROW = "id, target, status, invoked_by, completion_result, completion_failure"
OPERATIONS = ("cancel", "kill", "pause", "pause", "resume", "resume", "restart-as-new", "purge", "purge-journal")


class Outcome(NamedTuple):
    """How an invocation ended, as its callers see it. body: of the answer."""

    status: int
    body: str


class Operators:
    """They do one thing after the other, and have no patience with a server that is gone. Use it with `async with`.

    forgotten: ids whose journal somebody may have purged.  order: tags sent to each key, in order.
    restarted, ended_early: tags of those that may have been so.  killed: ids of those that were.
    """

    def __init__(self, server: Server, traces: Path, seed: int) -> None:
        self._server = server
        self._traces = traces
        self._random = random.Random(seed)
        self._made = 0
        self.done = 0
        self.forgotten: set[str] = set()
        self.order: dict[str, list[str]] = {key: [] for key in KEYS}
        self.tags: dict[str, str] = {}
        self.killed: set[str] = set()
        self.restarted: set[str] = set()
        self.ended_early: set[str] = set()
        self._outcomes: dict[str, Outcome] = {}
        self._resting: dict[str, list[str]] = {}

    async def __aenter__(self) -> "Operators":
        self._client = httpx.AsyncClient(timeout=20)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    # what they do

    async def act(self) -> None:
        """One thing: something new, an answer to somebody who waits, an operation, or a look."""
        action: Callable[[], Any] = self._random.choice(
            (self._begin, self._begin, self._answer, self._operate, self._operate, self._operate, self._look)
        )
        await action()
        self.done += 1

    async def _begin(self) -> None:
        self._made += 1
        tag = f"t{self._made}"
        key = self._random.choice(KEYS)
        target = self._random.choice((f"Till/{key}/add", f"Till/{key}/add", *OTHERS))
        delay = "?delay=100ms" if target in OTHERS and self._random.random() < 0.2 else ""
        if target not in OTHERS:
            self.order[key].append(tag)
        headers = {"idempotency-key": tag}
        response = await self._insist("POST", f"{self._server.ingress}/{target}/send{delay}", tag, headers)
        self.tags[response.json()["invocationId"]] = tag

    async def _answer(self) -> None:
        waiting = [line.split()[1] for line in self.traced("awakeables")]
        if waiting:
            awakeable = self._random.choice(waiting[-5:])
            await self._try("POST", f"{self._server.ingress}/restate/awakeables/{awakeable}/resolve", "yes")

    async def _operate(self) -> None:
        row = await self._pick()
        if row is None:
            return
        id, verb = row["id"], self._random.choice(OPERATIONS)
        if verb in ("purge", "purge-journal"):
            self.forgotten.add(id)
            if verb == "purge":
                # Gone, if the request arrives: whoever asks again may be told something else.
                self._outcomes.pop(id, None)
        if verb in ("resume", "cancel", "kill", "purge"):
            # Also when the answer is lost: it may have been done.
            self._resting.pop(id, None)
        response = await self._try("PATCH", f"{self._server.admin}/invocations/{id}/{verb}")
        assert response is None or response.status_code in (200, 202, 404, 409, 410, 425), response.text
        if response is None or response.is_success:
            self._remember(id, verb, response)

    def _remember(self, id: str, verb: str, response: httpx.Response | None) -> None:
        """response: None when it may have been done."""
        tag = self.tags.get(id)
        if verb == "kill" and response is not None:
            self.killed.add(id)
        if tag is not None and verb in ("kill", "cancel"):
            self.ended_early.add(tag)
        if tag is not None and verb == "restart-as-new":
            self.restarted.add(tag)
            if response is not None:
                self.tags[response.json()["new_invocation_id"]] = tag

    async def _pick(self) -> dict[str, Any] | None:
        open_ones = await self.query(f"SELECT {ROW} FROM sys_invocation WHERE status != 'completed'")
        rows = open_ones if self._random.random() < 0.7 else await self.query(f"SELECT {ROW} FROM sys_invocation")
        return self._random.choice(rows) if rows else None

    async def _look(self) -> None:
        row = await self._pick()
        if row is not None:
            await self._see(row)

    # what they see

    async def _see(self, row: dict[str, Any]) -> None:
        """Holds one invocation against all that was seen of it before."""
        id = row["id"]
        if id in self._resting:
            assert row["status"] == "paused", f"{id} was paused, nobody woke it, and it is {row['status']}"
            assert self._user_code(id) == self._resting[id], f"{id} is paused and did something"
        elif row["status"] == "paused" and self._is_alone(row):
            self._resting[id] = self._user_code(id)
        if id in self.killed and id not in self.forgotten:
            assert row["completion_failure"] == "[409] killed", row
        outcome = await self.outcome(id)
        if outcome is None:
            return
        before = self._outcomes.setdefault(id, outcome)
        assert outcome == before, f"{id} has had another outcome"

    def _is_alone(self, row: dict[str, Any]) -> bool:
        """What a caller does to its callees is not known here, and a restart has the same tag."""
        tag = self.tags.get(row["id"])
        return row["invoked_by"] != "service" and tag is not None and tag not in self.restarted

    async def outcome(self, id: str) -> Outcome | None:
        """None: there is none, or it is not known."""
        response = await self._try("GET", f"{self._server.ingress}/restate/output/{id}")
        if response is None or response.status_code in (404, 470):
            return None
        return Outcome(response.status_code, response.text)

    def _user_code(self, id: str) -> list[str]:
        tag = self.tags[id]
        files = [tag, *(f"key-{key}" for key in KEYS)]
        return [line for file in files for line in self.traced(file) if line.split()[0] == tag]

    def traced(self, name: str) -> list[str]:
        path = self._traces / name
        return path.read_text().splitlines() if path.exists() else []

    # how they ask

    async def query(self, sql: str) -> list[dict[str, Any]]:
        headers = {"accept": "application/json"}
        response = await self._insist("POST", f"{self._server.admin}/query", {"query": sql}, headers)
        rows: list[dict[str, Any]] = response.json()["rows"]
        return rows

    async def _try(self, method: str, url: str, body: Any = None) -> httpx.Response | None:
        """None: nobody knows whether it was done."""
        try:
            response = await self._client.request(method, url, json=body)
        except httpx.TransportError:
            return None
        return None if response.status_code == 503 else response

    async def _insist(self, method: str, url: str, body: Any, headers: dict[str, str]) -> httpx.Response:
        """Repeats what may be repeated until it is answered."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    response = await self._client.request(method, url, json=body, headers=headers)
                    if response.status_code < 300:
                        return response
                    assert response.status_code == 503, f"{method} {url}: {response.status_code} {response.text}"
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.02)

    # in the end

    async def settle(self) -> None:
        """Lets everything come to its end: nothing is stuck."""
        (self._traces / "mended").touch()
        self._resting.clear()
        answered: set[str] = set()
        rows: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(SETTLE_S):
                while rows := await self.query(f"SELECT {ROW} FROM sys_invocation WHERE status != 'completed'"):
                    for row in rows:
                        if row["status"] == "paused":
                            await self._try("PATCH", f"{self._server.admin}/invocations/{row['id']}/resume")
                    for awakeable in {line.split()[1] for line in self.traced("awakeables")} - answered:
                        await self._try("POST", f"{self._server.ingress}/restate/awakeables/{awakeable}/resolve", "yes")
                        answered.add(awakeable)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{len(rows)} are stuck, the first of them: {rows[:10]}") from None

    async def see_all(self) -> list[dict[str, Any]]:
        """Looks at everything there is; returns the rows."""
        rows = await self.query(f"SELECT {ROW} FROM sys_invocation")
        for row in rows:
            await self._see(row)
        return rows

    def user_code_of_killed(self) -> dict[str, list[str]]:
        """What ran of each that was killed and not run again."""
        return {
            id: self._user_code(id) for id in self.killed if id in self.tags and self.tags[id] not in self.restarted
        }


OTHERS = ("Work/nap", "Work/ask", "Work/tree", "Flaky/attempt")
