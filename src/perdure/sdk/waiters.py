"""The tasks of an attempt that wait, each for a node of its await tree."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from perdure.sdk.exceptions import CANCELLED, TerminalError
from perdure.sdk.machine.awaiting import AnyLeaf, Combined, Leaf, Node, Succession
from perdure.sdk.machine.machine import Machine
from perdure.sdk.machine.outcome import NotificationId


class Waiter(msgspec.Struct, eq=False):
    """A task that waits for a node.

    future: done when it may go on.  known: its leaves have been registered.  started: the runs among them, too.
    """

    node: Node
    future: "asyncio.Future[None] | None" = None
    task: "asyncio.Task[Any] | None" = None
    known: bool = False
    started: bool = False


_Entries: TypeAlias = dict[tuple[Waiter, AnyLeaf], None]
"""Who lacks what; in order, and without its values a set."""


class Waiters:
    """All of them, in the order in which they began to wait, which is the order in which they go on.

    Each leaf leads to who lacks it: what a notification costs does not depend on how many others are waited for.
    """

    __slots__ = ("_alone", "_fresh", "_lacking", "_machine", "waiting")

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.waiting: dict[Waiter, None] = {}
        """In order, and without its values a set."""
        self._alone: dict[NotificationId, Waiter] = {}
        """Most waits: each lacks this one leaf, and nobody lacked it before. What `_lacking` has of it came later."""
        self._lacking: dict[NotificationId, _Entries] = {}
        self._fresh: dict[Waiter, None] = {}

    def add(self, waiter: Waiter) -> None:
        """A wait begins, which `begin` of its node did not answer."""
        self.waiting[waiter] = None
        if not waiter.started:
            self._fresh[waiter] = None
        node = waiter.node
        if isinstance(node, Leaf):
            key = node.key
            if key not in self._lacking and self._alone.setdefault(key, waiter) is waiter:
                return
        leaves = node.signals if waiter.known and isinstance(node, Succession) else node.pending
        waiter.known = True
        for leaf in leaves:
            self._lacking.setdefault(leaf.key, {})[waiter, leaf] = None

    def discard(self, waiter: Waiter) -> None:
        """A wait is over, however it ended. A succession keeps its eyes open for the next one."""
        if waiter in self.waiting:
            self._leave(waiter)
            node = waiter.node
            for leaf in node.signals if isinstance(node, Succession) else node.pending:
                self._forget(waiter, leaf)

    def _leave(self, waiter: Waiter) -> None:
        del self.waiting[waiter]
        if not waiter.started:
            del self._fresh[waiter]

    def close(self, waiter: Waiter) -> None:
        """Nobody will wait for this succession again."""
        self.discard(waiter)
        for leaf in waiter.node.pending:
            self._forget(waiter, leaf)

    def _forget(self, waiter: Waiter, leaf: AnyLeaf) -> None:
        if self._alone.get(leaf.key) is waiter:
            del self._alone[leaf.key]
            return
        lacking = self._lacking.get(leaf.key)
        if lacking is not None:
            lacking.pop((waiter, leaf), None)
            if not lacking:
                del self._lacking[leaf.key]

    @property
    def nodes(self) -> list[Node]:
        """What they wait for."""
        return [waiter.node for waiter in self.waiting]

    def pending(self, most: int) -> list[AnyLeaf] | None:
        """The notifications that they lack; None if there are more than `most`."""
        if len(self.waiting) > most or sum(len(waiter.node.pending) for waiter in self.waiting) > most:
            return None
        return [leaf for waiter in self.waiting for leaf in waiter.node.pending]

    def newly_awaited(self) -> Sequence[AnyLeaf]:
        """The leaves that are waited for, and were not the last time that somebody asked."""
        if not self._fresh:
            return ()
        leaves: list[AnyLeaf] = []
        for waiter in self._fresh:
            waiter.started = True
            leaves += waiter.node.pending
        self._fresh.clear()
        return leaves

    def awaits(self, key: NotificationId) -> bool:
        """True if somebody waits for this notification now."""
        return key in self._alone or any(waiter in self.waiting for waiter, _ in self._lacking.get(key, ()))

    def arrived(self, key: NotificationId) -> Sequence[Waiter]:
        """A notification was taken. Returns: who can go on by it."""
        alone = self._alone.pop(key, None)
        if key not in self._lacking:
            return () if alone is None else (alone,)
        entries = self._lacking.pop(key)
        if isinstance(key, str):
            entries = self._claim(key, entries)
        found = [] if alone is None else [alone]
        for waiter, leaf in entries:
            if waiter.node.arrived(leaf, self._machine) and waiter in self.waiting:
                found.append(waiter)
        return found

    def _claim(self, name: str, entries: _Entries) -> _Entries:
        """A signal is for the first one that waits for it, and whoever shares that one's future."""
        leaf = next(iter(entries))[1]
        leaf.outcome(self._machine)
        others = {entry: None for entry in entries if entry[1] is not leaf}
        if others:
            self._lacking[name] = others
        return {entry: None for entry in entries if entry[1] is leaf}

    def wake(self, waiter: Waiter) -> None:
        """Lets one go on."""
        if isinstance(waiter.node, Combined):
            self.discard(waiter)
        else:
            # There is nothing else that it lacks.
            del self.waiting[waiter]
            if not waiter.started:
                del self._fresh[waiter]
        future = waiter.future
        if future is not None and not future.done():
            future.set_result(None)

    def surface_cancel(self) -> None:
        """The invocation is cancelled: each wait ends with the error that says so."""
        for _, future in self._taken():
            future.set_exception(TerminalError("cancelled", CANCELLED))

    def release(self, main: "asyncio.Task[Any] | None") -> None:
        """The attempt is over: lets everything that waits leave the user's code. main: the handler's own task."""
        for waiter, future in self._taken():
            future.set_exception(self._machine.closed())
            if waiter.task is not None and waiter.task is not main:
                retrieve_later(waiter.task)

    def _taken(self) -> "list[tuple[Waiter, asyncio.Future[None]]]":
        found = []
        for waiter in list(self.waiting):
            self.discard(waiter)
            if waiter.future is not None and not waiter.future.done():
                found.append((waiter, waiter.future))
        return found


def retrieve_later(task: "asyncio.Task[Any]") -> None:
    """Nobody else may ask how a task ended that the end of the attempt has ended, and asyncio would complain."""
    task.add_done_callback(_retrieve)


def _retrieve(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()
