"""Endpoints, under the name that code for the official SDK imports."""

from perdure.sdk.endpoint import Endpoint, app, endpoint

__all__ = ["Endpoint", "app", "endpoint"]
