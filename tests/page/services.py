"""What the page is shown with: handlers that end, wait, fail and are retried."""

from datetime import timedelta
from typing import Any

import restate

agent = restate.Service("Agent")
basket = restate.VirtualObject("Basket")


@agent.handler()
async def plan(ctx: restate.Context, request: dict[str, Any]) -> dict[str, Any]:
    """Two steps and an answer."""
    idea = await ctx.run_typed("think", lambda: {"idea": request["topic"]})
    text = await ctx.run_typed("write", lambda: f"About {idea['idea']}")
    return {"text": text}


@agent.handler()
async def ask(ctx: restate.Context, question: str) -> str:
    """Waits for a human."""
    name, promise = ctx.awakeable(type_hint=str)
    await ctx.run_typed("tell", lambda: f"{question}: {name}")
    return await promise


@agent.handler()
async def stumble(ctx: restate.Context, reason: str) -> None:
    """Fails in the same step every time, and is retried after a minute."""

    def fail() -> None:
        raise ValueError(reason)

    await ctx.run_typed("fetch", fail, restate.RunOptions(initial_retry_interval=timedelta(minutes=1)))


@agent.handler()
async def refuse(ctx: restate.Context, reason: str) -> None:
    """Ends with a failure."""
    raise restate.TerminalError(reason, status_code=422)


@basket.handler()
async def add(ctx: restate.ObjectContext, item: str) -> list[str]:
    """Keeps what is put in."""
    items: list[str] = await ctx.get("items", type_hint=list) or []
    ctx.set("items", [*items, item])
    return [*items, item]


@basket.handler()
async def hold(ctx: restate.ObjectContext) -> None:
    """Keeps the key locked for a week."""
    await ctx.sleep(timedelta(days=7))


app = restate.app([agent, basket])
