"""All that code for the official SDK can name is here, under the same name and with the same parameters."""

import importlib
import inspect
from typing import Any

import pytest
import restate

import perdure

MODULES = {
    "asyncio": ["as_completed", "gather", "select", "wait_completed"],
    "client": ["create_client"],
    "context": [
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
    ],
    "endpoint": ["Endpoint", "app"],
    "exceptions": [
        "RetryableError",
        "SdkInternalBaseException",
        "SdkInternalException",
        "SuspendedException",
        "TerminalError",
        "is_internal_exception",
    ],
    "extensions": ["contextvar", "current_context"],
    "logging": ["RestateLoggingFilter", "getLogger"],
    "object": ["VirtualObject"],
    "retry_policy": ["InvocationRetryPolicy"],
    "serde": ["BytesSerde", "DefaultSerde", "JsonSerde", "MsgspecJsonSerde", "PydanticJsonSerde", "Serde"],
    "service": ["Service"],
    "workflow": ["Workflow"],
}

LEFT_OUT = {
    "test_harness",  # deprecated in favour of create_test_harness, and made of containers
}

CLASSES = [
    restate.Service,
    restate.VirtualObject,
    restate.Workflow,
    restate.InvocationRetryPolicy,
    restate.JournalValueCodec,
    restate.TerminalError,
    restate.RestateLoggingFilter,
    restate.RestateClient,
    restate.RestateClientSendHandle,
    restate.HttpError,
    restate.HarnessEnvironment,
    restate.RunOptions,
    restate.Context,
    restate.ObjectContext,
    restate.ObjectSharedContext,
    restate.WorkflowContext,
    restate.WorkflowSharedContext,
    restate.ScopedContext,
    restate.DurablePromise,
    restate.RestateDurableFuture,
    restate.RestateDurableCallFuture,
    restate.RestateDurableSleepFuture,
    restate.SendHandle,
]
FUNCTIONS = ["app", "create_client", "create_test_harness", "getLogger", "is_internal_exception"]

INTERNAL = {"Context", "RestateClient", "ScopedContext", "DurablePromise", "SendHandle"} | {
    name for name in restate.__all__ if name.endswith(("Context", "Future"))
}
"""Made by the SDK, never by users: how they are made is nobody's business."""


def test_every_name_of_the_package() -> None:
    assert [name for name in restate.__all__ if not hasattr(perdure, name)] == sorted(LEFT_OUT)


@pytest.mark.parametrize("name", MODULES)
def test_every_name_of_a_module(name: str) -> None:
    theirs, ours = importlib.import_module(f"restate.{name}"), importlib.import_module(f"perdure.{name}")
    for wanted in MODULES[name]:
        assert hasattr(theirs, wanted), wanted
        assert wanted in ours.__all__
        assert hasattr(ours, wanted)


def parameters(function: Any) -> dict[str, tuple[Any, Any]]:
    """Names, kinds and defaults; of defaults that are objects, the class."""
    found = {}
    for one in inspect.signature(function).parameters.values():
        plain = one.default is None or isinstance(one.default, str | int | bool | type)
        found[one.name] = (one.kind, one.default if plain else type(one.default).__name__)
    return found


def assert_takes_what_theirs_does(theirs: Any, ours: Any) -> None:
    """The same parameters in the same order; ours may have more behind them."""
    wanted, found = parameters(theirs), parameters(ours)
    assert list(found)[: len(wanted)] == list(wanted)
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_parameters_of_a_function(name: str) -> None:
    theirs, ours = getattr(restate, name), getattr(perdure, name)
    if name == "create_test_harness":
        assert [*parameters(ours)] == [*parameters(theirs)]  # the image of a container is not needed
    else:
        assert_takes_what_theirs_does(theirs, ours)


@pytest.mark.parametrize("theirs", CLASSES, ids=lambda one: one.__name__)
def test_the_methods_of_a_class(theirs: type) -> None:
    ours = getattr(perdure, theirs.__name__)
    if theirs.__name__ not in INTERNAL:
        assert_takes_what_theirs_does(theirs.__init__, ours.__init__)
    for name in dir(theirs):
        if name.startswith("_"):
            continue
        assert hasattr(ours, name), f"{theirs.__name__}.{name}"
        method = getattr(theirs, name)
        if inspect.isfunction(method):
            assert_takes_what_theirs_does(method, getattr(ours, name))


def test_the_classes_of_serdes() -> None:
    for name in MODULES["serde"]:
        theirs, ours = (getattr(importlib.import_module(f"{sdk}.serde"), name) for sdk in ("restate", "perdure"))
        for method in ("serialize", "deserialize"):
            assert_takes_what_theirs_does(getattr(theirs, method), getattr(ours, method))
        if name != "Serde":
            assert_takes_what_theirs_does(theirs.__init__, ours.__init__)
