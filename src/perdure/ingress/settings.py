"""Limits of the ingress."""

import msgspec


class IngressSettings(msgspec.Struct, frozen=True):
    """request_size_limit: bytes of one body. concurrent_requests_limit: requests being answered at once; None: any."""

    request_size_limit: int = 32 * 1024 * 1024
    concurrent_requests_limit: int | None = None
