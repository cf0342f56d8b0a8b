"""Callers that want every request done once: each has an idempotency key and is repeated until it is answered."""

import asyncio
import random
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from .processes import Endpoint, Server

PATIENCE_S = 60.0
"""So long a request may take over all the crashes; then something is stuck."""

COUNTERS = [f"c{number}" for number in range(4)]


class Asked(NamedTuple):
    """A request that was answered, and how to ask for the same answer again."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]
    answer: Any


class Load:
    """Requests of all kinds against the services in `services.py`. Use it with `async with`."""

    def __init__(self, server: Server, traces: Path, seed: int) -> None:
        self._server = server
        self._traces = traces
        self._random = random.Random(seed)
        self._prefix = f"s{seed}"
        self._made = 0
        self.asked: list[Asked] = []
        self.added: dict[str, list[int]] = {key: [] for key in COUNTERS}
        self.parents: list[str] = []
        self.stopping = False

    async def __aenter__(self) -> "Load":
        self._client = httpx.AsyncClient(timeout=20)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._client.aclose()

    async def caller(self) -> None:
        """Asks one thing after the other, until `stopping` is set."""
        kinds = (self._add, self._add, self._steps, self._parent, self._flow, self._approval)
        while not self.stopping:
            self._made += 1
            await self._random.choice(kinds)(f"{self._prefix}-{self._made}")

    async def request(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Repeats until there is an answer; a server that is gone or is about to be is none. Returns: decoded JSON."""
        last: object = None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    url = f"{self._server.ingress}{path}"
                    response = await self._client.request(method, url, json=body, headers=headers)
                    if response.status_code < 300:
                        return response.json() if response.content else None
                    last = (response.status_code, response.text)
                    assert response.status_code in (429, 503), f"{method} {path}: {last}"
                except httpx.TransportError as error:
                    last = error
                await asyncio.sleep(0.02)

    async def _ask(self, method: str, path: str, body: Any, name: str | None) -> Any:
        headers = {"idempotency-key": name} if name else {}
        answer = await self.request(method, path, body, headers)
        self.asked.append(Asked(method, path, body, headers, answer))
        return answer

    async def _add(self, name: str) -> None:
        key = self._random.choice(COUNTERS)
        self.added[key].append(await self._ask("POST", f"/Counter/{key}/add", 1, name))

    async def _steps(self, name: str) -> None:
        values = await self._ask("POST", "/Steps/three", name, name)
        executed = self.traced("steps")
        assert all(value in executed for value in values), f"{name}: a result that no step gave"
        assert [value.split()[:2] for value in values] == [[name, str(number)] for number in range(3)]

    async def _parent(self, name: str) -> None:
        assert await self._ask("POST", "/Family/parent", name, name) == 6
        self.parents.append(name)

    async def _flow(self, name: str) -> None:
        await self.request("POST", f"/Flow/{name}/run/send", name)
        await self.request("POST", f"/Flow/{name}/tell", "hello", {"idempotency-key": name})
        assert await self._ask("GET", f"/restate/workflow/Flow/{name}/attach", None, None) == f"{name} hello"

    async def _approval(self, name: str) -> None:
        accepted = await self.request("POST", "/Approval/ask/send", name, {"idempotency-key": name})
        async with asyncio.timeout(PATIENCE_S):
            while not (ids := {line.split()[1] for line in self.traced("awakeables") if line.split()[0] == name}):
                await asyncio.sleep(0.01)
        (awakeable,) = ids
        await self.request("POST", f"/restate/awakeables/{awakeable}/resolve", "yes")
        path = f"/restate/invocation/{accepted['invocationId']}/attach"
        assert await self._ask("GET", path, None, None) == f"{name} yes"

    def traced(self, name: str) -> set[str]:
        path = self._traces / name
        return set(path.read_text().splitlines()) if path.exists() else set()

    async def verify(self) -> None:
        """After the last crash: nothing acknowledged is lost or was done twice, and no key is stuck."""
        for key, values in self.added.items():
            assert sorted(values) == list(range(1, len(values) + 1)), f"{key}: an addition was lost or made twice"
            assert await self.request("GET", f"/Counter/{key}/count") == len(values)
        for asked in self.asked:
            again = await self.request(asked.method, asked.path, asked.body, asked.headers)
            assert again == asked.answer, f"{asked.path} now answers something else"
        for name in self.parents:
            # The delayed send may still be on its way.
            async with asyncio.timeout(PATIENCE_S):
                while (sent := await self.request("GET", f"/Counter/sent-{name}/count")) < 11:
                    await asyncio.sleep(0.02)
            assert sent == 11, f"{name}: a send arrived twice"
        for key in COUNTERS:
            assert await self.request("POST", f"/Counter/{key}/add", 0) == len(self.added[key])


async def register(server: Server, endpoint: Endpoint) -> None:
    async with httpx.AsyncClient(timeout=20) as client:
        response = await client.post(f"{server.admin}/deployments", json={"uri": endpoint.url})
        assert response.status_code in (200, 201), response.text
