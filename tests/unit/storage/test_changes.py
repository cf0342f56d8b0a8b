"""What a store notes of what is written, while it is asked to."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from perdure.engine.tx import JournalEvent
from perdure.model.changes import Changes
from perdure.model.invocation import HandlerKind, Invocation, InvokedBy, ServiceKind, Status
from perdure.storage.sqlite.store import SqliteStore
from support.services import build_registry

ID = "inv_15XrKI6E8WY60XZ8FZdg5UI7JdGb9QYV8b"
NOTHING = Changes(set(), {}, set())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path, build_registry)
    yield store
    store.close()


def invocation(number: int) -> Invocation:
    facts = dict.fromkeys(Invocation.__struct_fields__[: Invocation.__struct_fields__.index("status")])
    known = {
        "number": number, "id": ID, "service": "S", "handler": "h", "service_kind": ServiceKind.SERVICE,
        "handler_kind": HandlerKind.SERVICE, "invoked_by": InvokedBy.INGRESS, "created_at": 0,
        "completion_retention": 0, "journal_retention": 0, "status": Status.INVOKED,
    }  # fmt: skip
    return msgspec.convert(facts | known, Invocation)


def test_every_write_is_noted_until_nobody_wants_to_know(store: SqliteStore) -> None:
    notes = store.note_changes()
    store.begin()
    store.tx.insert_invocation(invocation(7))
    store.commit()
    assert notes.take() == Changes({7}, {}, set())
    assert notes.take() == NOTHING
    store.begin()
    store.tx.save_invocation(invocation(7))
    store.tx.set_state("S", "k", b"name", b"value")
    store.commit()
    assert notes.take() == Changes({7}, {}, {("S", "k")})
    store.begin()
    store.tx.append_event(7, JournalEvent(0, 0, "Paused", b"null"), keep=9)
    store.tx.clear_state("S", "k", b"name")
    store.commit()
    assert notes.take() == Changes({7}, {}, {("S", "k")})
    store.begin()
    store.tx.delete_invocation(7)
    store.commit()
    assert notes.take() == Changes({7}, {7: ID}, set())
    notes.close()
    store.begin()
    store.tx.insert_invocation(invocation(8))
    store.commit()
    assert notes.take() == NOTHING


def test_two_may_note_at_once(store: SqliteStore) -> None:
    first, second = store.note_changes(), store.note_changes()
    store.begin()
    store.tx.insert_invocation(invocation(7))
    store.commit()
    first.close()
    store.begin()
    store.tx.save_invocation(invocation(7))
    store.commit()
    assert first.take() == second.take() == Changes({7}, {}, set())
