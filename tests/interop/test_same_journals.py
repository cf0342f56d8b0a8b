"""The official Python SDK and ours find the same journal, and do the same next: each can go on where the other was."""

import asyncio
from typing import Any

import pytest
import restate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import perdure
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import Frame, FrameDecoder
from perdure.protocol.messages import MessageType, decode
from perdure.protocol.versions import invocation_content_type
from support.programs import leaves, make_function, programs, server_for, workflow_programs
from support.sdk_peer import Peer, handler, say

FINAL = {MessageType.SUSPENSION, MessageType.ERROR, MessageType.END}

pytestmark = pytest.mark.interop


async def official(function: Any, kind: str, version: int, request: bytes) -> list[Frame]:
    """What the official SDK answers to a request that is complete."""
    entity: Any = restate.Workflow("S") if kind == "workflow" else restate.VirtualObject("S")
    (entity.main if kind == "workflow" else entity.handler)("h")(function)
    app = restate.app([entity])
    content_type = invocation_content_type(version).encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/invoke/S/h",
        "raw_path": b"/invoke/S/h",
        "query_string": b"",
        "headers": [(b"content-type", content_type), (b"accept", content_type)],
    }
    decoder = FrameDecoder(1 << 30)
    frames: list[Frame] = []
    received = [{"type": "http.request", "body": request, "more_body": False}]
    responded = asyncio.Event()

    async def receive() -> Any:
        if received:
            return received.pop()
        await responded.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        frames.extend(decoder.feed(message.get("body", b"")))
        if frames and frames[-1].type in FINAL:
            responded.set()

    async with asyncio.timeout(5):
        await app(scope, receive, send)  # type: ignore[arg-type, operator]
    return frames


def comparable(frames: list[Frame]) -> tuple[list[str], list[str]]:
    """Results of runs, whose order is open, and the other frames, without hints and times of day."""
    proposed: list[str] = []
    others: list[str] = []
    for one in frames:
        message = decode(one.type, one.payload)
        match message:
            case pb.AwaitingOnMessage():
                continue
            case pb.ProposeRunCompletionMessage():
                proposed.append(say(one))
                continue
            case pb.SleepCommandMessage():
                message.wake_up_time = 0
            case pb.SuspensionMessage():
                sort(message)
                sort(message.awaiting_on)
        others.append(say(Frame(one.type, one.flags, message.SerializeToString())))
    return sorted(proposed), others


def sort(message: pb.SuspensionMessage | pb.Future) -> None:
    """What is waited for is a set."""
    message.waiting_completions.sort()
    message.waiting_signals.sort()
    message.waiting_named_signals.sort()
    if isinstance(message, pb.Future):
        for nested in message.nested_futures:
            sort(nested)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=programs, version=st.sampled_from([5, 6, 7]), data=st.data())
def test_both_sdks_go_on_in_the_same_way(program: Any, version: int, data: st.DataObject) -> None:
    check(program, "exclusive", version, data)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=workflow_programs, version=st.sampled_from([5, 6, 7]), data=st.data())
def test_both_sdks_go_on_in_the_same_way_in_workflows(program: Any, version: int, data: st.DataObject) -> None:
    check(program, "workflow", version, data)


def check(program: Any, kind: str, version: int, data: st.DataObject) -> None:
    signals = [operation[1] for operation in leaves(program) if operation[0] == "signal"]
    # One signal resolves all waits for its name at once in the official SDK, and the first of them in ours.
    assume(len(signals) == len(set(signals)))
    ours = handler(make_function(perdure, program), kind)
    theirs = make_function(restate, program)

    async def play() -> None:
        server = server_for(program, version, lambda count: data.draw(st.integers(0, count - 1)))
        await server.conduct(Peer(ours, version))
        for length in range(1, len(server.journal) + 1):
            request = server.request(server.journal[:length])
            peer = Peer(ours, version)
            await peer.converse(request, end=True)
            await peer.ended()
            assert comparable(peer.frames) == comparable(await official(theirs, kind, version, request))

    asyncio.run(play())
