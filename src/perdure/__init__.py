"""Perdure: durable execution for Python.

The SDK's names are here, `import perdure as restate` is how code for the official SDK moves over. They are loaded when
they are first used, so that `import perdure` costs nothing to those who want something else.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perdure import exceptions as exceptions
    from perdure import extensions as extensions
    from perdure import logging as logging
    from perdure import serde as serde
    from perdure import testing as testing
    from perdure.client import Client as Client
    from perdure.client import HttpError as HttpError
    from perdure.client import InvocationHandle as InvocationHandle
    from perdure.client import NoConnection as NoConnection
    from perdure.client import NotReady as NotReady
    from perdure.client import RestateClient as RestateClient
    from perdure.client import RestateClientSendHandle as RestateClientSendHandle
    from perdure.client import create_client as create_client
    from perdure.embedded import Embedded as Embedded
    from perdure.sdk.codec import JournalValueCodec as JournalValueCodec
    from perdure.sdk.codec import JournalValueCodecProvider as JournalValueCodecProvider
    from perdure.sdk.combinators import all_succeeded as all_succeeded
    from perdure.sdk.combinators import as_completed as as_completed
    from perdure.sdk.combinators import first_succeeded as first_succeeded
    from perdure.sdk.combinators import gather as gather
    from perdure.sdk.combinators import race as race
    from perdure.sdk.combinators import select as select
    from perdure.sdk.combinators import wait_completed as wait_completed
    from perdure.sdk.context import Context as Context
    from perdure.sdk.context import ObjectContext as ObjectContext
    from perdure.sdk.context import ObjectSharedContext as ObjectSharedContext
    from perdure.sdk.context import WorkflowContext as WorkflowContext
    from perdure.sdk.context import WorkflowSharedContext as WorkflowSharedContext
    from perdure.sdk.definitions import InvocationRetryPolicy as InvocationRetryPolicy
    from perdure.sdk.endpoint import Endpoint as Endpoint
    from perdure.sdk.endpoint import app as app
    from perdure.sdk.endpoint import endpoint as endpoint
    from perdure.sdk.exceptions import RetryableError as RetryableError
    from perdure.sdk.exceptions import SdkInternalBaseException as SdkInternalBaseException
    from perdure.sdk.exceptions import TerminalError as TerminalError
    from perdure.sdk.exceptions import is_internal_exception as is_internal_exception
    from perdure.sdk.futures import RestateDurableCallFuture as RestateDurableCallFuture
    from perdure.sdk.futures import RestateDurableFuture as RestateDurableFuture
    from perdure.sdk.futures import RestateDurableSleepFuture as RestateDurableSleepFuture
    from perdure.sdk.futures import SendHandle as SendHandle
    from perdure.sdk.log import RestateLoggingFilter as RestateLoggingFilter
    from perdure.sdk.log import getLogger as getLogger
    from perdure.sdk.promises import DurablePromise as DurablePromise
    from perdure.sdk.request import Request as Request
    from perdure.sdk.runs import RunOptions as RunOptions
    from perdure.sdk.scoped import ScopedContext as ScopedContext
    from perdure.sdk.services import Service as Service
    from perdure.sdk.services import VirtualObject as VirtualObject
    from perdure.sdk.services import Workflow as Workflow
    from perdure.sdk.serving import serve as serve
    from perdure.testing import HarnessEnvironment as HarnessEnvironment
    from perdure.testing import create_test_harness as create_test_harness

__version__ = "0.1.0"

_MODULES = ("client", "exceptions", "extensions", "logging", "serde", "testing")
_NAMES = {
    "client": (
        "Client",
        "HttpError",
        "InvocationHandle",
        "NoConnection",
        "NotReady",
        "RestateClient",
        "RestateClientSendHandle",
        "create_client",
    ),
    "embedded": ("Embedded",),
    "sdk.codec": ("JournalValueCodec", "JournalValueCodecProvider"),
    "sdk.combinators": (
        "all_succeeded",
        "as_completed",
        "first_succeeded",
        "gather",
        "race",
        "select",
        "wait_completed",
    ),
    "sdk.context": ("Context", "ObjectContext", "ObjectSharedContext", "WorkflowContext", "WorkflowSharedContext"),
    "sdk.definitions": ("InvocationRetryPolicy",),
    "sdk.endpoint": ("Endpoint", "app", "endpoint"),
    "sdk.exceptions": ("RetryableError", "SdkInternalBaseException", "TerminalError", "is_internal_exception"),
    "sdk.futures": ("RestateDurableCallFuture", "RestateDurableFuture", "RestateDurableSleepFuture", "SendHandle"),
    "sdk.log": ("RestateLoggingFilter", "getLogger"),
    "sdk.promises": ("DurablePromise",),
    "sdk.request": ("Request",),
    "sdk.runs": ("RunOptions",),
    "sdk.scoped": ("ScopedContext",),
    "sdk.services": ("Service", "VirtualObject", "Workflow"),
    "sdk.serving": ("serve",),
    "testing": ("HarnessEnvironment", "create_test_harness"),
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        found: Any = importlib.import_module(f"perdure.{name}")
    elif name in _WHERE:
        found = getattr(importlib.import_module(f"perdure.{_WHERE[name]}"), name)
    else:
        raise AttributeError(f"module 'perdure' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE, *_MODULES})
