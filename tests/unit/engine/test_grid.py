"""Every record meets every status: it is answered, or changes nothing, and never raises."""

from collections.abc import Callable
from typing import Any

import pytest

from perdure import ids
from perdure.model import records
from perdure.model.actions import Accepted, AlreadyInvoked, Done, Finished, Refused, Reply
from perdure.model.invocation import BEFORE_ALL, AttemptFailure, HandlerKind, Success, Target
from perdure.model.records import Record
from perdure.model.registry import ServiceKind, ServiceSettings
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.messages import MessageType, encode_input
from support.datadriven import Directive
from support.driver import apply_checked
from support.engine_script import EngineScript
from support.entries import entry
from support.narration import START
from support.services import Declared, deployment
from support.stores import MemoryStore, Store

SCENES: dict[str, list[list[str]]] = {
    "scheduled": [["invoke x target=Cart/k/add delay=1000"]],
    "pending": [["invoke h target=Cart/k/add"], ["invoke x target=Cart/k/add"]],
    "running": [["invoke x target=Cart/k/add"]],
    "backing-off": [["invoke x target=Cart/k/add"], ["progress x", "run id=1", "error"]],
    "pausing": [["invoke x target=Cart/k/add"], ["pause x"]],
    "suspended": [["invoke x target=Cart/k/add"], ["progress x", "run id=1", "suspend signal:17"]],
    "paused": [["invoke x target=Cart/k/add"], ["progress x", "run id=1", "error behavior=pause"]],
    "cancelling": [
        ["invoke x target=Cart/k/add"],
        ["progress x", "call ids=1,5 target=Flow/w/run", "suspend 5"],
        ["cancel x"],
    ],
    "held, scheduled": [["invoke x target=Cart/k/add delay=1000"], ["pause x"]],
    "held, pending": [["invoke h target=Cart/k/add"], ["invoke x target=Cart/k/add"], ["pause x"]],
    "paused before its turn": [
        ["invoke h target=Cart/k/add"],
        ["invoke x target=Cart/k/add"],
        ["pause x"],
        ["kill h"],
    ],
    "completed": [["invoke x target=Cart/k/add"], ["progress x", "output value=1", "end"]],
    "killed": [["invoke x target=Cart/k/add"], ["kill x"]],
    "journal purged": [["invoke x target=Cart/k/add"], ["progress x", "output value=1", "end"], ["purge-journal x"]],
    "unknown": [["invoke x target=Cart/k/add"], ["progress x", "output value=1", "end"], ["purge x"]],
}

_UNSTARTED = ("scheduled", "pending", "held, scheduled", "held, pending", "paused before its turn")
_ROWS = [scene for scene in SCENES if scene != "unknown"]

