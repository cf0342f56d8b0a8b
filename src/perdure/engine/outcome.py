"""The durable outcome of a completed invocation, and how it is told."""

import msgspec

from perdure.engine.notifications import model_failure
from perdure.engine.tx import Tx
from perdure.model.invocation import Failure, Invocation, Outcome, Status, Success
from perdure.protocol import messages_pb2 as wire

CANCELLED_BEFORE_START = Failure(409, "cancelled")
"""Spelt as SDKs do when a handler that was cancelled gives up, so that one search finds both."""
TOLD_OF_CANCELLED_BEFORE_START = Failure(409, "canceled")
"""Spelt as callers of the official server know it."""
KILLED = Failure(409, "killed")
NOT_FOUND = Failure(404, "not found")
ALREADY_INVOKED = Failure(409, "the workflow method was already invoked")
PROMISE_COMPLETED = Failure(409, "promise was already completed")

_failure_decoder = msgspec.json.Decoder(Failure)


def outcome_of(tx: Tx, invocation: Invocation) -> Outcome:
    """The outcome of a completed invocation."""
    assert invocation.status is Status.COMPLETED
    if invocation.failure is not None:
        return _failure_decoder.decode(invocation.failure)
    assert invocation.output_index is not None
    return stored_output(tx, invocation.number, invocation.output_index)


def stored_output(tx: Tx, number: int, index: int) -> Outcome:
    """What the output command at that journal index holds."""
    entry = tx.entry(number, index)
    assert entry is not None, "the output outlives the rest of the journal"
    return told_output(wire.OutputCommandMessage.FromString(entry.raw))


def told_output(output: wire.OutputCommandMessage) -> Outcome:
    """What an output command says."""
    if output.WhichOneof("result") == "failure":
        return model_failure(output.failure)
    return Success(output.value.content)
