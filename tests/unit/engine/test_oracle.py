"""The same random records on both stores: the same actions, and the same tables after each."""

import shutil
import tempfile
from collections import deque
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from perdure import ids
from perdure.engine.machine import apply
from perdure.model import records
from perdure.model.actions import Action, Deliver
from perdure.model.invocation import BEFORE_ALL, AttemptFailure, Failure, HandlerKind, Invocation, Success, Target
from perdure.model.records import AttemptEnd, MessageArrived, Record
from perdure.model.registry import ServiceKind, ServiceSettings
from perdure.protocol.messages import encode_input
from support.await_trees import parse_tree
from support.datadriven import Words
from support.driver import apply_checked
from support.entries import parse_entry
from support.narration import START
from support.services import Declared, deployment, policy
from support.stores import FileStore, MemoryStore

# It commits hundreds of times, and a busy disk may take its time.
pytestmark = pytest.mark.timeout(240)

SERVICES = [
    Declared("Agent", ServiceKind.SERVICE, ["run"], policy(3), completion_retention=5000, journal_retention=2000),
    Declared("Brief", ServiceKind.SERVICE, ["run"], policy(2, kill=True), completion_retention=0, journal_retention=0),
    Declared("Cart", ServiceKind.VIRTUAL_OBJECT, ["add", "peek:shared"], policy(None), 5000, 5000),
    Declared("Flow", ServiceKind.WORKFLOW, ["run", "status:shared"], policy(3), 3000, 1000),
]
TARGETS = ["Agent/run", "Brief/run", "Cart/k/add", "Cart/k/peek", "Cart/l/add", "Flow/w/run", "Flow/w/status"]
KINDS = {
    "run": HandlerKind.SERVICE,
    "add": HandlerKind.EXCLUSIVE,
    "peek": HandlerKind.SHARED,
    "status": HandlerKind.SHARED,
}

GRACE = 1500
"""Of cancels, in ms: shorter than a rule may let pass."""

numbers = st.integers(1, 5)
pick = st.integers(0, 1000)
targets = st.sampled_from(TARGETS)
idempotency = st.sampled_from(["", "", " idempotency=i"])
results = st.sampled_from([" value=x", " value=", " failure=409:no"])
names = st.sampled_from(["n", "m"])
acks = st.sampled_from(["", " ack"])

commands = st.one_of(
    st.builds("run id={}{}".format, numbers, acks),
    st.builds("propose id={}{}{}".format, numbers, results, acks),
    st.builds("{} id={} key={}".format, st.sampled_from(["get", "promise", "peek"]), numbers, names),
    st.builds("complete-promise id={} key={}{}".format, numbers, names, results),
    st.builds("set key={} value={}".format, names, st.sampled_from(["", "1", "2"])),
    st.sampled_from(["clear key=n", "clear-all", "keys id=3", "get-eager key=n", "output value=1", "output value=2"]),
    st.builds("sleep id={} for={}".format, numbers, st.sampled_from(["0", "500", "2000", "forever"])),
    st.builds("call ids={},{} target={}{}".format, numbers, numbers, targets, idempotency),
    st.builds("send id={} target={}{}".format, numbers, targets, idempotency),
    st.builds("send id={} target={} delay={}".format, numbers, targets, st.sampled_from(["500", "-1", "forever"])),
    st.builds("{} id={} to={}".format, st.sampled_from(["attach", "output-of"]), numbers, pick),
    st.builds("attach id={} workflow=Flow/w".format, numbers),
    st.builds("signal to={} name={}{}".format, pick, names, results),
    st.builds("awakeable of={} idx=17{}".format, pick, results),
    st.builds("cancel to={}".format, pick),
    st.just("call ids=1,2 target=Nowhere/run"),
)
trees = st.sampled_from(
    ["1", "signal:17", "name:n", "first(1,2)", "all(1,signal:17)", "first-ok(1,2,name:n)", "all-ok(1,all(2,3))"]
)
failure = AttemptFailure(500, "RT0007", "boom")
ends = st.one_of(
    st.none(),
    st.none(),
    st.just(records.Ended()),
    trees.map(lambda tree: records.Suspended(msgspec.json.encode(parse_tree(tree)))),
    st.builds(
        records.Failed,
        st.just(failure),
        st.sampled_from([None, None, 0, 300, 2**64 - 1]),
        st.integers(0, 2),
        st.booleans(),
    ),
)


