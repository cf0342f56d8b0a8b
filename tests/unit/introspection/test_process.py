"""The process that answers queries: it knows what the server knows, and harms only itself."""

import asyncio
import json
import os
import signal
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from perdure.introspection.problems import QueryFailed, QueryNotPlanned, QueryTooLarge, QueryTooSlow, TooManyQueries
from perdure.introspection.query import QueryEngine
from perdure.introspection.result import QueryLimits, Shape
from perdure.model.invocation import OpenAttempt
from perdure.model.registry import Registry

T = TypeVar("T")

ENDLESS = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(1) FROM n"
HOPELESS = "SELECT regexp_like('" + "a" * 40 + "b', '^(a+)+$')"
"""Takes longer than anyone has, in one step that nothing can interrupt."""
ROWS = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n LIMIT 10000000)"


class StillClock:
    def now(self) -> int:
        return 1_795_173_000_000


class Server:
    """What an engine asks its server about."""

    def __init__(self, path: Path, registry: Registry) -> None:
        self.registry = registry
        self.attempts: dict[int, OpenAttempt] = {}
        self._runner = asyncio.Runner()
        self._path = path
        self._engines: list[QueryEngine] = []

    def engine(self, **limits: Any) -> QueryEngine:
        engine = QueryEngine(
            self._path,
            lambda: self.registry,
            self.attempts.keys,
            StillClock(),
            server_version="1.7.12",
            attempt=self.attempts.get,
            limits=QueryLimits(**limits),
        )
        self._engines.append(engine)
        return engine

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(doing)

    def rows(self, engine: QueryEngine, query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run(engine.query(query)).body)["rows"]
        return found

    def close(self) -> None:
        for engine in self._engines:
            self.run(engine.close())
        self._runner.close()


@pytest.fixture
def server(sql: Any) -> Iterator[Server]:
    server = Server(sql.path, sql.registry)
    yield server
    server.close()


def test_it_knows_the_open_attempts(server: Server, ids: dict[str, str]) -> None:
    engine = server.engine()
    running = "SELECT id, last_attempt_server FROM sys_invocation WHERE status = 'running'"
    assert server.rows(engine, running) == []
    server.attempts[1] = OpenAttempt("dp_1", "sdk/1", None)
    assert server.rows(engine, running) == [{"id": ids["running"], "last_attempt_server": "sdk/1"}]


def test_it_knows_the_newest_registry(server: Server) -> None:
    engine = server.engine()
    revision = "SELECT revision FROM sys_service WHERE name = 'Probe'"
    assert server.rows(engine, revision) == [{"revision": 2}]
    newer = msgspec.structs.replace(server.registry.services["Probe"], revision=3)
    server.registry = msgspec.structs.replace(server.registry, services={"Probe": newer})
    assert server.rows(engine, revision) == [{"revision": 3}]


def test_an_answer_comes_with_its_form(server: Server) -> None:
    result = server.run(server.engine().query("SELECT name FROM sys_service", Shape.ARROW))
    assert result.media_type == "application/vnd.apache.arrow.stream"
    assert [column.name for column in result.columns] == ["name"]


def test_a_refusal_keeps_its_code_and_status(server: Server) -> None:
    with pytest.raises(QueryNotPlanned, match="bar' not found") as refused:
        server.run(server.engine().query("SELECT foo FROM bar"))
    assert (refused.value.code, refused.value.status) == ("E0502", 500)


def test_half_a_character_is_refused_and_no_more(server: Server) -> None:
    engine = server.engine()
    with pytest.raises(QueryFailed):
        server.run(engine.query("SELECT '\ud800'"))
    assert server.rows(engine, "SELECT 1 AS a") == [{"a": 1}]


def test_what_cannot_be_interrupted_is_ended(server: Server) -> None:
    engine = server.engine(seconds=0.2)
    with pytest.raises(QueryTooSlow):
        server.run(engine.query(HOPELESS))
    assert server.rows(engine, "SELECT 1 AS a") == [{"a": 1}]


@pytest.mark.parametrize(
    "query",
    [
        f"{ROWS} SELECT i FROM n ORDER BY i DESC",
        f"{ROWS} SELECT count(1) FROM (SELECT DISTINCT i || 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' FROM n)",
        f"{ROWS} SELECT length(string_agg(i, ',')) FROM n",
        f"{ROWS} SELECT array_agg(i) FROM n",
    ],
)
def test_memory_is_bounded(server: Server, query: str) -> None:
    engine = server.engine(working_bytes=32 * 2**20)
    with pytest.raises(QueryTooLarge):
        server.run(engine.query(query))
    assert server.rows(engine, "SELECT 1 AS a") == [{"a": 1}]


def test_a_process_that_is_gone_is_replaced(server: Server) -> None:
    others = readers()
    engine = server.engine()
    assert server.rows(engine, "SELECT 1 AS a") == [{"a": 1}]
    [process] = readers() - others
    os.kill(process, signal.SIGKILL)
    with pytest.raises(QueryFailed, match="ask again"):
        server.run(engine.query("SELECT 1 AS a"))
    assert server.rows(engine, "SELECT 1 AS a") == [{"a": 1}]


def readers() -> set[int]:
    """The processes of all engines that are open."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [int(pid) for task in tasks for pid in task.read_text().split()]
    return {pid for pid in pids if b"introspection.process" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_so_many_may_wait_and_no_more(server: Server) -> None:
    engine = server.engine(waiting=2)

    async def ask_three() -> list[Any]:
        return await asyncio.gather(*(engine.query("SELECT 1") for _ in range(3)), return_exceptions=True)

    *answered, refused = server.run(ask_three())
    assert not any(isinstance(answer, Exception) for answer in answered)
    assert isinstance(refused, TooManyQueries)


def test_closing_ends_what_runs_and_what_waits(server: Server) -> None:
    others = readers()
    engine = server.engine()

    async def ask_and_close() -> list[Any]:
        await engine.query("SELECT 1")
        asked = [asyncio.ensure_future(engine.query(ENDLESS)) for _ in range(3)]
        await asyncio.sleep(0)
        await engine.close()
        return await asyncio.gather(*asked, return_exceptions=True)

    assert [str(end) for end in server.run(ask_and_close())] == ["the server stops"] * 3
    assert readers() <= others


def test_a_file_that_is_not_there(tmp_path: Path, sql: Any) -> None:
    server = Server(tmp_path / "none.sqlite", sql.registry)
    with pytest.raises(QueryFailed, match=r"^External error: the partition file cannot be opened"):
        server.run(server.engine().query("SELECT 1"))
    server.close()
