"""How long an attempt takes to replay a journal of runs, without any server: `replay.py ENTRIES`."""

import asyncio
import json
import sys
import time

import perdure
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import encode_frame
from perdure.protocol.messages import MessageType, completion
from perdure.sdk.attempt import Attempt
from perdure.sdk.definitions import handler_of

service = perdure.Service("Replayed")


async def step(number: int) -> int:
    return number


@service.handler()
async def run(ctx: perdure.Context, count: int) -> int:
    total = 0
    for number in range(count):
        total += await ctx.run_typed("step", step, number=number)
    return total


def request(runs: int) -> bytes:
    """The beginning of an attempt whose runs are all in the journal."""
    given = pb.InputCommandMessage(value=pb.Value(content=b"%d" % runs))
    frames = [encode_frame(MessageType.INPUT_COMMAND, given.SerializeToString())]
    for number in range(1, runs + 1):
        command = pb.RunCommandMessage(result_completion_id=number, name="step")
        frames.append(encode_frame(MessageType.RUN_COMMAND, command.SerializeToString()))
        result = completion(MessageType.RUN_COMPLETION, number, value=b"1")
        frames.append(encode_frame(MessageType.RUN_COMPLETION, result))
    start = pb.StartMessage(id=bytes(24), debug_id="inv_1replayed", known_entries=len(frames))
    return encode_frame(MessageType.START, start.SerializeToString()) + b"".join(frames)


async def replay(entries: int) -> float:
    data = request(entries // 2)
    sent: list[bytes] = []
    started = time.perf_counter()
    attempt = Attempt(handler_of(run), 7, sent.append)
    running = asyncio.ensure_future(attempt.run())
    # As a transport does: in pieces.
    for at in range(0, len(data), 65536):
        attempt.feed(data[at : at + 65536])
    attempt.end_of_input()
    await running
    elapsed = time.perf_counter() - started
    assert attempt.machine.ending == "ended", sent
    return elapsed


print(json.dumps({"ms": asyncio.run(replay(int(sys.argv[1]))) * 1000}))
