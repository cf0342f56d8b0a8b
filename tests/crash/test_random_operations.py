"""Operators do anything at any moment, while the server is killed again and again: the rules hold."""

import asyncio
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from .ledger import Ledger, check_invariants
from .operators import KEYS, Operators
from .processes import Endpoint, Server

pytestmark = pytest.mark.crash

SERVICES = Path(__file__).with_name("operated.py")


def operate_and_check(folder: Path, seed: int, *, kills: int, actions: int, seconds: float) -> None:
    """kills: of the server.  actions: of the operators between two of them.  seconds: no more kills after that."""
    print(f"seed {seed}: set CRASH_SEED to it to see the same operations again")
    traces = folder / "traces"
    traces.mkdir()
    with Endpoint(folder, SERVICES, {"CRASH_TRACES": str(traces)}) as endpoint, Server(folder) as server:
        endpoint.start()
        server.start()
        answer = httpx.post(f"{server.admin}/deployments", json={"uri": endpoint.url}, timeout=20)
        assert answer.status_code in (200, 201), answer.text
        asyncio.run(_operate(server, endpoint, traces, seed, kills, actions, time.monotonic() + seconds))
        server.stop()
        assert "Traceback" not in server.errors(), server.errors()
        check_invariants(server.data)


async def _operate(
    server: Server, endpoint: Endpoint, traces: Path, seed: int, kills: int, actions: int, end: float
) -> None:
    chance = random.Random(seed)
    ledger = Ledger(server.data)
    async with Operators(server, traces, seed) as operators:
        quiet: dict[str, list[str]] = {}
        for _ in range(kills):
            if time.monotonic() > end:
                break
            # The kill comes in the middle of whatever the operators do.
            killing = asyncio.create_task(_kill(server, endpoint, ledger, operators, chance))
            for _ in range(actions):
                await operators.act()
            await killing
            assert_nothing_more(quiet, operators)
            # No connection of before the kill is left, so nothing can come of those that were killed until here.
            quiet = operators.user_code_of_killed()
        await operators.see_all()
        await operators.settle()
        assert_nothing_more(quiet, operators)
        ledger.look(operators.forgotten)
        await _verify(server, operators)
        print(f"{operators.done} actions, {len(operators.tags)} invocations, {len(operators.killed)} killed")


async def _kill(
    server: Server, endpoint: Endpoint, ledger: Ledger, operators: Operators, chance: random.Random
) -> None:
    await asyncio.sleep(chance.uniform(0.0, 0.3))
    server.kill()
    ledger.look(operators.forgotten)
    if chance.random() < 0.2:
        endpoint.kill()
        await asyncio.to_thread(endpoint.start)
    await asyncio.to_thread(server.start)


def assert_nothing_more(quiet: dict[str, list[str]], operators: Operators) -> None:
    now = operators.user_code_of_killed()
    for id, before in quiet.items():
        assert now.get(id, before) == before, f"{id} was killed, and its code ran afterwards"


async def _verify(server: Server, operators: Operators) -> None:
    """Everything is over: callers and operators are told the same, and each key did its work in order."""
    added = set()
    for row in await operators.see_all():
        outcome = await operators.outcome(row["id"])
        assert outcome is not None, f"{row} is completed, and has no outcome"
        assert (outcome.status == 200) is (row["completion_result"] == "success"), (row, outcome)
        if outcome.status == 200:
            assert_was_executed(operators, outcome.body)
            if row["target"].startswith("Till/") and row["target"].endswith("/add"):
                added.add((row["target"].split("/")[1], json.loads(outcome.body).split()[0]))
        else:
            body = json.loads(outcome.body)
            assert row["completion_failure"] == f"[{body['code']}] {body['message']}"
    async with httpx.AsyncClient(timeout=20) as client:
        for key in KEYS:
            listed: list[str] = (await client.post(f"{server.ingress}/Till/{key}/names")).json()
            assert {tag for place, tag in added if place == key} <= set(listed), "an acknowledged addition is lost"
            assert_in_order(operators, listed, operators.order[key])
            assert_one_at_a_time(operators, key)
            answer = await client.post(f"{server.ingress}/Till/{key}/add", json="last")
            assert answer.status_code == 200, f"{key} is stuck"


def assert_was_executed(operators: Operators, body: str) -> None:
    value: Any = json.loads(body)
    if isinstance(value, str):
        tag = value.split()[0]
        files = [tag, *(f"key-{key}" for key in KEYS)]
        assert any(value in operators.traced(file) for file in files), f"{value}: a result that no step gave"


def assert_in_order(operators: Operators, listed: list[str], sent: list[str]) -> None:
    """What was sent by callers, and ran once, stands in the order in which it was sent."""
    once = [tag for tag in listed if tag in set(sent) - operators.restarted]
    assert len(once) == len(set(once)), f"something was added twice: {listed}"
    places = [sent.index(tag) for tag in once]
    assert places == sorted(places), f"{listed} is not in the order of {sent}"


def assert_one_at_a_time(operators: Operators, key: str) -> None:
    """Steps of different invocations do not alternate.

    One step of a killed one may come late: it had begun when the server decided. Callees are not known here.
    """
    tags = [line.split()[0] for line in operators.traced(f"key-{key}")]
    known = set(operators.tags.values()) - operators.restarted - operators.ended_early
    plain = [tag for tag in tags if tag in known]
    runs = [tag for place, tag in enumerate(plain) if place == 0 or plain[place - 1] != tag]
    twice = {tag for tag in runs if runs.count(tag) > 1}
    assert not twice, f"{twice} shared {key} with others: {runs}"


def seed_of_the_day(default: int) -> int:
    return int(os.environ.get("CRASH_SEED", default))


def test_a_few_operations_and_kills(tmp_path: Path) -> None:
    operate_and_check(tmp_path, seed_of_the_day(1), kills=4, actions=60, seconds=15)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_thousands_of_operations_and_many_kills(tmp_path: Path) -> None:
    operate_and_check(tmp_path, seed_of_the_day(random.randrange(10**6)), kills=80, actions=120, seconds=400)
