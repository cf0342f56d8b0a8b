"""Handlers that harm their worker the first time, and do their work the second time."""

import asyncio
import os
import resource
import time
from pathlib import Path

import restate
from restate import Context, Service

TRACES = Path(os.environ["CRASH_TRACES"])

trouble = Service("Trouble")


def first_time(name: str) -> bool:
    """True once; leaves a file that tells the test how far it got."""
    try:
        (TRACES / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def memory_in_use() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


@trouble.handler()
async def fine(ctx: Context, name: str) -> str:
    return await ctx.run_typed("work", lambda: f"{name} from {os.getpid()}")


@trouble.handler()
async def wait(ctx: Context, name: str) -> str:
    """Would wait for a minute."""
    value = await ctx.run_typed("before", lambda: f"{name}")
    if first_time(name):
        await asyncio.sleep(60)
    return value


@trouble.handler()
async def exits(ctx: Context, name: str) -> str:
    if first_time(name):
        os._exit(3)
    return name


@trouble.handler()
async def blocks(ctx: Context, name: str) -> str:
    if first_time(name):
        time.sleep(60)  # noqa: ASYNC251 - that is the mischief
    return name


@trouble.handler()
async def allocates(ctx: Context, name: str) -> str:
    if first_time(name):
        # A limit of the handler's own, so that the machine does not pay for it.
        resource.setrlimit(resource.RLIMIT_AS, (memory_in_use() + 64 * 1024 * 1024, resource.RLIM_INFINITY))
        hoard = []
        while True:
            hoard.append(bytearray(1024 * 1024))
    return name


app = restate.app([trouble])
