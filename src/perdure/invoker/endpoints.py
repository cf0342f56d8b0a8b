"""Which transport leads to a deployment, and what every request to it carries."""

import asyncio

from perdure.clock import Clock
from perdure.invoker.endpoint import connect
from perdure.invoker.nowhere import NotRunning
from perdure.invoker.transport import Transport
from perdure.model.registry import Deployment
from perdure.protocol.identity import RequestSigner

CLUSTER_NAME = "localcluster"

LOCAL_SCHEMES = ("perdure-worker://", "perdure-asgi://")
"""Addresses of code that a server runs itself."""


class Endpoints:
    """Transports by address; those to workers and to apps in this process are put in by whoever runs them."""

    def __init__(self, clock: Clock, signer: RequestSigner | None) -> None:
        self.loop = asyncio.get_running_loop()
        self._clock = clock
        self._signer = signer
        self._local: dict[str, Transport] = {}
        self._remote: dict[tuple[str, str, bool], Transport] = {}

    def add_local(self, uri: str, transport: Transport) -> None:
        """uri: as in `Deployment.uri`, not http or https."""
        self._local[uri] = transport

    def transport(self, deployment: Deployment) -> Transport:
        return self.transport_to(deployment.uri, deployment.http_version, deployment.bidirectional)

    def transport_to(self, uri: str, http_version: str, bidirectional: bool) -> Transport:
        local = self._local.get(uri)
        if local is not None:
            return local
        if uri.startswith(LOCAL_SCHEMES):
            return NotRunning()
        place = (uri, http_version, bidirectional)
        remote = self._remote.get(place)
        if remote is None:
            remote = connect(uri, http11=http_version == "HTTP/1.1", bidirectional=bidirectional)
            self._remote[place] = remote
        return remote

    def extra_headers(self, deployment: Deployment, path: str, key: str | None) -> list[tuple[str, str]]:
        """Headers beyond the protocol's own: cluster, signature, and what the operator set for the deployment."""
        headers = [("x-restate-cluster-name", CLUSTER_NAME)]
        if self._signer is not None:
            headers += self._signer.headers(path, key, self._clock.now() // 1000)
        headers += deployment.additional_headers.items()
        return headers

    async def close(self) -> None:
        for transport in (*self._local.values(), *self._remote.values()):
            await transport.close()
