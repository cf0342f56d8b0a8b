"""The client, under the name that code for the official SDK imports."""

from perdure.sdk.client import HttpError, RestateClient, RestateClientSendHandle, RestateScopedClient, create_client

__all__ = ["HttpError", "RestateClient", "RestateClientSendHandle", "RestateScopedClient", "create_client"]
