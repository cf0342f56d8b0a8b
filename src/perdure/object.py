"""Virtual objects, under the name that code for the official SDK imports."""

from perdure.sdk.services import VirtualObject

__all__ = ["VirtualObject"]
