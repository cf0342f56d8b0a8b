"""Bytes that no server sends: the attempt ends with an error that says so, and never hangs."""

import asyncio
import functools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perdure as restate
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import encode_frame
from perdure.protocol.messages import MessageType
from perdure.sdk.definitions import HandlerDefinition
from support.programs import Operation, make_function, server_for
from support.sdk_peer import (
    Peer,
    ack,
    frame,
    handler,
    input_command,
    opening,
    run_command,
    run_completion,
    sleep_command,
    sleep_completion,
    start,
)


async def run_and_sleep(ctx: restate.Context, text: str) -> str:
    async def action() -> str:
        return text

    said = await ctx.run_typed("say", action)
    await ctx.sleep(timedelta(seconds=1))
    return said


JOURNAL = [input_command(), run_command(1, "say"), run_completion(1, b'"x"'), sleep_command(2), sleep_completion(2)]
WHOLE = opening(JOURNAL)


def answer(
    *pieces: bytes, version: int = 7, definition: HandlerDefinition[Any, Any] | None = None
) -> pb.ErrorMessage | pb.EndMessage | pb.SuspensionMessage:
    """The final frame of an attempt that gets these bytes, and then the end of the request."""

    async def play() -> pb.ErrorMessage | pb.EndMessage | pb.SuspensionMessage:
        peer = Peer(definition or handler(run_and_sleep), version)
        for piece in pieces:
            await peer.converse(piece)
        await peer.converse(end=True)
        await peer.ended()
        final = peer.final
        assert isinstance(final, pb.ErrorMessage | pb.EndMessage | pb.SuspensionMessage)
        return final

    return asyncio.run(play())


@pytest.mark.parametrize(
    ("request_bytes", "text"),
    [
        pytest.param(b"", "ended before its first message", id="nothing"),
        pytest.param(start(0), "an empty journal", id="no entries"),
        pytest.param(start(3) + frame(input_command()), "2 entries of the journal are missing", id="too few entries"),
        pytest.param(frame(input_command()), "before the start message", id="no start"),
        pytest.param(start(1) + frame(sleep_command(1)), "does not begin with an input", id="no input"),
        pytest.param(start(1) + start(1), "type 0x0000 is not expected", id="two starts"),
        pytest.param(opening([input_command()]) + frame(sleep_command(1)), "type 0x040c", id="a command too many"),
        pytest.param(opening([input_command()]) + encode_frame(3, b""), "type 0x0003", id="an end"),
        pytest.param(opening([input_command()]) + encode_frame(0xFC00, b""), "type 0xfc00", id="a custom entry"),
        pytest.param(opening([input_command()]) + frame(ack(5)), "(5) that this attempt did not propose", id="an ack"),
        pytest.param(
            opening([input_command(), (MessageType.RUN_COMPLETION, b"\xff")]), "cannot be decoded", id="a notification"
        ),
        pytest.param(
            opening([input_command(), (MessageType.RUN_COMPLETION, b"")]), "cannot be decoded", id="no id, no result"
        ),
        pytest.param(start(1)[:-1] + b"\xff" + frame(input_command()), "START", id="a start that is none"),
        pytest.param(encode_frame(0, b"")[:4] + b"\xff\xff\xff\xff", "above the limit", id="a frame too large"),
    ],
)
def test_what_breaks_the_protocol_fails_the_attempt(request_bytes: bytes, text: str) -> None:
    final = answer(request_bytes)
    assert isinstance(final, pb.ErrorMessage), final
    assert final.code == 571
    assert text in final.message


def test_an_input_that_cannot_be_decoded() -> None:
    final = answer(opening([(MessageType.INPUT_COMMAND, b"\xff")]))
    assert isinstance(final, pb.ErrorMessage)
    assert final.code == 571


def test_a_recorded_command_that_cannot_be_decoded_does_not_fit() -> None:
    final = answer(opening([input_command(), (MessageType.RUN_COMMAND, b"\xff")]))
    assert isinstance(final, pb.ErrorMessage)
    assert final.code == 570
    assert "Run (damaged)" in final.message


def test_bytes_may_be_cut_anywhere() -> None:
    whole = answer(WHOLE)
    assert isinstance(whole, pb.EndMessage)
    assert answer(*[WHOLE[at : at + 1] for at in range(len(WHOLE))]) == whole


def test_a_request_that_ends_within_a_frame() -> None:
    for at in range(len(WHOLE)):
        final = answer(WHOLE[:at])
        assert isinstance(final, pb.ErrorMessage)
        assert final.code == 571


EVERYTHING: list[Operation] = [
    ("call", "X"),
    ("set", "a", 1),
    ("get", "b"),
    ("keys",),
    ("promise", "Y"),
    ("gather", [("sleep",), ("awakeable",), ("signal", "p"), ("broken run",)]),
    ("settle", "X", True),
    ("peek", "Y"),
    ("sent", "X"),
    ("select", [("attach", "Y"), ("run", 1)]),
    ("clear all",),
]
"""A handler with every kind of entry; one of its waits is cancelled."""


@functools.cache
def everything(version: int) -> tuple[HandlerDefinition[Any, Any], bytes]:
    """The handler, and a request with its whole journal."""
    definition = handler(make_function(restate, EVERYTHING), "workflow")

    async def play() -> bytes:
        # The choices that let signals succeed, and that lead to one cancel.
        server = server_for(EVERYTHING, version, lambda count: 1 % count)
        peer = Peer(definition, version)
        await server.conduct(peer)
        assert isinstance(peer.final, pb.EndMessage)
        return server.request(server.journal)

    return definition, asyncio.run(play())


@pytest.mark.parametrize("rich", [False, True])
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damage_never_makes_an_attempt_hang(rich: bool, data: st.DataObject) -> None:
    version = data.draw(st.sampled_from([5, 6, 7]))
    definition, whole = everything(version) if rich else (handler(run_and_sleep), WHOLE)
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "end"])):
            case "flip":
                damaged[at] ^= data.draw(st.integers(1, 255))
            case "cut":
                del damaged[at : at + data.draw(st.integers(1, 9))]
            case "insert":
                damaged[at:at] = data.draw(st.binary(min_size=1, max_size=9))
            case _:
                del damaged[at:]
        damaged = damaged or bytearray(b"\x00")
    final = answer(bytes(damaged), version=version, definition=definition)
    if isinstance(final, pb.ErrorMessage):
        assert final.code in (500, 570, 571, 573)
        assert final.message


def test_what_comes_after_the_end_is_ignored() -> None:
    async def play() -> None:
        peer = Peer(handler(run_and_sleep))
        await peer.converse(WHOLE)
        assert isinstance(peer.final, pb.EndMessage)
        assert await peer.converse(b"\xff" * 100, end=True) == []
        peer.attempt.disconnected()

    asyncio.run(play())


def test_a_server_that_is_gone_before_the_start() -> None:
    async def play() -> None:
        peer = Peer(handler(run_and_sleep))
        await peer.converse(WHOLE[:10])
        peer.attempt.disconnected()
        assert await peer.ended() == []

    asyncio.run(play())
