"""The examples in docstrings run: each stands, word for word, in a program that is run here.

A line `EXAMPLE` stands for the example; what is around it checks what the example promises.
"""

import asyncio
import re
import textwrap
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import perdure
from support.client import Client
from support.docstrings import documented
from support.embedded import embedded

EXAMPLES = {path: "\n\n".join(each.doc.examples) for path, each in documented().items() if each.doc.examples}

PRELUDE = """
import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import perdure
from perdure import Context, ObjectContext, RunOptions, Service, VirtualObject, Workflow, WorkflowContext
from perdure import InvocationRetryPolicy, RetryableError, TerminalError, WorkflowSharedContext
from perdure import as_completed, create_test_harness, gather, select
from perdure.extensions import contextvar
from perdure.serde import Serde
from perdure.testing import Harness, Journal, SimulatedEngine, assert_replays, crash_everywhere, simulated

probe = Service("Probe")
greeter = Service("Greeter")
counter = VirtualObject("Tally")
charges = Counter()

@greeter.handler()
async def greet(ctx: Context, name: str) -> str:
    await ctx.sleep(timedelta(milliseconds=10))
    return f"hello {name}"

@counter.handler()
async def tally(ctx: ObjectContext) -> str:
    return ctx.key()

async def charge() -> str:
    charges["charge"] += 1
    return "charged"
"""

PROGRAMS = {
    "perdure.Service": """
EXAMPLE

@simulated(perdure.app([greeter]))
async def check(engine):
    assert await engine.client.call(greet, "Ada") == "hello Ada"
    assert await engine.client.call("Greeter/greet", "Ada") == "hello Ada"

check()
""",
    "perdure.VirtualObject": """
EXAMPLE

@simulated(perdure.app([counter]))
async def check(engine):
    assert [await engine.client.call(add, 2, key="ada") for _ in range(3)] == [2, 4, 6]

check()
""",
    "perdure.Workflow": """
EXAMPLE

@simulated(perdure.app([approval]))
async def check(engine):
    claim = await engine.client.send(run, "roof", key="claim-1")
    await engine.client.call(decide, "granted", key="claim-1")
    assert await claim.attach() == "granted"

check()
""",
    "perdure.InvocationRetryPolicy": """
EXAMPLE

@flights.handler()
async def book(ctx: Context) -> None:
    charges["tries"] += 1
    raise ValueError("no seat")

@simulated(perdure.app([flights]))
async def check(engine):
    try:
        await engine.client.call(book)
    except TerminalError:
        assert charges["tries"] == 3
        return
    raise AssertionError("it was not given up")

check()
""",
    "perdure.RunOptions": """
async def charge() -> str:
    charges["charge"] += 1
    raise ValueError("no money")

@probe.handler()
async def tried(ctx: Context) -> str:
    try:
        EXAMPLE
    except TerminalError as error:
        return error.message
    return "no error"

@simulated(perdure.app([probe]))
async def check(engine):
    assert "no money" in await engine.client.call(tried)
    assert charges["charge"] == 3

check()
""",
    "perdure.serde.Serde": """
EXAMPLE

@probe.handler(input_serde=WordsSerde(), output_serde=WordsSerde())
async def tried(ctx: Context, words: list[str]) -> list[str]:
    return [*words, "world"]

@simulated(perdure.app([probe]))
async def check(engine):
    assert await engine.client.generic_call("Probe", "tried", b"hello") == b"hello world"

check()
""",
    "perdure.select": """
@probe.handler()
async def tried(ctx: Context, hours: int) -> str:
    future = ctx.run_typed("ask", charge) if hours == 0 else ctx.awakeable(type_hint=str)[1]
    EXAMPLE

@simulated(perdure.app([probe]))
async def check(engine):
    assert await engine.client.call(tried, 0) == "charged"
    assert await engine.client.call(tried, 1) == "nobody answered"

check()
""",
    "perdure.gather": """
summarize, chapters = greet, ["one", "two"]

@probe.handler()
async def tried(ctx: Context) -> list[str]:
    EXAMPLE
    return summaries

@simulated(perdure.app([probe, greeter]))
async def check(engine):
    assert await engine.client.call(tried) == ["hello one", "hello two"]

check()
""",
    "perdure.as_completed": """
@probe.handler()
async def tried(ctx: Context) -> list[str]:
    answers = []
    futures = [ctx.service_call(greet, "Ada"), ctx.run_typed("charge", charge)]
    EXAMPLE
    return answers

@simulated(perdure.app([probe, greeter]))
async def check(engine):
    assert await engine.client.call(tried) == ["charged", "hello Ada"]

check()
""",
    "perdure.TerminalError": """
@probe.handler()
async def tried(ctx: Context) -> None:
    EXAMPLE

@simulated(perdure.app([probe]))
async def check(engine):
    try:
        await engine.client.call(tried)
    except TerminalError as error:
        assert (error.message, error.status_code) == ("no such flight", 404)
        return
    raise AssertionError("it did not fail")

check()
""",
    "perdure.RetryableError": """
@probe.handler()
async def tried(ctx: Context) -> str:
    charges["tries"] += 1
    if charges["tries"] == 1:
        charges["at"] = int(asyncio.get_running_loop().time())
        EXAMPLE
    assert 30 <= asyncio.get_running_loop().time() - charges["at"] < 31
    return "done"

@simulated(perdure.app([probe]))
async def check(engine):
    assert await engine.client.call(tried) == "done"

check()
""",
    "perdure.is_internal_exception": """
async def charge() -> str:
    return "charged"  # with `always_replay`, the attempt is suspended before this is known

@probe.handler()
async def tried(ctx: Context) -> str:
    await ctx.sleep(timedelta(days=1))
    EXAMPLE
        charges["errors"] += 1
    return "done"

@simulated(perdure.app([probe]), always_replay=True)
async def check(engine):
    assert await engine.client.call(tried) == "done"
    assert not charges["errors"]

check()
""",
    "perdure.app": """
EXAMPLE

@simulated(app)
async def check(engine):
    assert await engine.client.call(tally, key="ada") == "ada"

check()
""",
    "perdure.serve": """
app = perdure.app([greeter])
EXAMPLE
""",
    "perdure.Client": """
async def check():
    EXAMPLE
    assert greeting == "hello Ada"

asyncio.run(check())
""",
    "perdure.create_client": """
async def check():
    EXAMPLE
    assert greeting == "hello Ada"

asyncio.run(check())
""",
    "perdure.Embedded": """
app = perdure.app([greeter])

async def check():
    EXAMPLE
    assert greeting == "hello Ada"

asyncio.run(check())
""",
    "perdure.create_test_harness": """
app = perdure.app([greeter])

async def check():
    EXAMPLE

asyncio.run(check())
""",
    "perdure.extensions.contextvar": """
class Connection:
    opened = 0

@asynccontextmanager
async def connect() -> AsyncIterator[Connection]:
    Connection.opened += 1
    yield Connection()

EXAMPLE

@service.handler()
async def tried(ctx: Context) -> int:
    return connection.value.opened

@simulated(perdure.app([service]))
async def check(engine):
    assert await engine.client.call(tried) == 1

check()
""",
    "perdure.testing.Harness": """
app = perdure.app([greeter])
EXAMPLE
""",
    "perdure.testing.simulated": """
app = perdure.app([greeter])
EXAMPLE

test_greeting()
""",
    "perdure.testing.crash_everywhere": """
@probe.handler()
async def book(ctx: Context, name: str) -> str:
    return await ctx.run_typed("charge", charge)

app = perdure.app([probe])
assert EXAMPLE
""",
    "perdure.testing.assert_replays": """
app = perdure.app([greeter])

@simulated(app)
async def record(engine):
    trip = await engine.client.send(greet, "Ada")
    await trip.attach()
    (await engine.journal(trip.invocation_id)).save("trip.json")

record()
EXAMPLE
""",
}


