"""Handlers with the official Python SDK for operators to steer, in two variants: `old` has bugs, `new` has none."""

import asyncio
import json
import socket
import subprocess
import urllib.request
from datetime import timedelta
from typing import Any

import restate
from records import record, recorder, released
from restate import Context, InvocationRetryPolicy, ObjectContext, RunOptions, Service, TerminalError, VirtualObject

HOUR = timedelta(hours=1)
PATIENT = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=50), exponentiation_factor=20.0, max_interval=timedelta(minutes=10)
)
THREE_ATTEMPTS = InvocationRetryPolicy(
    initial_interval=timedelta(milliseconds=5),
    exponentiation_factor=1.0,
    max_attempts=3,
    on_max_attempts="pause",
)
DEAD_PORT = 9
"""Of the discard service, which nobody runs."""


def build(variant: str, name: str) -> Any:
    """The app of one deployment. name: ends the name of each of its services."""
    broken = variant == "old"
    return restate.app(
        [
            agent(f"Agent{name}"),
            reader(f"Reader{name}", broken),
            desk(f"Desk{name}"),
            claims(f"Claims{name}", broken),
            studio(f"Studio{name}"),
            racer(f"Racer{name}"),
            order(f"Order{name}", broken),
        ]
    )


def agent(name: str) -> Service:
    """Needs a tool whose endpoint is gone."""
    service = Service(name, invocation_retry_policy=PATIENT)

    @service.handler()
    async def answer(ctx: Context, tag: str) -> None:
        await ctx.run_typed("open ticket", recorder(tag, "opened"))
        try:
            await ctx.run_typed("ask tool", ask_tool)
        except TerminalError:
            await ctx.run_typed("close ticket", recorder(tag, "closed"))
            raise

    return service


async def ask_tool() -> None:
    socket.create_connection(("127.0.0.1", DEAD_PORT), 1).close()


def reader(name: str, broken: bool) -> Service:
    """The old one cannot read numbers with a comma."""
    service = Service(name, invocation_retry_policy=THREE_ATTEMPTS)

    @service.handler()
    async def read(ctx: Context, wanted: dict[str, str]) -> float:
        tag = wanted["tag"]

        def fetch() -> str:
            record(tag, "fetched")
            return wanted["text"]

        def parse(text: str) -> float:
            record(tag, "parsed")
            return float(text if broken else text.replace(",", ""))

        text = await ctx.run_typed("fetch", fetch)
        value = await ctx.run_typed("parse", parse, RunOptions(), text)
        await ctx.run_typed("store", recorder(tag, "stored"))
        return value

    return service


def desk(name: str) -> VirtualObject:
    """Work on keys: in a run block, or waiting for an answer."""
    service = VirtualObject(name, inactivity_timeout=timedelta(milliseconds=50))

    @service.handler()
    async def work(ctx: ObjectContext, tag: str) -> str:
        async def closure() -> str:
            record(tag, "began")
            await released(tag)
            return "worked"

        done = await ctx.run_typed("work", closure)
        await ctx.run_typed("file", recorder(tag, "filed"))
        return done

    @service.handler()
    async def wait(ctx: ObjectContext, tag: str) -> Any:
        identifier, answer = ctx.awakeable(type_hint=Any)
        await ctx.run_typed("publish", recorder(tag, identifier))
        value = await answer
        await ctx.run_typed("file", recorder(tag, "filed"))
        return value

    return service


def claims(name: str, broken: bool) -> Service:
    """Three people approve, the amount is converted, and paid. The old one knows no euros, and gives up on them."""
    service = Service(name)

    def convert(amount: str) -> float:
        value, currency = amount.split()
        if broken and currency != "USD":
            raise TerminalError(f"no rate for {currency}", status_code=422)
        return float(value) * 2

    @service.handler()
    async def settle(ctx: Context, wanted: dict[str, str]) -> dict[str, Any]:
        tag = wanted["tag"]
        await ctx.run_typed("parse", recorder(tag, "parsed"))
        approvals = []
        for person in ("ann", "bob", "cy"):
            identifier, approval = ctx.awakeable(type_hint=str)
            await ctx.run_typed(f"ask {person}", recorder(tag, f"{person} {identifier}"))
            approvals.append(await approval)
        await ctx.run_typed("note approvals", recorder(tag, "noted"))
        dollars = await ctx.run_typed("convert currency", convert, RunOptions(), wanted["amount"])
        await ctx.run_typed("pay", recorder(tag, f"paid {dollars}"))
        return {"approved": approvals, "paid": dollars}

    return service


def studio(name: str) -> Service:
    """Draws pictures, and has them drawn again by the server's remote control."""
    service = Service(name)

    @service.handler()
    async def draw(ctx: Context, tag: str) -> str:
        sketch = await ctx.run_typed("sketch", lambda: f"sketch {record(tag, 'sketch')}")
        return await ctx.run_typed("paint", lambda: f"{sketch}, painting {record(tag, 'painting')}")

    @service.handler()
    async def regenerate(ctx: Context, wanted: dict[str, Any]) -> str:
        """wanted: `request` [method, url] or `command`, whose answer has the new invocation's id; `tag`."""

        async def restart() -> str:
            record(wanted["tag"], "restart")
            return await asyncio.to_thread(by_request if "request" in wanted else by_command, wanted)

        fresh = await ctx.run_typed("restart as new", restart)
        drawn: str = await ctx.attach_invocation(fresh, type_hint=str)
        return drawn

    return service


def by_request(wanted: dict[str, Any]) -> str:
    method, url = wanted["request"]
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:
        return str(json.load(answer)["new_invocation_id"])


def by_command(wanted: dict[str, Any]) -> str:
    ended = subprocess.run(wanted["command"], capture_output=True, text=True, timeout=30, check=True)
    return str(json.loads(ended.stdout)["succeeded"][0]["new_invocation_id"])


def racer(name: str) -> Service:
    """Ends when its awakeable is resolved; undoes when it is cancelled."""
    service = Service(name, invocation_retry_policy=THREE_ATTEMPTS)

    @service.handler()
    async def run(ctx: Context, tag: str) -> str:
        identifier, finish = ctx.awakeable(type_hint=str)
        try:
            await ctx.run_typed("publish", recorder(tag, identifier))
            result = await finish
            await ctx.run_typed("finish", recorder(tag, "finished"))
            return result
        except TerminalError:
            await ctx.run_typed("undo", recorder(tag, "undone"))
            raise

    @service.handler()
    async def block(ctx: Context, tag: str) -> str:
        async def closure() -> str:
            record(tag, "running")
            await released(tag)
            record(tag, "ran")
            return "result"

        result = await ctx.run_typed("block", closure)
        await ctx.run_typed("after", recorder(tag, "after"))
        return result

    return service


def order(name: str, broken: bool) -> Service:
    """The new one ships before it charges, which does not fit what the old one has journaled."""
    service = Service(name, invocation_retry_policy=THREE_ATTEMPTS, inactivity_timeout=timedelta(milliseconds=50))

    @service.handler()
    async def process(ctx: Context, tag: str) -> str:
        steps = ("charge", "ship") if broken else ("ship", "charge")
        await ctx.run_typed(steps[0], recorder(tag, steps[0]))
        identifier, signed = ctx.awakeable(type_hint=str)
        await ctx.run_typed("ask", recorder(tag, identifier))
        await signed
        await ctx.run_typed(steps[1], recorder(tag, steps[1]))
        return " then ".join(steps)

    return service
