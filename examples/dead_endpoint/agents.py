"""Many support agents depend on one tool, and the tool's endpoint is gone.

Each agent opens a ticket, asks the tool, and is retried while the tool is down. An operator sees them all, and has
the choice: bring the tool back, so that they finish by themselves, or cancel them, so that they close their tickets.

    curl localhost:8080/SupportAgent/answer/send --json '{"customer":"Ada","order":"A-1"}'
    curl localhost:9070/query --json '{"query":"SELECT id, status, retry_count, last_failure FROM sys_invocation"}'

README.md, beside this file, goes on from there.
"""

import asyncio
import os
import urllib.request
from datetime import timedelta
from typing import TypedDict

import perdure as restate
from perdure import Context, InvocationRetryPolicy, Service, TerminalError

TOOL_URL = os.environ.get("ORDER_TOOL_URL", "http://127.0.0.1:5999/")


class Question(TypedDict):
    """What a customer wants to know about an order."""

    customer: str
    order: str


support_agent = Service(
    "SupportAgent",
    # The tool will be back, and until then waiting costs nothing but a timer. After 70 attempts, which is what the
    # server allows where nothing else is said, an agent is paused for somebody to look at it.
    invocation_retry_policy=InvocationRetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        exponentiation_factor=2.0,
        max_interval=timedelta(seconds=5),
    ),
)


@support_agent.handler()
async def answer(ctx: Context, question: Question) -> str:
    """Answers one customer, or closes the ticket again when it is cancelled."""
    ticket = await ctx.run_typed("open ticket", open_ticket, question=question)
    try:
        found = await ctx.run_typed("look up order", look_up_order, question=question)
    except TerminalError:
        await ctx.run_typed("close ticket", close_ticket, ticket=ticket)
        raise
    return f"Dear {question['customer']}, order {question['order']}: {found}"


def open_ticket(question: Question) -> str:
    ticket = f"ticket-{question['customer']}-{question['order']}"
    print(f"{ticket} opened", flush=True)
    return ticket


def close_ticket(ticket: str) -> None:
    print(f"{ticket} closed", flush=True)


async def look_up_order(question: Question) -> str:
    """Asks the tool; raises OSError while nobody listens there."""

    def fetch() -> str:
        with urllib.request.urlopen(TOOL_URL, timeout=2) as response:
            return f"the tool answered with status {response.status}"

    return await asyncio.to_thread(fetch)


app = restate.app([support_agent])