OPERATIONS: dict[str, dict[str, str]] = {
    # http status that the admin API makes of the answer; `done` is 200, `soon` is 202
    "cancel": dict.fromkeys(_UNSTARTED, "done")
    | dict.fromkeys(("running", "backing-off", "pausing", "suspended", "cancelling", "paused"), "soon")
    | dict.fromkeys(("completed", "killed", "journal purged"), "409"),
    "kill": dict.fromkeys(_ROWS, "done") | dict.fromkeys(("completed", "killed", "journal purged"), "409"),
    "pause": dict.fromkeys(_ROWS, "soon")
    | dict.fromkeys(("paused", "paused before its turn"), "done")
    | dict.fromkeys(("completed", "killed", "journal purged"), "409"),
    "resume": dict.fromkeys(_ROWS, "done")
    | dict.fromkeys(("scheduled", "pending"), "425")
    | dict.fromkeys(("completed", "killed", "journal purged"), "409"),
    "resume latest": dict.fromkeys(("scheduled", "pending"), "425")
    | dict.fromkeys(("suspended", "cancelling", "paused", "paused before its turn"), "done")
    | dict.fromkeys(("held, scheduled", "held, pending"), "done")
    | dict.fromkeys(("running", "pausing", "backing-off"), "409")
    | dict.fromkeys(("completed", "killed", "journal purged"), "409"),
    "resume elsewhere": dict.fromkeys(("scheduled", "pending"), "425")
    | dict.fromkeys(("suspended", "cancelling", "paused", "paused before its turn"), "400")
    | dict.fromkeys(("held, scheduled", "held, pending", "running", "pausing", "backing-off"), "409")
    | dict.fromkeys(("completed", "killed", "journal purged"), "409"),
    "purge": dict.fromkeys(_ROWS, "409") | dict.fromkeys(("completed", "killed", "journal purged"), "done"),
    "purge journal": dict.fromkeys(_ROWS, "409") | dict.fromkeys(("completed", "killed", "journal purged"), "done"),
    "restart": dict.fromkeys(_ROWS, "409")
    | dict.fromkeys(("scheduled", "pending", "held, scheduled", "held, pending"), "425")
    | dict.fromkeys(("completed", "killed"), "done")
    | {"journal purged": "410"},
}
_NEW = ids.fresh_invocation_id("Cart", "k", b"n" * 16, 0)
_MAKE: dict[str, Callable[[str], Record]] = {
    "cancel": lambda id: records.Cancel(1, id=id),
    "kill": lambda id: records.Kill(1, id=id),
    "pause": lambda id: records.Pause(1, id=id),
    "resume": lambda id: records.Resume(1, id=id),
    "resume latest": lambda id: records.Resume(1, id=id, deployment="latest"),
    "resume elsewhere": lambda id: records.Resume(1, id=id, deployment="dp_nowhere"),
    "purge": lambda id: records.Purge(1, id=id),
    "purge journal": lambda id: records.PurgeJournal(1, id=id),
    "restart": lambda id: records.RestartAsNew(1, id=id, new_id=_NEW),
}


class Stage:
    """A partition in which `x` has the wanted status."""

    def __init__(self, store: Store, scene: str) -> None:
        self.store = store
        script = EngineScript(store)
        for lines in [["deploy dp_1", "object Cart add", "workflow Flow run"], *SCENES[scene]]:
            script.run(Directive(lines, 0))
        self.id = script.id_of("x")
        row = store.tx.invocation_by_id(self.id)
        self.number = row.number if row else 1
        self.position = row.position if row else BEFORE_ALL
        self.attempt = row.attempt if row else 1

    def apply(self, record: Record) -> list[Any]:
        self.store.begin()
        actions = apply_checked(self.store, record, START + 5)
        self.store.commit()
        return [action.answer for action in actions if isinstance(action, Reply)]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_answered_as_documented(operation: str, scene: str) -> None:
    stage = Stage(MemoryStore(), scene)
    [answer] = stage.apply(_MAKE[operation](stage.id))
    shown = str(answer.status) if isinstance(answer, Refused) else "soon" if answer == Done(immediate=False) else "done"
    assert shown == OPERATIONS[operation].get(scene, "404")


def _others(stage: Stage) -> dict[str, Record]:
    """One of every other record, aimed at `x`."""
    id, run = stage.id, entry(MessageType.RUN_COMMAND, wire.RunCommandMessage(result_completion_id=9))
    row = stage.store.tx.invocation_by_id(id)
    target = row.target if row else Target("Cart", "add", "k", ServiceKind.VIRTUAL_OBJECT, HandlerKind.EXCLUSIVE)

    def progress(attempt: int, number: int = stage.number, end: Any = None) -> Record:
        return records.AttemptProgress(
            number=number,
            attempt=attempt,
            deployment_id="dp_1",
            protocol_version=7,
            server="test",
            entries=[run],
            end=end,
            randomness=bytes(16),
        )

    def invoke(wait: bool) -> Record:
        return records.Invoke(1, id=id, target=target, input=encode_input([], b""), wait=wait, may_exist=True)

    failed = records.Failed(AttemptFailure(500, "RT0007", "boom"))
    return {
        "call": invoke(True),
        "send": invoke(False),
        "progress": progress(stage.attempt),
        "progress, failed": progress(stage.attempt, end=failed),
        "progress, ended": progress(stage.attempt, end=records.Ended()),
        "progress, stale": progress(stage.attempt - 1, end=records.Ended()),
        "progress, of the future": progress(stage.attempt + 1, end=failed),
        "progress, of nobody": progress(1, number=10**9, end=records.Ended()),
        **_from_outside(stage),
        **_messages(id, target),
    }


