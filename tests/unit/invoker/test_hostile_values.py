"""Well-formed frames with values that nobody means: stored, cut to what can be kept, or refused; nothing breaks."""

import json
from collections.abc import Callable, Iterator

import msgspec
import pytest

from perdure.model.actions import Finished
from perdure.model.invocation import Failure, Invocation, Status
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.framing import ACK_FLAG
from perdure.protocol.futures import MAX_SIZE
from perdure.protocol.messages import MessageType
from support.attempt_harness import MANIFEST, MESSAGE_LIMIT, NOW, TARGETS, Harness, frame, output

U32 = 2**32 - 1
U64 = 2**64 - 1
LONG = "x" * (MESSAGE_LIMIT - 100)
NULS = "a\0b\0"
A_STRANGER = "inv_1eg4mNRIidCH1Z67Ro5I7L8l5upAeVDped"
FAILURE = wire.Failure(code=U32, message=NULS, metadata=[wire.FailureMetadata(key=NULS, value=LONG[:9999])])


def call(**fields: object) -> tuple[int, object]:
    return MessageType.CALL_COMMAND, wire.CallCommandMessage(**fields)  # type: ignore[arg-type]


def one_way(**fields: object) -> tuple[int, object]:
    return MessageType.ONE_WAY_CALL_COMMAND, wire.OneWayCallCommandMessage(**fields)  # type: ignore[arg-type]


