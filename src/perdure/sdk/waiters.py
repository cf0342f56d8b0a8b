"""The tasks of an attempt that wait, each for a node of its await tree."""

import asyncio
from typing import Any

from perdure.sdk.exceptions import CANCELLED, TerminalError
from perdure.sdk.machine.awaiting import Leaf, NamedLeaf, Node
from perdure.sdk.machine.machine import Machine


class Waiter:
    """A task that waits for a node."""

    __slots__ = ("future", "node", "task")

    def __init__(self, node: Node, future: "asyncio.Future[None]", task: "asyncio.Task[Any] | None") -> None:
        self.node = node
        self.future = future
        self.task = task


class Waiters:
    """All of them, in the order in which they began to wait, which is the order in which they go on."""

    __slots__ = ("_machine", "_waiting")

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._waiting: list[Waiter] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, waiter: Waiter) -> None:
        self._waiting.append(waiter)

    def discard(self, waiter: Waiter) -> None:
        if waiter in self._waiting:
            self._waiting.remove(waiter)

    @property
    def nodes(self) -> list[Node]:
        """What they wait for."""
        return [waiter.node for waiter in self._waiting]

    def pending(self) -> list[Leaf | NamedLeaf]:
        """The notifications that they lack."""
        return [leaf for waiter in self._waiting for leaf in waiter.node.pending(self._machine)]

    def wake_settled(self) -> bool:
        """Wakes all that can go on. Returns: whether there was any."""
        waiting, machine = self._waiting, self._machine
        if len(waiting) == 1:
            if waiting[0].node.settled(machine) is None:
                return False
            _wake(waiting.pop())
            return True
        settled = [waiter for waiter in waiting if waiter.node.settled(machine) is not None]
        for waiter in settled:
            waiting.remove(waiter)
            _wake(waiter)
        return bool(settled)

    def surface_cancel(self) -> None:
        """The invocation is cancelled: each wait ends with the error that says so."""
        for waiter in self._taken():
            waiter.future.set_exception(TerminalError("cancelled", CANCELLED))

    def release(self, main: "asyncio.Task[Any] | None") -> None:
        """The attempt is over: lets everything that waits leave the user's code. main: the handler's own task."""
        for waiter in self._taken():
            try:
                self._machine.require_open()
            except BaseException as error:
                waiter.future.set_exception(error)
            if waiter.task is not None and waiter.task is not main:
                retrieve_later(waiter.task)

    def _taken(self) -> list[Waiter]:
        waiting, self._waiting = self._waiting, []
        return [waiter for waiter in waiting if not waiter.future.done()]


def _wake(waiter: Waiter) -> None:
    if not waiter.future.done():
        waiter.future.set_result(None)


def retrieve_later(task: "asyncio.Task[Any]") -> None:
    """Nobody else may ask how a task ended that the end of the attempt has ended, and asyncio would complain."""
    task.add_done_callback(_retrieve)


def _retrieve(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()
