"""What is true between any two records, whatever happened. For tests and simulation: it reads every table."""

from collections import Counter

import msgspec

from perdure.engine.calls import open_calls
from perdure.engine.journal import resolves_with
from perdure.engine.tables import Tables
from perdure.engine.tx import Notified
from perdure.model.invocation import HandlerKind, Invocation, JournalEntry, ServiceKind, Status
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.futures import AwaitTree
from perdure.protocol.messages import CANCEL_SIGNAL, MessageType, is_command, is_notification

_NOT_STARTED = (Status.SCHEDULED, Status.INBOXED)
_tree_decoder = msgspec.json.Decoder(AwaitTree)


def check(tables: Tables, *, between_batches: bool = True) -> None:
    """Raises AssertionError that names what is broken.

    between_batches: nothing is under way to this partition itself, as after every committed batch.
    """
    ids = {invocation.id for invocation in tables.invocations.values()}
    assert len(ids) == len(tables.invocations), "two rows have one invocation id"
    for number, invocation in tables.invocations.items():
        assert number == invocation.number
        _check_target(invocation)
        _check_status(tables, invocation)
        _check_journal(invocation, tables.journals.get(number, []))
    for table in (tables.journals, tables.events, tables.awaiters, tables.cancelled_calls, tables.held):
        orphans = table.keys() - tables.invocations.keys()
        assert not orphans, f"rows of invocations that are gone: {orphans}"
    _check_keys(tables)
    _check_waiting(tables)
    _check_cancels(tables)
    _check_sequences(tables)
    if between_batches:
        assert not tables.outbox, f"undelivered messages: {tables.outbox}"


def _check_target(invocation: Invocation) -> None:
    name = invocation.id
    assert (invocation.key is None) == (invocation.service_kind is ServiceKind.SERVICE), f"{name}: key"
    allowed = {
        ServiceKind.SERVICE: (HandlerKind.SERVICE,),
        ServiceKind.VIRTUAL_OBJECT: (HandlerKind.EXCLUSIVE, HandlerKind.SHARED),
        ServiceKind.WORKFLOW: (HandlerKind.WORKFLOW, HandlerKind.SHARED),
    }
    assert invocation.handler_kind in allowed[invocation.service_kind], f"{name}: kind of handler"


def _check_status(tables: Tables, invocation: Invocation) -> None:
    """The columns that go with each status are set, the others are not."""
    name, status = invocation.id, invocation.status
    started = status not in _NOT_STARTED
    assert started or invocation.attempt == 0, f"{name}: attempts before the start"
    restarted = invocation.restarted_from is not None
    assert started or restarted or invocation.deployment_id is None, f"{name}: pinned before the start"
    assert status is Status.INVOKED or invocation.next_retry_at is None, f"{name}: {status} with a pending retry"
    may_pause = not started or status is Status.INVOKED
    assert may_pause or not invocation.pause_requested, f"{name}: {status} with a pending pause"
    assert (status is Status.SUSPENDED) == (invocation.awaiting is not None), f"{name}: {status}, await tree"
    completed = status is Status.COMPLETED
    assert completed == (invocation.completed_at is not None), f"{name}: {status}, completion time"
    assert completed == (invocation.completion_expires_at is not None), f"{name}: {status}, completion expiry"
    assert completed or invocation.journal_expires_at is None, f"{name}: {status} with a journal expiry"
    assert completed or invocation.failure is None, f"{name}: {status} with a failure as outcome"
    if invocation.deployment_id is not None and invocation.protocol_version is not None and not restarted:
        assert invocation.last_deployment_id is not None, f"{name}: pinned without ever running"
    if status is Status.SCHEDULED:
        assert invocation.execution_time is not None, f"{name}: scheduled for no time"
        assert _has_timer(tables, invocation, "start", 0, invocation.execution_time), f"{name}: nothing starts it"
    if status in (Status.INVOKED, Status.SUSPENDED):
        assert invocation.attempt > 0, f"{name}: {status} without an attempt"
        assert invocation.running_at is not None, f"{name}: {status}, start time"
    if invocation.next_retry_at is not None:
        reference = invocation.attempt
        assert _has_timer(tables, invocation, "retry", reference, invocation.next_retry_at), f"{name}: no retry timer"
        assert not invocation.pause_requested, f"{name}: backs off, but should have been paused"
        assert invocation.last_failure is not None, f"{name}: backs off from nothing"