@pytest.fixture
def greeter_server(tmp_path: Path) -> Iterator[Client]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(PRELUDE, names)
    with embedded(tmp_path / "data", perdure.app([names["greeter"]])) as server:
        yield server


def until_it_serves(run: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """In place of `asyncio.run`: ends what would serve for ever as soon as it serves."""

    async def watched(serving: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(serving)
        async with asyncio.timeout(10):
            while "serving on http://127.0.0.1:" not in capsys.readouterr().err:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return lambda serving: run(watched(serving))


def test_every_example_has_its_program() -> None:
    assert PROGRAMS.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("path", PROGRAMS)
def test_an_example_runs(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: Any) -> None:
    monkeypatch.chdir(tmp_path)
    program = re.sub(
        r"^( *)(.*)EXAMPLE$",
        lambda match: match[1] + match[2] + textwrap.indent(EXAMPLES[path], match[1]).lstrip(),
        PROGRAMS[path],
        flags=re.MULTILINE,
    )
    if "http://localhost" in program:
        server = request.getfixturevalue("greeter_server")
        program = program.replace("http://localhost:8080", server.ingress)
        program = program.replace("http://localhost:9070", server.admin)
    if path == "perdure.serve":
        monkeypatch.setattr(asyncio, "run", until_it_serves(asyncio.run, request.getfixturevalue("capsys")))
        program = program.replace("9080", "0")
    exec(compile(f"{PRELUDE}\n{program}", path, "exec"), {"__name__": "example"})
