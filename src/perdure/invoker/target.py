"""The address of an HTTP endpoint."""

from urllib.parse import urlsplit

import msgspec


class InvalidTarget(ValueError):
    """The URI cannot be an endpoint's address. `str()` says why."""


class Target(msgspec.Struct, frozen=True):
    """Where an endpoint listens, and where in it the service protocol is mounted.

    authority: host, and the port if it is not the scheme's own. base_path: without a slash at the end, may be empty.
    query: without the question mark, may be empty.
    """

    scheme: str
    host: str
    port: int
    authority: str
    base_path: str
    query: str

    @property
    def tls(self) -> bool:
        return self.scheme == "https"

    def request_path(self, path: str) -> str:
        """The path and query to ask for. path: below the base path, beginning with a slash."""
        full = f"{self.base_path}{path}"
        return f"{full}?{self.query}" if self.query else full

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base_path}"


_DEFAULT_PORTS = {"http": 80, "https": 443}


def parse_target(uri: str) -> Target:
    """Raises: InvalidTarget."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise InvalidTarget(f"{uri!r} is not a URI: {error}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise InvalidTarget(f"{uri!r} must begin with http:// or https://")
    if not parts.hostname:
        raise InvalidTarget(f"{uri!r} names no host")
    if "@" in parts.netloc:
        raise InvalidTarget("credentials in the URI are not sent; give an authorization header instead")
    if not (parts.path + parts.query).isascii() or any(c <= " " for c in parts.path + parts.query):
        raise InvalidTarget(f"{uri!r} must be percent-encoded")
    try:
        host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InvalidTarget(f"{uri!r}: not a host name: {error}") from None
    default_port = _DEFAULT_PORTS[parts.scheme]
    authority = f"[{host}]" if ":" in host else host
    if port is not None and port != default_port:
        authority = f"{authority}:{port}"
    return Target(
        scheme=parts.scheme,
        host=host,
        port=port if port is not None else default_port,
        authority=authority,
        base_path=parts.path.rstrip("/"),
        query=parts.query,
    )
