"""No record does more than so much at once; what is left over is taken by the next, and the asker is told."""

from pathlib import Path

import msgspec
import pytest

from perdure.engine.cancelling import CALLEES_NAMED
from perdure.engine.lifecycle.attempt import EVENTS_KEPT
from perdure.engine.lifecycle.purge import SWEEP_PER_TURN
from perdure.engine.lifecycle.recover import INVOCATIONS_PER_TURN
from perdure.engine.lifecycle.timers import TIMERS_PER_TURN
from perdure.engine.load import load_attempt
from perdure.engine.machine import apply
from perdure.engine.tx import Tx
from perdure.model import records
from perdure.model.actions import ArmTimer, Deliver, Reply, StartAttempt
from perdure.model.invocation import AttemptFailure, CancelGraceOver, HandlerKind, Position, ServiceKind, Target
from perdure.model.records import Record
from perdure.protocol.messages import encode_input
from perdure.storage.memory import MemoryTx
from support.datadriven import Words
from support.entries import parse_entry
from support.narration import START
from support.services import DAY, Declared, build_registry, deployment
from support.stores import FileStore, MemoryStore, Store


def crowd(count: int, *, delay: int | None = None) -> MemoryTx:
    """A partition with so many invocations, all alike."""
    tx = MemoryTx(build_registry)
    fill(tx, count, delay=delay)
    return tx


def fill(tx: Tx, count: int, *, delay: int | None = None) -> None:
    agent = Declared("Agent", ServiceKind.SERVICE, ["run"])
    apply(records.PutDeployment(deployment=deployment("dp_1", [agent])), tx, START)
    target = Target("Agent", "run", None, ServiceKind.SERVICE, HandlerKind.SERVICE)
    for index in range(count):
        record = records.Invoke(
            id=f"inv_{index}",
            target=target,
            input=encode_input([], b""),
            wait=False,
            execution_time=START + delay if delay else None,
        )
        apply(record, tx, START)


def started(tx: MemoryTx, record: Record, now: int) -> int:
    return sum(isinstance(action, StartAttempt) for action in apply(record, tx, now))


def test_a_crowd_of_timers_is_taken_in_parts() -> None:
    tx = crowd(TIMERS_PER_TURN + 10, delay=1000)
    actions = apply(records.TimersDue(), tx, START + 2000)
    assert sum(isinstance(action, StartAttempt) for action in actions) == TIMERS_PER_TURN
    # Due already, so it is looked at again at once.
    assert actions[-1] == ArmTimer(START + 1000)
    assert started(tx, records.TimersDue(), START + 2000) == 10
    assert apply(records.TimersDue(), tx, START + 2000) == []


def test_a_crowd_is_recovered_in_parts() -> None:
    tx = crowd(INVOCATIONS_PER_TURN + 10)
    actions = apply(records.Recover(1), tx, START)
    assert sum(isinstance(action, StartAttempt) for action in actions) == INVOCATIONS_PER_TURN
    last = Position(START, INVOCATIONS_PER_TURN)
    assert actions[-1] == Reply(1, last)
    actions = apply(records.Recover(1, after=last), tx, START)
    assert sum(isinstance(action, StartAttempt) for action in actions) == 10
    assert actions[-1] == Reply(1, None)


def test_a_crowd_of_expired_ones_is_swept_in_parts() -> None:
    tx = crowd(SWEEP_PER_TURN + 10)
    for index in range(SWEEP_PER_TURN + 10):
        apply(records.Kill(id=f"inv_{index}"), tx, START)
    assert apply(records.Sweep(1), tx, START + DAY) == [Reply(1, SWEEP_PER_TURN)]
    assert apply(records.Sweep(1), tx, START + DAY) == [Reply(1, 10)]
    assert not tx.invocations


def test_an_attempt_that_was_overtaken_is_not_loaded() -> None:
    tx = crowd(1)
    apply(records.Recover(), tx, START)
    assert load_attempt(tx, 1, 1, START, 1000, 7) is None
    assert load_attempt(tx, 2, 1, START, 1000, 7) is None
    apply(records.Kill(id="inv_0"), tx, START)
    assert load_attempt(tx, 1, 2, START, 1000, 7) is None


def test_of_a_crowd_of_callees_that_a_cancel_has_waited_for_some_are_named() -> None:
    tx = crowd(1)
    calls = [
        parse_entry(Words(f"call ids={2 * index},{2 * index + 1} target=Agent/run"), START, str)
        for index in range(1, CALLEES_NAMED + 3)
    ]
    progress = records.AttemptProgress(
        number=1,
        attempt=1,
        deployment_id="dp_1",
        protocol_version=7,
        server=None,
        entries=calls,
        end=None,
        randomness=bytes(16),
    )
    for record in (progress, records.Cancel(id="inv_0")):
        for action in apply(record, tx, START):
            if isinstance(action, Deliver):
                message = records.MessageArrived(source=0, sequence=action.sequence, message=action.message)
                apply(message, tx, START)
    apply(records.TimersDue(), tx, START + 10_000)
    event = msgspec.json.decode(tx.events[1][-1].body, type=CancelGraceOver)
    assert (len(event.callees), event.more) == (CALLEES_NAMED, 2)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_of_endless_failures_the_newest_are_kept(tmp_path: Path, kind: str) -> None:
    store: Store = MemoryStore() if kind == "memory" else FileStore(tmp_path)
    store.begin()
    fill(store.tx, 2)
    for number in (1, 2):
        for attempt in range(1, EVENTS_KEPT + 51 if number == 1 else 3):
            failure = AttemptFailure(500, "RT0007", f"failure {attempt}")
            record = records.AttemptProgress(
                number=number,
                attempt=attempt,
                deployment_id="dp_1",
                protocol_version=7,
                server=None,
                entries=[],
                end=records.Failed(failure, retry_after=0),
                randomness=bytes(16),
            )
            apply(record, store.tx, START)
    store.commit()
    events = store.tables().events
    assert len(events[1]) == EVENTS_KEPT
    assert b"failure 51" in events[1][0].body
    assert f"failure {EVENTS_KEPT + 50}".encode() in events[1][-1].body
    assert len(events[2]) == 2
    store.close()
