"""Services, under the name that code for the official SDK imports."""

from perdure.sdk.services import Service

__all__ = ["Service"]
