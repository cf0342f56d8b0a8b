"""Whatever a handler's process says, however damaged: its attempt fails with the right code, everybody else goes on."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perdure.invoker.attempt import AttemptMachine
from perdure.model.invocation import Invocation, JournalEntry, Status
from perdure.model.records import Failed
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.framing import FrameDecoder, encode_frame
from perdure.protocol.messages import MESSAGE_CLASSES, MessageType, is_command, is_notification
from support.attempt_harness import MESSAGE_LIMIT, TARGETS, Harness, frame, output, pieces

VECTORS = Path(__file__).parents[2] / "data" / "protocol-vectors.json"

CODES = {"RT0003", "RT0006", "RT0007", "RT0012", "RT0016", "RT0017", "RT0018", "RT0024", "RT0025"}
"""Why an attempt may fail whose endpoint answers with status 200."""

FAST = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@cache
def recorded() -> list[bytes]:
    """What official SDKs said: whole bodies, each once."""
    bodies = json.loads(VECTORS.read_text())["vectors"]
    return sorted({bytes.fromhex(body["hex"]) for body in bodies if body["direction"] == "sdk_to_server"})


@cache
def recorded_frames() -> list[bytes]:
    frames = set()
    for body in recorded():
        frames |= {encode_frame(f.type, f.payload, f.flags) for f in FrameDecoder(2**25).feed(body)}
    return sorted(frames)


@st.composite
def damaged_bodies(draw: st.DrawFn) -> bytes:
    """A recorded body with bits flipped, pieces lost, doubled or moved."""
    body = bytearray(draw(st.sampled_from(recorded())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        size = draw(st.integers(1, 16))
        match draw(st.sampled_from(["flip", "cut", "drop", "double", "insert"])):
            case "flip" if body:
                body[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del body[at:]
            case "drop":
                del body[at : at + size]
            case "double":
                body[at:at] = body[at : at + size]
            case _:
                body[at:at] = draw(st.binary(max_size=12))
    return bytes(body)


WIRE_FIELDS = st.builds(
    lambda number, kind, data: bytes([number << 3 | kind]) + data,
    st.integers(1, 15),
    st.sampled_from([0, 2]),
    st.binary(max_size=6),
)
RANDOM_FRAMES = st.builds(
    encode_frame,
    st.one_of(st.sampled_from(sorted(MESSAGE_CLASSES)), st.integers(0, 0xFFFF)),
    st.one_of(st.binary(max_size=40), st.lists(WIRE_FIELDS, max_size=5).map(b"".join)),
    st.sampled_from([0, 0x8000, 0xFFFF]),
)
SHUFFLED_FRAMES = st.lists(
    st.one_of(st.deferred(lambda: st.sampled_from(recorded_frames())), RANDOM_FRAMES), max_size=12
)
BODIES = st.one_of(damaged_bodies(), SHUFFLED_FRAMES.map(b"".join), st.binary(max_size=200))
CUTS = st.lists(st.integers(0, 2**16), max_size=6)


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("hostile")) as harness:
        yield harness


@settings(FAST, max_examples=400)
@given(body=BODIES, cuts=CUTS, version=st.integers(5, 7))
def test_the_machine_reads_anything(body: bytes, cuts: list[int], version: int) -> None:
    machine = AttemptMachine(version, 4096)
    ends = []
    for piece in pieces(body, cuts):
        heard = machine.data_received(piece)
        ends += [heard.end] if heard.end is not None else []
        assert all(
            is_command(entry.type) or entry.type == MessageType.PROPOSE_RUN_COMPLETION for entry in heard.entries
        )
    last = machine.end_received()
    ends += [last] if last is not None else []
    assert len(ends) == 1, "every attempt ends, and ends once"
    assert not machine.data_received(body).entries, "after the end nothing is heard"


@settings(FAST)
@given(body=BODIES, cuts=CUTS, version=st.integers(5, 7))
def test_however_it_arrives_the_same_is_heard(body: bytes, cuts: list[int], version: int) -> None:
    def hear(parts: list[bytes]) -> tuple[list[tuple[int, int, bytes]], list[object]]:
        machine = AttemptMachine(version, 4096)
        entries, ends = [], []
        for part in parts:
            heard = machine.data_received(part)
            entries += [(entry.type, entry.flags, entry.raw) for entry in heard.entries]
            ends.append(heard.end)
        ends.append(machine.end_received())
        return entries, [end for end in ends if end is not None]

    assert hear(pieces(body, cuts)) == hear([body] if body else [])


@FAST
@given(body=BODIES, cuts=CUTS, kind=st.sampled_from(sorted(TARGETS)), version=st.integers(5, 7))
@example(body=frame(MessageType.END, wire.EndMessage()), cuts=[], kind="plain", version=7)
def test_a_broken_peer_fails_alone(harness: Harness, body: bytes, cuts: list[int], kind: str, version: int) -> None:
    async def scene() -> None:
        bystander = await harness.send()
        invocation_id, stream = await harness.send(kind, version=version)
        stream.head()
        for piece in pieces(body, cuts):
            stream.say(piece)
        stream.end()
        await harness.prove_alive(bystander)
        invocation, entries = await harness.look(invocation_id)
        assert invocation is not None
        assert_sound(invocation, entries, body)
        if invocation.status is Status.INVOKED and invocation.next_retry_at is not None:
            assert (await harness.failure(invocation_id)).rt_code in CODES
        else:
            assert invocation.status is not Status.INVOKED or not harness.transport.of(invocation_id).empty()
        await harness.remove(invocation_id)
        await harness.prove_alive()

    harness.run(scene())
    harness.check()


def assert_sound(invocation: Invocation, entries: list[JournalEntry], body: bytes) -> None:
    """The journal holds the commands of the body's beginning, in order, and answers of the server's own making."""
    assert [entry.index for entry in entries] == list(range(len(entries)))
    assert invocation.journal_size == len(entries)
    commands = [entry for entry in entries if not is_notification(entry.type)]
    assert len(commands) == invocation.command_count
    said = []
    decoder = FrameDecoder(MESSAGE_LIMIT)
    try:
        said = [(f.type, f.payload) for f in decoder.feed(body) if is_command(f.type)]
    except Exception:
        # Too large from the first frame on: nothing of it counts.
        said = []
    stored = [(entry.type, entry.raw) for entry in commands[1:]]
    assert stored == said[: len(stored)]


VIOLATIONS = {
    "an end without an output": (frame(MessageType.END, wire.EndMessage()), "RT0012", 571),
    "a type nobody knows": (encode_frame(0x0415, b""), "RT0012", 571),
    "a type of its own": (encode_frame(0xFC01, b""), "RT0012", 571),
    "a start": (encode_frame(MessageType.START, b""), "RT0012", 571),
    "an input": (encode_frame(MessageType.INPUT_COMMAND, b""), "RT0012", 571),
    "a completion": (encode_frame(MessageType.SLEEP_COMPLETION, b"\x08\x01"), "RT0012", 571),
    "a command that is no protobuf": (encode_frame(MessageType.RUN_COMMAND, b"\xff"), "RT0012", 571),
    "a name that is no UTF-8": (encode_frame(MessageType.RUN_COMMAND, b"\x62\x02\xff\xfe"), "RT0012", 571),
    "a run without a result": (encode_frame(MessageType.PROPOSE_RUN_COMPLETION, b"\x58\x01"), "RT0012", 571),
    "a suspension for nothing": (encode_frame(MessageType.SUSPENSION, b""), "RT0012", 571),
    "a cut-off frame": (output(b"x")[:-1], "RT0012", 571),
    "a silent end": (b"", "RT0006", 500),
    "a frame above the limit": (encode_frame(MessageType.OUTPUT_COMMAND, b"")[:4] + b"\xff\xff\xff\xff", "RT0003", 571),
    "a tree too deep": (
        encode_frame(MessageType.SUSPENSION, b""),  # made in the test: its length fields nest
        "RT0025",
        500,
    ),
    "a journal that does not fit": (frame(MessageType.ERROR, wire.ErrorMessage(code=570)), "RT0016", 570),
    "a violation by the server": (frame(MessageType.ERROR, wire.ErrorMessage(code=571)), "RT0012", 571),
    "an error with code 0": (frame(MessageType.ERROR, wire.ErrorMessage(code=0)), "RT0007", 0),
    "an error with the highest code": (
        frame(MessageType.ERROR, wire.ErrorMessage(code=2**32 - 1)),
        "RT0007",
        2**32 - 1,
    ),
}


def deep_tree(depth: int) -> bytes:
    future = b"\x0a\x01\x01"
    for _ in range(depth):
        future = b"\x22" + varint(len(future)) + future
    return encode_frame(MessageType.SUSPENSION, b"\x22" + varint(len(future)) + future)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_has_its_code_and_leaves_no_trace(harness: Harness, name: str) -> None:
    body, rt_code, code = VIOLATIONS[name]
    if rt_code == "RT0025":
        body = deep_tree(1500)
    sound = frame(MessageType.RUN_COMMAND, wire.RunCommandMessage(result_completion_id=1, name="before"))

    async def scene() -> None:
        bystander = await harness.send()
        invocation_id, stream = await harness.send()
        stream.head()
        stream.say(sound + body)
        stream.end()
        failure = await harness.failure(invocation_id)
        assert (failure.rt_code, failure.code) == (rt_code, code)
        assert failure.message or failure.rt_code in ("RT0007", "RT0016", "RT0012")
        invocation, entries = await harness.look(invocation_id)
        assert [entry.type for entry in entries] == [MessageType.INPUT_COMMAND, MessageType.RUN_COMMAND]
        assert invocation is not None
        expected = Status.PAUSED if rt_code == "RT0025" else Status.INVOKED
        assert invocation.status is expected
        await harness.prove_alive(bystander)
        await harness.remove(invocation_id)

    harness.run(scene())
    harness.check()


BAD_HEADS = {
    "no content type": (200, {}, "RT0012"),
    "another version": (200, {"content-type": "application/vnd.restate.invocation.v1"}, "RT0012"),
    "not known": (404, {}, "RT0012"),
    "too large": (413, {}, "RT0019"),
    "refused": (415, {}, "RT0015"),
    "slow down": (429, {"retry-after": "9" * 30}, "RT0023"),
    "a delay of five thousand digits": (503, {"retry-after": "9" * 5000}, "RT0023"),
    "a delay in other digits": (503, {"retry-after": "²"}, "RT0023"),
    "a date long ago": (503, {"retry-after": "Mon, 01 Jan 0001 00:00:00 -0000"}, "RT0023"),
    "a date far ahead": (503, {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, "RT0023"),
    "a date that is none": (503, {"retry-after": "Mon, 99 Foo 2026 99:99:99 +9999"}, "RT0023"),
    "a bad gateway": (502, {}, "RT0010"),
    "something else": (299, {}, "RT0012"),
}


@pytest.mark.parametrize("name", BAD_HEADS)
def test_a_bad_head_has_its_code(harness: Harness, name: str) -> None:
    status, headers, rt_code = BAD_HEADS[name]

    async def scene() -> None:
        invocation_id, stream = await harness.send()
        stream.head(status, headers)
        stream.say(output(b"ignored"))
        stream.end()
        assert (await harness.failure(invocation_id)).rt_code == rt_code
        invocation, _ = await harness.look(invocation_id)
        assert invocation is not None
        assert invocation.next_retry_at is not None
        await harness.remove(invocation_id)
        await harness.prove_alive()

    harness.run(scene())
    harness.check()


@settings(FAST, max_examples=200)
@given(value=st.text(max_size=40) | st.from_regex(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]?\w{0,4}"))
def test_any_retry_after_is_read(value: str) -> None:
    machine = AttemptMachine(7, 4096)
    failure = machine.head_received(503, {"retry-after": value}, 1_795_170_000_625)
    assert isinstance(failure, Failed)
    assert failure.retry_after is None or failure.retry_after >= 0
