"""Any handler, cut anywhere: every prefix of its journal leads to the commands that follow in the whole one."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import perdure as restate
from perdure.protocol import messages_pb2 as pb
from perdure.protocol.framing import Frame
from perdure.protocol.messages import is_command, signal_notification
from support.programs import leaves, make_function, programs
from support.sdk_peer import Entry, Peer, handler, say
from support.sdk_server import Server


def prepared(program: list[Any], version: int, data: st.DataObject) -> Server:
    """A server that will send all signals that the program may wait for, and perhaps a cancel."""
    server = Server(
        version,
        lambda count: data.draw(st.integers(0, count - 1)),
        state={b"a": b"5"} if data.draw(st.booleans()) else {},
        partial=data.draw(st.booleans()),
    )
    awakeables = 17
    for operation in leaves(program):
        if operation[0] == "awakeable":
            server.will_signal(signal_notification(awakeables, value=b'"woken"'))
            awakeables += 1
        if operation[0] == "signal":
            server.will_signal(signal_notification(operation[1], value=b'"sent"'))
    if data.draw(st.booleans()):
        server.will_cancel()
    return server


def commands(entries: list[Entry] | list[Frame]) -> list[str]:
    found = []
    for entry in entries:
        if isinstance(entry, pb.InputCommandMessage):
            continue
        one = entry if isinstance(entry, Frame) else Frame(entry[0], 0, entry[1])  # type: ignore[index]
        if is_command(one.type):
            found.append(say(one))
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=programs, version=st.sampled_from([5, 6, 7]), data=st.data())
def test_every_prefix_of_a_journal_goes_on_as_the_whole_one_did(
    program: Any, version: int, data: st.DataObject
) -> None:
    definition = handler(make_function(restate, program), "exclusive")

    async def play() -> None:
        server = prepared(program, version, data)
        first = Peer(definition, version)
        await server.conduct(first)
        assert isinstance(first.final, pb.EndMessage), first.final
        whole = commands(server.journal)
        for length in range(1, len(server.journal) + 1):
            prefix = server.journal[:length]
            known = len(commands(prefix))
            peer = Peer(definition, version)
            await peer.converse(server.request(prefix), end=True)
            await peer.ended()
            assert not isinstance(peer.final, pb.ErrorMessage), peer.final
            issued = commands(peer.frames)
            assert whole[known : known + len(issued)] == issued

    asyncio.run(play())