def _has_timer(tables: Tables, invocation: Invocation, kind: str, reference: int, due: int) -> bool:
    return (due, invocation.number, kind, reference) in tables.timers


def _check_journal(invocation: Invocation, entries: list[JournalEntry]) -> None:
    name = invocation.id
    if invocation.status is Status.COMPLETED and invocation.journal_size == 0:
        # The journal is purged; what remains is the outcome.
        assert invocation.command_count == 0, f"{name}: commands without a journal"
        kept = [entry.index for entry in entries]
        assert kept in ([], [invocation.output_index]), f"{name}: left over of the journal: {kept}"
    else:
        indexes = [entry.index for entry in entries]
        assert indexes == list(range(invocation.journal_size)), f"{name}: journal indexes {indexes}"
        assert entries[0].type == MessageType.INPUT_COMMAND, f"{name}: the journal begins with another entry"
        commands = sum(is_command(entry.type) for entry in entries)
        assert commands == invocation.command_count, f"{name}: {commands} commands, {invocation.command_count} counted"
        outputs = [entry.index for entry in entries if entry.type == MessageType.OUTPUT_COMMAND]
        assert (outputs[-1] if outputs else None) == invocation.output_index, f"{name}: the output is elsewhere"
    for entry in entries:
        answers = [entry.completion_id, entry.signal_id, entry.signal_name]
        given = sum(answer is not None for answer in answers)
        assert given == is_notification(entry.type), f"{name}: entry {entry.index} answers {answers}"
    if invocation.status is Status.COMPLETED and invocation.failure is None:
        kept_output = [entry for entry in entries if entry.index == invocation.output_index]
        assert [entry.type for entry in kept_output] == [MessageType.OUTPUT_COMMAND], f"{name}: no readable outcome"
    if invocation.awaiting is not None:
        there = [
            Notified(entry.index, entry.completion_id, entry.signal_id, entry.signal_name, entry.failed)
            for entry in entries
            if is_notification(entry.type)
        ]
        assert not resolves_with(_tree_decoder.decode(invocation.awaiting), there), f"{name}: has what it waits for"


def _check_keys(tables: Tables) -> None:
    """At most one exclusive handler per key, which holds its lock; who waits does so in exactly one queue."""
    for (service, key), holder in tables.locks.items():
        live = tables.invocations.get(holder)
        assert live is not None, f"{service}/{key} is held by {holder}, which is gone"
        assert (live.service, live.key) == (service, key), f"{service}/{key} is held by {live.id} of another key"
        assert live.handler_kind is HandlerKind.EXCLUSIVE, f"{service}/{key} is held by a {live.handler_kind} handler"
        running = live.status in (Status.INVOKED, Status.SUSPENDED, Status.PAUSED)
        assert running, f"{service}/{key} is held by {live.id}, which is {live.status}"
    for invocation in tables.invocations.values():
        if invocation.target.locks and invocation.status in (Status.INVOKED, Status.SUSPENDED, Status.PAUSED):
            assert invocation.key is not None
            holder_now = tables.locks.get((invocation.service, invocation.key))
            assert holder_now == invocation.number, f"{invocation.id} runs, but {holder_now} holds its key"
    queued: list[int] = []
    for place, items in tables.inboxes.items():
        assert place in tables.locks, f"somebody waits for {place}, which is free"
        for item in items:
            assert (item.invocation is None) != (item.mutation is None)
            if item.invocation is not None:
                waiting = tables.invocations.get(item.invocation)
                assert waiting is not None, f"{item.invocation} waits for {place} and is gone"
                assert (waiting.service, waiting.key) == place, f"{waiting.id} waits for {place}"
                queued.append(item.invocation)
    inboxed = sorted(number for number, i in tables.invocations.items() if i.status is Status.INBOXED)
    assert sorted(queued) == inboxed, f"in inboxes: {sorted(queued)}, inboxed: {inboxed}"


