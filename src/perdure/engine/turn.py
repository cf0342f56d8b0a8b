"""What one `apply` works with: the tables, the time, and the actions gathered so far."""

import hashlib
from typing import Any

from perdure.engine.tx import Tx
from perdure.model.actions import Action, Deliver, Reply
from perdure.model.records import NOBODY, Message, Record

LOCAL_PARTITION = 0

LATEST_TIME = 2**62
"""Times beyond, ms since the epoch, are cut to this one: the store keeps signed 64-bit numbers, the wire unsigned."""


class Turn:
    """One record being applied. Created by `machine.apply`, gone when it returns."""

    __slots__ = ("_drawn", "_randomness", "actions", "now", "tx")

    def __init__(self, tx: Tx, now: int, randomness: bytes = b"") -> None:
        self.tx = tx
        self.now = now
        self.actions: list[Action] = []
        self._randomness = randomness
        self._drawn = 0

    def emit(self, action: Action) -> None:
        self.actions.append(action)

    def reply(self, record: Record, answer: Any) -> None:
        """Answers the request behind a record, if there is one."""
        if record.reply_to != NOBODY:
            self.actions.append(Reply(record.reply_to, answer))

    def send(self, message: Message) -> None:
        """Sends to the partition of the message's target by the durable outbox."""
        sequence = self.tx.next_number("outbox")
        self.tx.put_outbox(LOCAL_PARTITION, sequence, message)
        self.actions.append(Deliver(LOCAL_PARTITION, sequence, message))

    def draw(self) -> bytes:
        """16 bytes that look random and are the same whenever the same record is applied."""
        self._drawn += 1
        return hashlib.blake2b(self._drawn.to_bytes(4, "big"), key=self._randomness, digest_size=16).digest()