def _from_outside(stage: Stage) -> dict[str, Record]:
    id = stage.id
    mutation = records.StateMutation("Cart", "k", {"a": b"1"})
    return {
        "awakeable": records.CompleteSignal(1, id=id, signal_id=17, signal_name=None, outcome=Success(b"x")),
        "signal": records.CompleteSignal(1, id=id, signal_id=None, signal_name="go", outcome=None),
        "cancel signal": records.CompleteSignal(1, id=id, signal_id=1, signal_name=None, outcome=None),
        "promise": records.CompletePromise(1, service="Flow", key="w", name="p", outcome=Success(b"x")),
        "timers": records.TimersDue(1),
        "sweep": records.Sweep(1),
        "recover": records.Recover(1),
        "recover, further": records.Recover(1, after=stage.position),
        "modify state": records.ModifyState(1, mutation=mutation),
        "deployment": records.PutDeployment(
            1, deployment=deployment("dp_2", [Declared("Cart", ServiceKind.VIRTUAL_OBJECT, ["add"])])
        ),
        "no deployment": records.DeleteDeployment(1, id="dp_1"),
        "settings": records.PutServiceSettings(1, service="Cart", settings=ServiceSettings(public=False)),
    }


def _messages(id: str, target: Target) -> dict[str, Record]:
    def arrived(message: records.Message) -> Record:
        return records.MessageArrived(source=1, sequence=1, message=message)

    def call(completion_id: int | None) -> Record:
        message = records.CallMessage(id, target, b"", id, "Cart/k/add", id, completion_id, None, True, None)
        return arrived(message)

    return {
        "call message": call(1),
        "send message": call(None),
        "attach message": arrived(records.AttachMessage(id, id, 1, False)),
        "peek message": arrived(records.AttachMessage(id, id, 1, True)),
        "completion": arrived(
            records.CompletionMessage(
                id,
                MessageType.CALL_COMPLETION,
                5,
                False,
                wire.NotificationMessage(completion_id=5, value=wire.Value()).SerializeToString(),
            )
        ),
        "signal message": arrived(
            records.SignalMessage(
                id, None, "go", False, wire.NotificationMessage(signal_name="go", void=wire.Void()).SerializeToString()
            )
        ),
        "kill message": arrived(records.KillMessage(id)),
        "taken message": records.MessageArrived(source=0, sequence=0, message=records.KillMessage(id)),
        "foreign message": records.MessageArrived(source=3, sequence=1, message=records.KillMessage(id)),
    }


_WITHOUT_ANSWER = ("progress", "message", "completion", "timers")


@pytest.mark.parametrize("scene", SCENES)
def test_no_record_is_too_much(scene: str) -> None:
    for name in _others(Stage(MemoryStore(), scene)):
        stage = Stage(MemoryStore(), scene)
        answers = stage.apply(_others(stage)[name])
        if name == "call":
            # A call is answered now if it is over, or if it is a workflow; else when it completes.
            assert all(isinstance(answer, Finished | AlreadyInvoked) for answer in answers)
        elif name == "send":
            assert [type(answer) for answer in answers] == [Accepted]
        elif not any(word in name for word in _WITHOUT_ANSWER):
            assert len(answers) == 1, name
            assert not isinstance(answers[0], Refused), name
        else:
            assert not answers, name


@pytest.mark.parametrize("operation", _MAKE)
def test_an_id_that_nothing_has_is_answered(operation: str) -> None:
    stage = Stage(MemoryStore(), "running")
    nobody = ids.fresh_invocation_id("Cart", "other", bytes(16), 0)
    [answer] = stage.apply(_MAKE[operation](nobody))
    assert isinstance(answer, Refused)
    assert answer.status == 404


def test_a_signal_to_nobody_is_taken() -> None:
    stage = Stage(MemoryStore(), "running")
    nobody = ids.fresh_invocation_id("Cart", "other", bytes(16), 0)
    record = records.CompleteSignal(1, id=nobody, signal_id=17, signal_name=None, outcome=None)
    assert stage.apply(record) == [Done()]