def _check_waiting(tables: Tables) -> None:
    for number in tables.awaiters:
        assert tables.invocations[number].status is not Status.COMPLETED, f"{number} is completed, yet waited for"
    for place, waiters in tables.promise_awaiters.items():
        for name, _, _ in waiters:
            assert name not in tables.promises.get(place, {}), f"promise {name} of {place} is completed, yet waited for"
    for promises in tables.promises.values():
        for promise in promises.values():
            assert (promise.value is None) != (promise.failure is None)
    for invocation in tables.invocations.values():
        if invocation.status is not Status.COMPLETED:
            _check_sleeps(tables, invocation)


def _check_sleeps(tables: Tables, invocation: Invocation) -> None:
    """Each sleep ends at most once. Handlers choose completion ids and may use one again, so they are counted."""
    begun: Counter[int | None] = Counter()
    over: Counter[int | None] = Counter()
    for entry in tables.journals.get(invocation.number, []):
        if entry.type == MessageType.SLEEP_COMMAND:
            begun[wire.SleepCommandMessage.FromString(entry.raw).result_completion_id] += 1
        elif entry.type == MessageType.SLEEP_COMPLETION:
            over[entry.completion_id] += 1
    over.update(
        timer.reference for timer in tables.timers if timer.kind == "sleep" and timer.invocation == invocation.number
    )
    assert over <= begun, f"{invocation.id}: a sleep that is over has a timer"


def _check_cancels(tables: Tables) -> None:
    """A pending cancel waits for calls, all of them cancelled, and its timer ends the wait. Nothing else is held."""
    for number, invocation in tables.invocations.items():
        name, pending = invocation.id, invocation.cancel_due is not None
        cancelled = tables.cancelled_calls.get(number, [])
        assert bool(cancelled) == invocation.callees_cancelled, f"{name}: cancelled calls {cancelled}"
        assert pending or number not in tables.held, f"{name}: completions are held, and no cancel is pending"
        if invocation.status is Status.COMPLETED:
            assert not cancelled, f"{name}: is completed, yet remembers cancelled calls"
        if invocation.cancel_due is None:
            continue
        assert invocation.status in (Status.INVOKED, Status.SUSPENDED, Status.PAUSED), f"{name}: {invocation.status}"
        assert invocation.attempt > 0, f"{name}: no code has run, yet its cancel is pending"
        assert cancelled, f"{name}: its cancel waits for nobody"
        assert _has_timer(tables, invocation, "cancel", 0, invocation.cancel_due), (
            f"{name}: its cancel may wait for ever"
        )
        answered = {call.completion_id for call in cancelled}
        answered.update(completion.completion_id for completion in tables.held.get(number, []))
        unknown = {call.completion_id for call in open_calls(tables.journals[number])} - answered
        assert not unknown, f"{name}: calls {unknown} are open and were not cancelled with it"


def check_told(before: Tables, after: Tables) -> None:
    """Who waited for its callees finds the cancellation in its journal before the completions held for it.

    before, after: around one record.
    """
    for number, old in before.invocations.items():
        new = after.invocations.get(number)
        if old.cancel_due is None or new is None or new.status is Status.COMPLETED:
            continue
        entries = after.journals[number][old.journal_size :]
        if new.cancel_due is not None:
            assert all(entry.type != MessageType.CALL_COMPLETION for entry in entries), f"{new.id}: learned of a call"
            continue
        signal, *rest = entries
        assert signal.signal_id == CANCEL_SIGNAL, f"{new.id}: was told of {signal} before its cancellation"
        held = [completion.completion_id for completion in before.held.get(number, [])]
        assert [entry.completion_id for entry in rest][: len(held)] == held, f"{new.id}: lost what was held for it"


def _check_sequences(tables: Tables) -> None:
    numbers = [tables.sequences.get("invocation", 0), *tables.invocations]
    assert max(numbers) == numbers[0], "an invocation has a number that was never given"
    sent = tables.sequences.get("outbox", 0)
    for _, sequence, _ in tables.outbox:
        assert sequence <= sent, f"message {sequence} was never numbered"
        assert sequence > tables.last_sequences.get(0, 0), f"message {sequence} was taken and is still there"
