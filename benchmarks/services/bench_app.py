"""The measured services, written with the official Python SDK. `bench_app.mjs` has the same in TypeScript.

They do nothing but what is named, so that what is measured is the engine, the protocol and the SDK.
"""

import sys
from datetime import timedelta

import restate
from restate import Context, ObjectContext, Service, VirtualObject

echo_service = Service("Echo")
steps_service = Service("Steps")
counter = VirtualObject("Counter")
# A short inactivity timeout, so that a sleeping invocation suspends at once.
sleeper = Service("Sleeper", inactivity_timeout=timedelta(milliseconds=50))


@echo_service.handler()
async def echo(ctx: Context, text: str) -> str:
    return text


async def step(number: int) -> int:
    return number


@steps_service.handler()
async def run(ctx: Context, count: int) -> int:
    total = 0
    for number in range(count):
        total += await ctx.run_typed("step", step, number=number)
    return total


@counter.handler()
async def add(ctx: ObjectContext, amount: int) -> int:
    value = (await ctx.get("value", type_hint=int) or 0) + amount
    ctx.set("value", value)
    return value


@sleeper.handler()
async def sleep(ctx: Context, days: int) -> str:
    await ctx.sleep(timedelta(days=days))
    return "awake"


app = restate.app([echo_service, steps_service, counter, sleeper])


if __name__ == "__main__":
    import http2_server

    http2_server.run(app, int(sys.argv[1]))
