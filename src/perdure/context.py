"""Contexts and what they give, under the name that code for the official SDK imports."""

from perdure.sdk.context import Context, ObjectContext, ObjectSharedContext, WorkflowContext, WorkflowSharedContext
from perdure.sdk.definitions import HandlerType
from perdure.sdk.futures import RestateDurableCallFuture, RestateDurableFuture, RestateDurableSleepFuture, SendHandle
from perdure.sdk.promises import DurablePromise
from perdure.sdk.request import AttemptFinishedEvent, Request
from perdure.sdk.runs import RunOptions
from perdure.sdk.scoped import ScopedContext

__all__ = [
    "AttemptFinishedEvent",
    "Context",
    "DurablePromise",
    "HandlerType",
    "ObjectContext",
    "ObjectSharedContext",
    "Request",
    "RestateDurableCallFuture",
    "RestateDurableFuture",
    "RestateDurableSleepFuture",
    "RunOptions",
    "ScopedContext",
    "SendHandle",
    "WorkflowContext",
    "WorkflowSharedContext",
]
