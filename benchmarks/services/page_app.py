"""What the web page is measured with: many invocations that never rest, and one that grows."""

from datetime import timedelta

import perdure
from perdure import Context, Service

BEAT = timedelta(seconds=4)

# A short inactivity timeout, so that each beat changes the status twice.
busy = Service("Busy", inactivity_timeout=timedelta(milliseconds=100))
long = Service("Long")


def value(number: int) -> dict[str, int]:
    return {"number": number}


@busy.handler()
async def beat(ctx: Context, number: int) -> None:
    """One step and a pause, for an hour."""
    await ctx.sleep(BEAT * (number % 100) / 100)  # spreads the beats
    for at in range(900):
        await ctx.run_typed("work", value, number=at)
        await ctx.sleep(BEAT)


@long.handler()
async def grow(ctx: Context, steps: int) -> None:
    """So many steps at once, and then five a second for some minutes."""
    for at in range(steps):
        await ctx.run_typed("work", value, number=at)
    for at in range(steps, steps + 2000):
        await ctx.run_typed("beat", value, number=at)
        await ctx.sleep(timedelta(milliseconds=200))


app = perdure.app([busy, long])
