"""Messages between partitions are taken once, in whatever state the receiver is."""

from perdure.model import records
from perdure.model.records import MessageArrived, SignalMessage
from perdure.protocol.messages import signal_notification
from support.datadriven import Directive
from support.driver import apply_checked
from support.engine_script import EngineScript
from support.narration import START
from support.stores import MemoryStore


def stage() -> tuple[MemoryStore, str]:
    store = MemoryStore()
    script = EngineScript(store)
    for lines in (["deploy dp_1", "service Agent run"], ["invoke a target=Agent/run"], ["invoke b target=Agent/run"]):
        script.run(Directive(lines, 0))
    return store, script.id_of("a")


def signal(target: str, sequence: int, source: int) -> records.Record:
    message = SignalMessage(target, 17, None, False, signal_notification(17, void=True))
    return MessageArrived(source=source, sequence=sequence, message=message)


def test_a_message_that_arrives_again_is_ignored() -> None:
    store, a = stage()
    assert apply_checked(store, signal(a, 5, source=1), START)
    assert not apply_checked(store, signal(a, 5, source=1), START)
    assert not apply_checked(store, signal(a, 4, source=1), START)
    assert [entry.signal_id for entry in store.tx.entries(1)] == [None, 17]


def test_each_partition_counts_its_own_messages() -> None:
    store, a = stage()
    assert apply_checked(store, signal(a, 5, source=1), START)
    assert apply_checked(store, signal(a, 3, source=2), START)
    assert len(store.tx.entries(1)) == 3


def test_a_message_from_elsewhere_leaves_our_outbox_alone() -> None:
    store, a = stage()
    store.tx.next_number("outbox")
    store.tx.put_outbox(0, 1, SignalMessage(a, 18, None, False, b""))
    apply_checked(store, signal(a, 1, source=1), START, deliver=False)
    assert [sequence for _, sequence, _ in store.tx.outbox()] == [1]