CASES: dict[str, tuple[str, tuple[int, object], str | None]] = {
    # name: (kind of invocation, the command, the RT code if it is refused)
    "sleep for ever": ("plain", (0x040C, wire.SleepCommandMessage(wake_up_time=U64, result_completion_id=U32)), None),
    "sleep since 1970": ("plain", (0x040C, wire.SleepCommandMessage()), None),
    "send at the end of time": (
        "plain",
        one_way(service_name="Plain", handler_name="run", invoke_time=U64, invocation_id_notification_idx=U32),
        None,
    ),
    "call nobody": ("plain", call(), "RT0018"),
    "call somebody with a zero in the name": ("plain", call(service_name=NULS, handler_name=NULS), "RT0018"),
    "call a very long name": ("plain", call(service_name=LONG), "RT0018"),
    "call with a long key": ("plain", call(service_name="Object", handler_name="run", key=LONG), None),
    "call with zeros in the key": ("plain", call(service_name="Object", handler_name="run", key=NULS), None),
    "call with a long idempotency key": (
        "plain",
        call(service_name="Plain", handler_name="run", idempotency_key=LONG[:-99]),
        None,
    ),
    "call with an empty idempotency key": (
        "plain",
        call(service_name="Plain", handler_name="run", idempotency_key=""),
        "RT0017",
    ),
    "call with 10000 headers": (
        "plain",
        call(service_name="Plain", handler_name="run", headers=[wire.Header(key=NULS, value="")] * 10_000),
        None,
    ),
    "attach to nothing": ("plain", (0x0412, wire.AttachInvocationCommandMessage()), "RT0017"),
    "attach to a very long id": ("plain", (0x0412, wire.AttachInvocationCommandMessage(invocation_id=LONG)), "RT0017"),
    "attach to a long id that starts well": (
        "plain",
        (0x0412, wire.AttachInvocationCommandMessage(invocation_id="inv_1" + "z" * 9999)),
        "RT0017",
    ),
    "attach to an id out of range": (
        "plain",
        (0x0412, wire.AttachInvocationCommandMessage(invocation_id="inv_1" + "z" * 33)),
        "RT0017",
    ),
    "attach to an empty workflow": (
        "plain",
        (0x0412, wire.AttachInvocationCommandMessage(workflow_target=wire.WorkflowTarget())),
        None,
    ),
    "peek at an empty request": (
        "plain",
        (0x0413, wire.GetInvocationOutputCommandMessage(idempotent_request_target=wire.IdempotentRequestTarget())),
        None,
    ),
    "signal a stranger": (
        "plain",
        (0x0410, wire.SendSignalCommandMessage(target_invocation_id=A_STRANGER, idx=U32, failure=FAILURE)),
        None,
    ),
    "a signal without name, number and result": (
        "plain",
        (0x0410, wire.SendSignalCommandMessage(target_invocation_id=A_STRANGER)),
        None,
    ),
    "a signal with zeros in its name": (
        "plain",
        (0x0410, wire.SendSignalCommandMessage(target_invocation_id=A_STRANGER, name=NULS)),
        None,
    ),
    "an awakeable that is none": ("plain", (0x0414, wire.CompleteAwakeableCommandMessage(awakeable_id=NULS)), "RT0012"),
    "a very long awakeable": ("plain", (0x0414, wire.CompleteAwakeableCommandMessage(awakeable_id=LONG)), "RT0012"),
    "an awakeable not in ASCII": (
        "plain",
        (0x0414, wire.CompleteAwakeableCommandMessage(awakeable_id="sign_1" + "é" * 38)),
        "RT0012",
    ),
    "state under a name that is no text": (
        "exclusive",
        (0x0403, wire.SetStateCommandMessage(key=b"\xff\x00\xfe", value=wire.Value(content=b"\0"))),
        None,
    ),
    "state under no name": ("exclusive", (0x0403, wire.SetStateCommandMessage()), None),
    "state as large as a message may be": (
        "exclusive",
        (0x0403, wire.SetStateCommandMessage(key=b"k", value=wire.Value(content=LONG.encode()))),
        None,
    ),
    "state of what has none": ("plain", (0x0403, wire.SetStateCommandMessage(key=b"k")), "RT0017"),
    "state written by who may only read": ("shared", (0x0403, wire.SetStateCommandMessage(key=b"k")), "RT0017"),
    "a promise of what has none": ("exclusive", (0x0409, wire.GetPromiseCommandMessage(key="k")), "RT0017"),
    "a promise with zeros in its name": (
        "workflow",
        (0x0409, wire.GetPromiseCommandMessage(key=NULS, result_completion_id=U32)),
        None,
    ),
    "a promise kept with nothing": ("workflow", (0x040B, wire.CompletePromiseCommandMessage(key="")), None),
    "a promise broken with any code": (
        "workflow",
        (0x040B, wire.CompletePromiseCommandMessage(key=NULS, completion_failure=FAILURE)),
        None,
    ),
    "an output without a result": ("plain", (0x0401, wire.OutputCommandMessage()), None),
    "a run with a long name": ("plain", (0x0411, wire.RunCommandMessage(name=LONG, result_completion_id=0)), None),
}


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("hostile")) as harness:
        yield harness


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("times", [1, 2], ids=["once", "twice"])
def test_a_hostile_command(harness: Harness, name: str, times: int) -> None:
    """Stored as it came, or refused with its code and not stored. Twice: completion ids repeat, too."""
    kind, (message_type, message), refused = CASES[name]

    async def scene() -> None:
        bystander = await harness.send()
        invocation_id, stream = await harness.send(kind)
        stream.head()
        stream.say(frame(message_type, message, ACK_FLAG) * times)
        invocation, entries = await harness.look(invocation_id)
        assert invocation is not None
        stored = [entry for entry in entries if entry.type == message_type]
        if refused is None:
            assert invocation.last_failure is None
            assert [entry.raw for entry in stored] == [message.SerializeToString()] * times  # type: ignore[attr-defined]
        else:
            assert not stored
            assert (await harness.failure(invocation_id)).rt_code == refused
        await harness.prove_alive(bystander)
        if refused is None and name != "an output without a result":
            await harness.prove_alive((invocation_id, stream))
        await harness.remove(invocation_id)
        await harness.prove_alive()

    harness.run(scene())
    harness.check()


