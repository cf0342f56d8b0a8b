"""TLS towards endpoints."""

import ssl
from functools import cache


@cache
def client_tls(*protocols: str) -> ssl.SSLContext:
    """Verifies the peer against the system's certificates and offers `protocols` by ALPN. Cached: loading is slow."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(list(protocols))
    return context
