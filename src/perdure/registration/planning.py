"""Decides what a registration, an update or a removal makes of the registry. The caller stores what comes out."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from perdure.model.registry import Deployment, Discovered, Registry
from perdure.protocol.manifest import Manifest, decode_manifest
from perdure.registration.services import service_kind

_HOST: Final = re.compile(r"(?:\[[0-9a-fA-F:.]+\]|[^\s\[\]<>\"`{}|\\^:@/?#]+)(?::\d{1,5})?")
_UNSAFE: Final = re.compile(r"[^\x21-\x7e]|[<>\"`{}|\\^]")


class RegistrationError(Exception):
    """The registry does not take it. status: of the admin API. code: stable code or None."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class BadUri(ValueError):
    """Text that is no URI at all."""


class RelativeUri(BadUri):
    """A URI that names no host."""


class Registration(msgspec.Struct, frozen=True):
    """What somebody wants registered. uri: normalised. force: again, though it is known. breaking: types may change."""

    uri: str
    additional_headers: dict[str, str] = {}
    metadata: dict[str, str] = {}
    force: bool = False
    breaking: bool = False


class Planned(msgspec.Struct, frozen=True):
    """A deployment to store. created: its id is new. reset_settings: operators' changes to its services are void."""

    deployment: Deployment
    created: bool
    reset_settings: bool


def normalise_uri(text: str) -> str:
    """The form in which endpoints are told apart: lower-case scheme and host, a path of at least `/`, no fragment.

    Raises: RelativeUri when it is not absolute, BadUri when it is not a URI of http or https.
    """
    if not text or _UNSAFE.search(text):
        raise BadUri(f"'{text}' is not a URI")
    try:
        parts = urlsplit(text)
        _ = parts.port  # looked at for its error alone
    except ValueError as error:
        raise BadUri(f"'{text}' is not a URI: {error}") from None
    if "://" not in text or not parts.scheme:
        raise RelativeUri(f"The provided uri {text} is not absolute, only absolute URIs can be used.")
    if parts.scheme.lower() not in ("http", "https"):
        raise BadUri(f"'{text}' is neither an http nor an https URI")
    if not _HOST.fullmatch(parts.netloc):
        raise BadUri(f"'{text}' names no usable host")
    return parts._replace(
        scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), path=parts.path or "/", fragment=""
    ).geturl()


def find_by_uri(registry: Registry, uri: str) -> Deployment | None:
    """The deployment at that address; the oldest if an update made two share it."""
    found = [deployment for deployment in registry.deployments.values() if deployment.uri == uri]
    return min(found, key=lambda deployment: (deployment.created_at, deployment.id), default=None)


def plan_registration(
    registry: Registry, discovered: Discovered, request: Registration, new_id: str, now: int
) -> Planned:
    """What to store for a registration that was discovered, and is either new or forced.

    new_id: for an address that is not known. now: ms since the epoch. Raises: RegistrationError.
    """
    manifest = decode_manifest(discovered.manifest)
    if not (request.force or request.breaking):
        _check_types(registry, manifest)
    sharing = [deployment for deployment in registry.deployments.values() if deployment.uri == request.uri]
    if len(sharing) > 1:
        ids = ", ".join(sorted(deployment.id for deployment in sharing))
        message = f"several deployments have the address {request.uri}: {ids}. Delete or move all but one first."
        raise RegistrationError(409, message, "META0017")
    known = sharing[0] if sharing else None
    deployment = Deployment(
        id=known.id if known else new_id,
        uri=request.uri,
        bidirectional=discovered.bidirectional,
        http_version=discovered.http_version,
        min_version=discovered.min_version,
        max_version=discovered.max_version,
        sdk_version=discovered.sdk_version,
        created_at=now,
        manifest=discovered.manifest,
        revisions={name: _next_revision(registry, name) for name in _names(manifest)},
        additional_headers=request.additional_headers,
        metadata=request.metadata,
    )
    return Planned(deployment, created=known is None, reset_settings=True)


def plan_update(
    registry: Registry,
    old: Deployment,
    discovered: Discovered,
    uri: str,
    additional_headers: dict[str, str],
    *,
    overwrite: bool,
) -> Planned:
    """What to store for a changed address or changed headers. overwrite: its services change too, in place.

    Raises: RegistrationError.
    """
    moved = msgspec.structs.replace(
        old,
        uri=uri,
        additional_headers=additional_headers,
        bidirectional=discovered.bidirectional,
        http_version=discovered.http_version,
        min_version=discovered.min_version,
        max_version=discovered.max_version,
        sdk_version=discovered.sdk_version,
    )
    if not overwrite:
        return Planned(moved, created=False, reset_settings=False)
    manifest = decode_manifest(discovered.manifest)
    revisions = {name: old.revisions.get(name) or _next_revision(registry, name) for name in _names(manifest)}
    renewed = msgspec.structs.replace(moved, manifest=discovered.manifest, revisions=revisions)
    return Planned(renewed, created=False, reset_settings=True)


def _names(manifest: Manifest) -> Iterable[str]:
    return (service.name for service in manifest.services)


def _next_revision(registry: Registry, service: str) -> int:
    newest = registry.services.get(service)
    return newest.revision + 1 if newest else 1


def _check_types(registry: Registry, manifest: Manifest) -> None:
    for service in manifest.services:
        newest = registry.services.get(service.name)
        if newest is not None and newest.kind is not service_kind(service):
            message = f"detected a new service revision for '{service.name}' changing the service type from previous "
            message += "revision. Service type cannot be changed across revisions."
            raise RegistrationError(409, message, "META0006")