ERRORS: dict[str, tuple[wire.ErrorMessage, Callable[[Invocation], bool]]] = {
    "a delay without end": (
        wire.ErrorMessage(next_retry_delay=U64),
        lambda i: i.next_retry_at is not None and NOW < i.next_retry_at < 2**63,
    ),
    "no delay at all": (wire.ErrorMessage(next_retry_delay=0), lambda i: i.next_retry_at is None and i.attempt == 2),
    "a behaviour nobody knows": (wire.ErrorMessage(behavior=77), lambda i: i.next_retry_at is not None),  # type: ignore[arg-type]
    "a negative behaviour": (wire.ErrorMessage(behavior=-1), lambda i: i.next_retry_at is not None),  # type: ignore[arg-type]
    "pause": (wire.ErrorMessage(behavior=wire.PAUSE), lambda i: i.status is Status.PAUSED),
    "a command nobody issued": (
        wire.ErrorMessage(related_command_index=U32, related_command_type=U32, related_command_name=NULS),
        lambda i: i.next_retry_at is not None,
    ),
    "a long story": (wire.ErrorMessage(message=LONG), lambda i: i.next_retry_at is not None),
}


@pytest.mark.parametrize("name", ERRORS)
def test_a_hostile_error(harness: Harness, name: str) -> None:
    message, expected = ERRORS[name]

    async def scene() -> None:
        invocation_id, stream = await harness.send()
        stream.head()
        stream.say(frame(MessageType.ERROR, message))
        invocation, _ = await harness.look(invocation_id)
        assert invocation is not None
        assert expected(invocation), invocation
        await harness.remove(invocation_id)
        await harness.prove_alive()

    harness.run(scene())
    harness.check()


@pytest.mark.parametrize("code", [0, 1, 99, 200, 999, 1000, U32])
def test_an_invocation_fails_with_any_code(harness: Harness, code: int) -> None:
    async def scene() -> None:
        invocation_id, stream = await harness.send()
        stream.head()
        stream.say(frame(MessageType.ERROR, wire.ErrorMessage(code=code, message=NULS, behavior=wire.FAIL)))
        finished = await harness.partition.attach(invocation_id)
        assert isinstance(finished, Finished)
        assert isinstance(finished.outcome, Failure)
        assert (finished.outcome.code, finished.outcome.message) == (code, NULS)

    harness.run(scene())
    harness.check()


def test_ten_thousand_commands_in_one_piece(harness: Harness) -> None:
    commands = b"".join(
        frame(MessageType.SET_STATE_COMMAND, wire.SetStateCommandMessage(key=b"%d" % n)) for n in range(10_000)
    )

    async def scene() -> None:
        bystander = await harness.send()
        invocation_id, stream = await harness.send("exclusive")
        stream.head()
        stream.say(commands)
        await harness.prove_alive(bystander)
        invocation, _ = await harness.look(invocation_id)
        assert invocation is not None
        assert invocation.journal_size == 10_001
        await harness.prove_alive((invocation_id, stream))

    harness.run(scene())
    harness.check()


def test_the_first_answer_to_a_completion_id_counts(harness: Harness) -> None:
    """A result that is proposed twice must not change what a replay sees first."""

    def proposal(value: bytes) -> bytes:
        message = wire.ProposeRunCompletionMessage(result_completion_id=1, value=value)
        return frame(MessageType.PROPOSE_RUN_COMPLETION, message)

    async def scene() -> None:
        invocation_id, stream = await harness.send()
        stream.head()
        stream.say(frame(MessageType.RUN_COMMAND, wire.RunCommandMessage(result_completion_id=1)))
        stream.say(proposal(b"first") + proposal(b"second"))
        _, entries = await harness.look(invocation_id)
        answers = [wire.NotificationMessage.FromString(e.raw) for e in entries if e.type == MessageType.RUN_COMPLETION]
        assert answers[0].value.content == b"first"
        await harness.remove(invocation_id)

    harness.run(scene())
    harness.check()


