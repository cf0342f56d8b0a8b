"""What an attempt starts with: the journal, the state, and where and how it is to run."""

import msgspec

from perdure import ids
from perdure.engine.tx import Tx
from perdure.model.invocation import Invocation, Status
from perdure.model.registry import Deployment, Handler, Registry, Service
from perdure.protocol.framing import encode_frame
from perdure.protocol.messages import MessageType, encode_start
from perdure.protocol.seeds import random_seed
from perdure.protocol.versions import choose_version


class AttemptStart(msgspec.Struct):
    """Everything that opening an attempt needs. pause_requested: it is to come to rest as soon as it can."""

    number: int
    attempt: int
    id: str
    key: str | None
    service: str
    handler: str
    deployment: Deployment
    settings: Handler
    protocol_version: int
    known_entries: int
    pause_requested: bool
    frames: bytes
    """To be sent first: the start message and the journal."""

    def take_frames(self) -> bytes:
        """Hands them over; the attempt may last for hours, and need not keep its journal in memory for so long."""
        frames, self.frames = self.frames, b""
        return frames


class CannotStart(msgspec.Struct, frozen=True):
    """Why an attempt cannot even be opened."""

    deployment_id: str
    rt_code: str
    message: str


def load_attempt(
    tx: Tx, number: int, attempt: int, now: int, eager_state_limit: int, highest_version: int
) -> AttemptStart | CannotStart | None:
    """Reads what the attempt needs; None: it is of the past already. eager_state_limit: bytes of names and values."""
    invocation = tx.invocation(number)
    if invocation is None or invocation.attempt != attempt or invocation.status is not Status.INVOKED:
        return None
    found = _code(tx.registry, invocation)
    if isinstance(found, CannotStart):
        return found
    deployment, handler = found
    version = invocation.protocol_version or choose_version(
        deployment.min_version, deployment.max_version, highest_version
    )
    if version is None:
        text = f"deployment {deployment.id} speaks no protocol version that this server has enabled."
        return CannotStart(deployment.id, "RT0013", text)
    if not deployment.min_version <= version <= deployment.max_version:
        text = f"deployment {deployment.id} does not speak the pinned protocol version {version}."
        return CannotStart(deployment.id, "RT0014", text)
    entries = tx.entries(number)
    assert len(entries) == invocation.journal_size
    frames = [_start_frame(tx, invocation, handler, version, now, eager_state_limit)]
    frames += [encode_frame(entry.type, entry.raw) for entry in entries]
    return AttemptStart(
        number=number,
        attempt=attempt,
        id=invocation.id,
        key=invocation.key,
        service=invocation.service,
        handler=invocation.handler,
        deployment=deployment,
        settings=handler,
        protocol_version=version,
        known_entries=len(entries),
        pause_requested=invocation.pause_requested,
        frames=b"".join(frames),
    )


def _code(registry: Registry, invocation: Invocation) -> tuple[Deployment, Handler] | CannotStart:
    """The pinned code, else the newest."""
    service: Service | None
    pin = invocation.deployment_id
    if pin is not None:
        service = registry.revisions.get((pin, invocation.service))
        if service is None:
            text = f"the deployment {pin} that this invocation is pinned to does not exist any more."
            return CannotStart(pin, "RT0011", text)
    else:
        service = registry.services.get(invocation.service)
        if service is None:
            return CannotStart("", "RT0011", f"no deployment offers the service '{invocation.service}'.")
    handler = service.handlers.get(invocation.handler)
    if handler is None:
        # The endpoint would answer 404, and that is the code which such an answer has.
        text = f"the service '{service.name}' of {service.deployment_id} has no handler '{invocation.handler}'."
        return CannotStart(service.deployment_id, "RT0012", text)
    return registry.deployments[service.deployment_id], handler


def _start_frame(
    tx: Tx, invocation: Invocation, handler: Handler, version: int, now: int, eager_state_limit: int
) -> bytes:
    state: list[tuple[bytes, bytes]] = []
    partial = True
    if invocation.key is not None and not handler.lazy_state:
        state, partial = _eager_state(tx.state(invocation.service, invocation.key), eager_state_limit)
    raw_id = ids.decode_invocation_id(invocation.id)
    payload = encode_start(
        raw_id=raw_id,
        debug_id=invocation.id,
        known_entries=invocation.journal_size,
        state=state,
        partial_state=partial,
        key=invocation.key or "",
        retry_count=invocation.retry_count_since_entry,
        duration_ms=max(0, now - invocation.entry_stored_at),
        random_seed=random_seed(ids.decode_invocation_id(invocation.seed_id) if invocation.seed_id else raw_id),
    )
    return encode_frame(MessageType.START, payload)


def _eager_state(entries: list[tuple[bytes, bytes]], limit: int) -> tuple[list[tuple[bytes, bytes]], bool]:
    """As much of the state as fits, and whether something was left out."""
    size = 0
    for index, (name, value) in enumerate(entries):
        size += len(name) + len(value)
        if size > limit:
            return entries[:index], True
    return entries, False
