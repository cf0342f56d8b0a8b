"""A coding agent that can be interrupted: a new message stops the running task, waits for its clean-up, starts anew.

`CodingAgent` is one conversation per key; `CodingTask` is the long work on one message. The conversation never
has two tasks at once, and nothing of it is lost when a process dies between two steps.

A task runs to its end:

    curl localhost:8080/CodingAgent/alice/message --json '{"role":"user","content":"Write a parser"}'
    curl localhost:8080/CodingAgent/alice/get_history

A second message interrupts the first:

    curl localhost:8080/CodingAgent/bob/message/send --json '{"role":"user","content":"Write a web server in Python"}'
    curl localhost:8080/CodingAgent/bob/message --json '{"role":"user","content":"No, write it in Rust"}'
    curl localhost:8080/CodingAgent/bob/get_history
"""

import asyncio
import os
from datetime import timedelta
from typing import TypedDict

import restate
from restate import Context, ObjectContext, ObjectSharedContext, RunOptions, Service, TerminalError, VirtualObject

CANCELLED = 409
STOP_WITHIN = timedelta(seconds=30)
STAND_IN_SECONDS = 2.0
STEPS = {
    "Plan": "Write a short plan for the last request. Answer with the plan only.",
    "Draft": "Write a first version that follows this plan. Answer with the code only.",
    "Polish": "Improve this draft: names, edge cases, tests. Answer with the final code only.",
}


class Message(TypedDict):
    """One turn of a conversation; role is `user` or `assistant`."""

    role: str
    content: str


class Task(TypedDict):
    """What a task works on: the conversation so far, and the agent that gets the answer."""

    agent_id: str
    messages: list[Message]


class Started(TypedDict):
    """The answer to a message: the invocation that works on it, for whoever wants to look at it or stop it."""

    task_id: str


# ---------------------------------------------------------------- the model


async def ask_model(step: str, messages: list[Message], previous: str) -> str:
    """The result of one step: from the API when OPENAI_API_KEY is set, else from the stand-in."""
    if os.environ.get("OPENAI_API_KEY"):
        return await ask_openai(step, messages, previous)
    return await ask_stand_in(step, messages, previous)


async def ask_openai(step: str, messages: list[Message], previous: str) -> str:
    """Asks the API; OPENAI_BASE_URL and OPENAI_MODEL say which."""
    from openai import AsyncOpenAI

    prompt = [{"role": "system", "content": STEPS[step]}, *messages]
    if previous:
        prompt.append({"role": "assistant", "content": previous})
    # The step itself is retried durably, so the client must not hide failures behind retries of its own.
    async with AsyncOpenAI(max_retries=0, timeout=120) as client:
        answer = await client.chat.completions.create(
            model=os.environ.get("OPENAI_MODEL", "gpt-4o-mini"),
            messages=prompt,  # type: ignore[arg-type]  # plain dicts in the API's own shape
        )
    return answer.choices[0].message.content or ""


async def ask_stand_in(step: str, messages: list[Message], previous: str) -> str:
    """Answers without a model, as slowly as a quick one, and says in the answer that it did."""
    await asyncio.sleep(STAND_IN_SECONDS)
    done = f"{previous} > {step}" if previous else f"(stand-in, no model) {messages[-1]['content']}: {step}"
    return done


# ---------------------------------------------------------------- the work on one message

coding_task = Service("CodingTask")


@coding_task.handler()
async def run_task(ctx: Context, task: Task) -> None:
    """Three steps, each kept once it is done; the answer goes to the agent, and so does word of a cancellation."""
    try:
        text = ""
        for step in STEPS:
            text = await ctx.run_typed(step, ask_model, RunOptions(max_attempts=3), step, task["messages"], text)
        reply(ctx, task, text)
    except TerminalError as error:
        # Still durable: what the clean-up does here is journaled like any other step.
        if error.status_code == CANCELLED:
            reply(ctx, task, "[task cleanup ran after cancellation]")
        else:
            reply(ctx, task, f"[task failed: {error.message}]")
        raise


def reply(ctx: Context, task: Task, content: str) -> None:
    ctx.object_send(append_message, key=task["agent_id"], arg=Message(role="assistant", content=content))


# ---------------------------------------------------------------- the conversation

coding_agent = VirtualObject("CodingAgent")


@coding_agent.handler()
async def message(ctx: ObjectContext, msg: Message) -> Started:
    """Takes a message: stops the task that is running, if any, and starts one that knows the whole history."""
    messages: list[Message] = await ctx.get("messages", type_hint=list) or []
    running = await ctx.get("task_id", type_hint=str)
    if running:
        await stop(ctx, running)

    messages.append(msg)
    handle = ctx.service_send(run_task, arg=Task(agent_id=ctx.key(), messages=messages))
    task_id = await handle.invocation_id()
    ctx.set("task_id", task_id)
    ctx.set("messages", messages)
    return Started(task_id=task_id)


async def stop(ctx: ObjectContext, task_id: str) -> None:
    """Cancels a task and waits until its clean-up is through. A task that ended long ago is fine, too."""
    ctx.cancel_invocation(task_id)
    ended = ctx.attach_invocation(task_id, type_hint=type(None))
    try:
        first, _ = await restate.select(ended=ended, timed_out=ctx.sleep(STOP_WITHIN))
    except TerminalError:
        return  # how a cancelled task ends, and a failed one; that it has ended is all that matters here
    if first == "timed_out":
        raise TerminalError("the running task has not stopped yet; send the message again", status_code=503)


@coding_agent.handler()
async def append_message(ctx: ObjectContext, msg: Message) -> None:
    """Adds a turn; tasks report through this."""
    messages: list[Message] = await ctx.get("messages", type_hint=list) or []
    ctx.set("messages", [*messages, msg])


@coding_agent.handler(kind="shared")
async def get_history(ctx: ObjectSharedContext) -> list[Message]:
    """The conversation so far; answers at once, also while a message is being taken."""
    return await ctx.get("messages", type_hint=list) or []


app = restate.app([coding_agent, coding_task])