def test_a_wide_tree_of_results(harness: Harness) -> None:
    """As many leaves as a message can name; the loop may not stand still for long over it."""

    def suspension(leaves: int) -> bytes:
        future = wire.Future(waiting_completions=[1] * leaves)
        return frame(MessageType.SUSPENSION, wire.SuspensionMessage(awaiting_on=future))

    async def scene() -> None:
        invocation_id, stream = await harness.send()
        stream.head()
        stream.say(suspension(MAX_SIZE + 1))
        assert (await harness.failure(invocation_id)).rt_code == "RT0003"
        await harness.remove(invocation_id)
        invocation_id, stream = await harness.send()
        stream.head()
        stream.say(suspension(MAX_SIZE - 99))
        invocation, _ = await harness.look(invocation_id)
        assert invocation is not None
        assert invocation.status is Status.SUSPENDED
        await harness.remove(invocation_id)
        await harness.prove_alive()

    harness.run(scene())
    harness.check()


EXTREME_OPTIONS = {
    "a steep back-off": {"retryPolicyExponentiationFactor": 1e300, "retryPolicyMaxInterval": 2**63 - 1},
    "a back-off for ever": {"retryPolicyInitialInterval": 2**63 - 1, "retryPolicyMaxInterval": 2**63 - 1},
    "no back-off": {"retryPolicyInitialInterval": 0, "retryPolicyExponentiationFactor": 0.0},
    "kept for ever": {"journalRetention": 2**63 - 1, "idempotencyRetention": 2**63 - 1},
    "patient for ever": {"inactivityTimeout": 2**63 - 1, "abortTimeout": 2**63 - 1},
}


@pytest.mark.parametrize("name", EXTREME_OPTIONS)
def test_a_hostile_manifest(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Options at the edge of what is registered: attempts fail, are retried and complete under them."""
    manifest = json.loads(json.dumps(MANIFEST))
    for service in manifest["services"]:
        service.update(EXTREME_OPTIONS[name])
        if service["ty"] == "WORKFLOW" and "kept" in name:
            service["handlers"][0]["workflowCompletionRetention"] = 2**63 - 1

    async def scene(harness: Harness) -> None:
        for kind in TARGETS:
            invocation_id, stream = await harness.send(kind)
            for attempt in range(1, 5):
                stream.head()
                stream.say(frame(MessageType.ERROR, wire.ErrorMessage(code=500, message=str(attempt))))
                invocation, _ = await harness.look(invocation_id)
                assert invocation is not None
                assert invocation.status is Status.INVOKED
                if invocation.next_retry_at is not None:
                    await harness.resume(invocation_id)
                stream = await harness.transport.of(invocation_id).get()
            await harness.prove_alive((invocation_id, stream))

    with Harness(tmp_path_factory.mktemp("extreme"), manifest) as harness:
        harness.run(scene(harness))
        harness.check()


def test_what_is_kept_of_a_failure_is_bounded(harness: Harness) -> None:
    """A handler that fails again and again, each time with another long story, must not fill the disk."""
    stories = [wire.ErrorMessage(message=f"{n}{LONG[:-99]}", next_retry_delay=0) for n in range(5)]

    async def scene() -> None:
        invocation_id, stream = await harness.send()
        for story in stories:
            stream.head()
            stream.say(frame(MessageType.ERROR, story))
            await harness.settle()
            stream = await harness.transport.of(invocation_id).get()
        invocation, _ = await harness.look(invocation_id)
        assert invocation is not None
        number = invocation.number
        event = await harness.partition.read(lambda tx: tx.last_event(number))
        assert event is not None
        assert len(event.body) < 128 * 1024
        assert msgspec.json.decode(event.body)["message"].startswith("4x")
        await harness.remove(invocation_id)

    harness.run(scene())
    harness.check()


def test_output_of_nothing_is_an_end(harness: Harness) -> None:
    async def scene() -> None:
        invocation_id, stream = await harness.send()
        await harness.prove_alive((invocation_id, stream))
        stream.say(output(b"more"))
        _, entries = await harness.look(invocation_id)
        assert len(entries) == 2

    harness.run(scene())
    harness.check()
