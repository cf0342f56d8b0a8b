"""Versions of the service protocol and of the discovery manifest, and their content types."""

from typing import Final

MIN_VERSION: Final = 5
MAX_VERSION: Final = 7
DEFAULT_VERSION: Final = 6
"""The highest version used unless the operator enables version 7."""

_INVOCATION_TYPES: Final = {
    version: f"application/vnd.restate.invocation.v{version}" for version in range(MIN_VERSION, MAX_VERSION + 1)
}
_INVOCATION_VERSIONS: Final = {text: version for version, text in _INVOCATION_TYPES.items()}
_MANIFEST_VERSIONS: Final = {
    f"application/vnd.restate.endpointmanifest.v{version}+json": version for version in range(1, 5)
}

MANIFEST_ACCEPT: Final = ", ".join(_MANIFEST_VERSIONS)
"""The `accept` header of a discovery request: all manifest types in rising order."""


def invocation_content_type(version: int) -> str:
    """The content type of both bodies of an attempt. version: MIN_VERSION .. MAX_VERSION."""
    return _INVOCATION_TYPES[version]


def invocation_version(content_type: str) -> int | None:
    """The protocol version a content type stands for; None if it is not exactly one of ours."""
    return _INVOCATION_VERSIONS.get(content_type)


def manifest_version(content_type: str) -> int | None:
    """The manifest version a content type stands for; None if it is not exactly one of ours."""
    return _MANIFEST_VERSIONS.get(content_type)


def choose_version(min_version: int, max_version: int, highest_enabled: int = DEFAULT_VERSION) -> int | None:
    """The version for a new invocation on an endpoint that speaks min_version .. max_version.

    highest_enabled: the server's own highest.  None: there is no common version (RT0013).
    """
    chosen = min(max_version, highest_enabled)
    return chosen if chosen >= max(min_version, MIN_VERSION) else None


def is_supported(min_version: int, max_version: int) -> bool:
    """True if an endpoint's range overlaps ours, whatever is enabled at the moment."""
    return min_version <= MAX_VERSION and max_version >= MIN_VERSION
