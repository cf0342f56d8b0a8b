"""Calling and controlling invocations from outside of handlers, over HTTP or inside of a program.

The names that begin with `Restate` are those of the official package.
"""

from perdure.client.client import Client, create_client
from perdure.client.failures import HttpError, InvocationFailed, NoConnection, NotReady
from perdure.client.handle import InvocationHandle
from perdure.client.scoped import ScopedClient

RestateClient = Client
RestateClientSendHandle = InvocationHandle
RestateScopedClient = ScopedClient

__all__ = [
    "Client",
    "HttpError",
    "InvocationFailed",
    "InvocationHandle",
    "NoConnection",
    "NotReady",
    "RestateClient",
    "RestateClientSendHandle",
    "RestateScopedClient",
    "ScopedClient",
    "create_client",
]
