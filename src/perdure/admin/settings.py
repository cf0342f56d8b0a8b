"""What the admin API needs to know of the server's configuration."""

from typing import Final

import msgspec

COMPATIBLE_VERSION: Final = "1.7.12"
"""The server version whose behaviour tools may expect; the official command line refuses others too far away."""


class AdminSettings(msgspec.Struct, frozen=True, kw_only=True):
    """ingress_endpoint: URL under which callers reach the ingress. protocol_v7: version 7 is enabled.

    loopback: the admin API listens on this machine alone. hosts: further hosts that browsers may reach it under.
    """

    ingress_endpoint: str
    cluster_name: str = "localcluster"
    node_id: int = 1
    protocol_v7: bool = False
    loopback: bool = False
    hosts: frozenset[str] = frozenset()