def _target(text: str) -> Target:
    service, *key, handler = text.split("/")
    kind = {"Cart": ServiceKind.VIRTUAL_OBJECT, "Flow": ServiceKind.WORKFLOW}.get(service, ServiceKind.SERVICE)
    handler_kind = HandlerKind.WORKFLOW if text == "Flow/w/run" else KINDS[handler]
    return Target(service, handler, key[0] if key else None, kind, handler_kind)


class BothStores(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="perdure-oracle-"))
        self.memory = MemoryStore()
        self.file = self.open_file()
        self.memory.cancel_grace = GRACE
        self.now = START
        self.drawn = 0
        self.open = False
        # Ids of everything that ever was, so that records aim at what is gone too.
        self.known: list[tuple[int, str]] = []

    def open_file(self) -> FileStore:
        store = FileStore(self.folder)
        store.cancel_grace = GRACE
        return store

    def teardown(self) -> None:
        self.file.rollback()
        self.file.close()
        shutil.rmtree(self.folder)

    # applying

    def step(self, record: Record) -> None:
        if not self.open:
            self.memory.begin()
            self.file.begin()
            self.open = True
        expected = apply_checked(self.memory, record, self.now)
        assert self.apply_to_file(record) == expected
        known = set(self.known)
        self.known += [(n, i.id) for n, i in self.memory.tx.invocations.items() if (n, i.id) not in known]

    def apply_to_file(self, record: Record) -> list[Action]:
        actions: list[Action] = []
        mail = deque([record])
        while mail:
            for action in apply(mail.popleft(), self.file.tx, self.now):
                if isinstance(action, Deliver):
                    arrived = MessageArrived(source=0, sequence=action.sequence, message=action.message)
                    mail.append(arrived)
                else:
                    actions.append(action)
        return actions

    def randomness(self) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(16, "big")

    def some(self, index: int) -> tuple[int, str]:
        if not self.known:
            return 99, ids.fresh_invocation_id("Agent", None, bytes(16), 0)
        return self.known[index % len(self.known)]

    # what happens

    @initialize()
    def deploy(self) -> None:
        self.step(records.PutDeployment(1, deployment=deployment("dp_1", SERVICES)))

    @rule(text=targets, wait=st.booleans(), delay=st.sampled_from([None, None, 700]), key=st.sampled_from([None, "i"]))
    def invoke(self, text: str, wait: bool, delay: int | None, key: str | None) -> None:
        to = _target(text)
        workflow = to.handler_kind is HandlerKind.WORKFLOW
        if workflow:
            id = ids.workflow_invocation_id("Flow", "w")
        elif key:
            id = ids.idempotent_invocation_id(to.service, to.handler, key, to.key)
        else:
            id = ids.fresh_invocation_id(to.service, to.key, self.randomness(), 0)
        record = records.Invoke(
            1,
            id=id,
            target=to,
            input=encode_input([], b"in"),
            wait=wait,
            may_exist=workflow or key is not None,
            idempotency_key=None if workflow else key,
            execution_time=self.now + delay if delay else None,
        )
        self.step(record)

    @rule(index=pick, lines=st.lists(commands, max_size=4), end=ends, stale=st.sampled_from([0, 0, 0, 0, 1]))
    def progress(self, index: int, lines: list[str], end: AttemptEnd | None, stale: int) -> None:
        self._progress(self.some(index)[0], lines, end, stale)

    @rule(index=pick, lines=st.lists(commands, max_size=3), end=ends)
    def progress_of_a_running_one(self, index: int, lines: list[str], end: AttemptEnd | None) -> None:
        running = self.memory.tx.invoked_after(BEFORE_ALL, 100)
        if running:
            self._progress(running[index % len(running)].number, lines, end, 0)

    def _progress(self, number: int, lines: list[str], end: AttemptEnd | None, stale: int) -> None:
        row: Invocation | None = self.memory.tx.invocation(number)
        entries = [parse_entry(Words(line), self.now, lambda name: self.some(int(name))[1]) for line in lines]
        record = records.AttemptProgress(
            number=number,
            attempt=(row.attempt if row else 1) - stale,
            deployment_id="dp_1",
            protocol_version=7,
            server="test/1",
            entries=entries,
            end=end,
            randomness=self.randomness(),
        )
        self.step(record)

    @rule(index=pick, kind=st.sampled_from([records.Cancel, records.Kill, records.Pause, records.Resume]))
    def operate(self, index: int, kind: type[records.Cancel]) -> None:
        self.step(kind(1, id=self.some(index)[1]))

    @rule(index=pick, calls=st.lists(targets, min_size=1, max_size=3), key=idempotency, after=ends)
    def cancel_a_caller(self, index: int, calls: list[str], key: str, after: AttemptEnd | None) -> None:
        running = self.memory.tx.invoked_after(BEFORE_ALL, 100)
        if running:
            number = running[index % len(running)].number
            lines = [f"call ids={2 * n},{2 * n + 1} target={to}{key}" for n, to in enumerate(calls, 3)]
            self._progress(number, lines, after, 0)
            row = self.memory.tx.invocation(number)
            self.step(records.Cancel(1, id=row.id if row else self.some(index)[1]))

    @rule(index=pick, kind=st.sampled_from([records.Purge, records.PurgeJournal]))
    def purge(self, index: int, kind: type[records.Purge]) -> None:
        self.step(kind(1, id=self.some(index)[1]))

    @rule(
        index=pick,
        last=st.integers(0, 9),
        where=st.sampled_from(["keep", "latest", "dp_1", "dp_9"]),
        key=st.sampled_from([None, None, "w", "v"]),
    )
    def restart(self, index: int, last: int, where: str, key: str | None) -> None:
        old = self.some(index)[1]
        new = ids.sibling_invocation_id(old, self.randomness())
        self.step(records.RestartAsNew(1, id=old, new_id=new, from_index=last, deployment=where, key=key))

    @rule(index=pick, signal_id=st.sampled_from([None, None, 1, 17]), value=st.sampled_from([None, Success(b"v")]))
    def signal(self, index: int, signal_id: int | None, value: Success | None) -> None:
        name = None if signal_id else "n"
        self.step(
            records.CompleteSignal(1, id=self.some(index)[1], signal_id=signal_id, signal_name=name, outcome=value)
        )

    @rule(key=st.sampled_from(["w", "v"]), name=names, value=st.sampled_from([Success(b"v"), Failure(400, "no")]))
    def complete_promise(self, key: str, name: str, value: Success | Failure) -> None:
        self.step(records.CompletePromise(1, service="Flow", key=key, name=name, outcome=value))

    @rule(state=st.dictionaries(names, st.binary(max_size=2), max_size=2), key=st.sampled_from(["k", "l"]))
    def modify_state(self, state: dict[str, bytes], key: str) -> None:
        self.step(records.ModifyState(1, mutation=records.StateMutation("Cart", key, state)))

    @rule(key=st.sampled_from(["k", "l"]), name=names, values=st.tuples(*[st.sampled_from([None, b"", b"1"])] * 2))
    def change_entry(self, key: str, name: str, values: tuple[bytes | None, bytes | None]) -> None:
        change = records.EntryChange(name, *values)
        self.step(records.ModifyState(1, mutation=records.StateMutation("Cart", key, {}, change=change)))

    @rule(retention=st.sampled_from([None, 100, 10**19]))
    def change_settings(self, retention: int | None) -> None:
        self.step(records.PutServiceSettings(1, service="Cart", settings=ServiceSettings(journal_retention=retention)))

    @rule(passed=st.sampled_from([0, 300, 1000, 4000]))
    def timers(self, passed: int) -> None:
        self.now += passed
        self.step(records.TimersDue())

    @rule(passed=st.sampled_from([0, 1000, 6000]))
    def sweep(self, passed: int) -> None:
        self.now += passed
        self.step(records.Sweep(1))

    @rule()
    def recover(self) -> None:
        self.step(records.Recover(1))

    # transactions

    @rule()
    def commit(self) -> None:
        if self.open:
            self.memory.commit()
            self.file.commit()
            self.open = False

    @rule()
    def roll_back(self) -> None:
        self.file.rollback()
        if self.open:
            self.memory.rollback()
            self.open = False

    @rule()
    def reopen(self) -> None:
        """Nothing lives outside the file; what was not committed is gone."""
        self.roll_back()
        self.file.close()
        self.file = self.open_file()

    @rule()
    def whole_contents(self) -> None:
        """Also in the middle of a transaction, where reading everything makes the file write what it holds back."""
        expected, found = self.memory.tables(), self.file.tables()
        for field in expected.__struct_fields__:
            assert getattr(found, field) == getattr(expected, field), field

    @invariant()
    def same_contents(self) -> None:
        """As the engine reads them, which leaves what is held back where it is."""
        memory, file = self.memory.tx, self.file.tx
        for number, invocation_id in self.known:
            assert file.invocation(number) == memory.invocation(number)
            assert file.invocation_by_id(invocation_id) == memory.invocation_by_id(invocation_id)
            assert file.entries(number) == memory.entries(number)
        if not self.open:
            self.whole_contents()


TestBothStores = BothStores.TestCase
TestBothStores.settings = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
