"""The discovery manifest: what an endpoint says it offers.

All manifest versions are read with the newest one's schema, as versions only ever added fields. The
structs keep the manifest's own words (`EXCLUSIVE`, milliseconds, None for what is not said); which value
is in force is the registry's business.
"""

import re
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

import msgspec

from perdure.errors import PerdureError
from perdure.protocol import versions
from perdure.protocol.json_schema import BadSchema, check_schema

ServiceName: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9._-]*\Z")]
HandlerName: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*\Z")]
# What is stored must fit a signed 64-bit integer.
Milliseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
# A back-off must stay a number, and not run backwards.
Factor: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e300)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
ServiceTy: TypeAlias = Literal["SERVICE", "VIRTUAL_OBJECT", "WORKFLOW"]
HandlerTy: TypeAlias = Literal["EXCLUSIVE", "SHARED", "WORKFLOW"]

_MAX_VERSION_NUMBER: Final = 2**31 - 1
_TOKEN: Final = r"[A-Za-z0-9!#$&^_.+-]+"
_INPUT_CONTENT_TYPE: Final = re.compile(rf"(\*/\*|{_TOKEN}/(\*|{_TOKEN}))([ ]*;[\x20-\x7e]*)?")
_OUTPUT_CONTENT_TYPE: Final = re.compile(rf"{_TOKEN}/{_TOKEN}([ ]*;[\x20-\x7e]*)?")
_HANDLER_TYPES: Final[dict[ServiceTy, frozenset[HandlerTy]]] = {
    "SERVICE": frozenset({"SHARED"}),
    "VIRTUAL_OBJECT": frozenset({"EXCLUSIVE", "SHARED"}),
    "WORKFLOW": frozenset({"SHARED", "WORKFLOW"}),
}


class ManifestError(PerdureError):
    """The discovery answer cannot be used.

    http_status: what the admin API answers, 500 for an answer that is not understood, 400 for one that is
    understood and wrong.  restate_code: a META code, or None.
    """

    code: ClassVar[str] = "E0120"
    hint: ClassVar[str] = "Correct the endpoint and register it again."

    def __init__(self, message: str, http_status: int, restate_code: str | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.restate_code = restate_code


class Options(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What can be said for a service and for each handler. None: not said."""

    documentation: str | None = None
    metadata: dict[str, str] | None = None
    inactivity_timeout: Milliseconds | None = None
    abort_timeout: Milliseconds | None = None
    journal_retention: Milliseconds | None = None
    idempotency_retention: Milliseconds | None = None
    enable_lazy_state: bool | None = None
    ingress_private: bool | None = None
    retry_policy_initial_interval: Milliseconds | None = None
    retry_policy_max_interval: Milliseconds | None = None
    retry_policy_exponentiation_factor: Factor | None = None
    retry_policy_max_attempts: Count | None = None
    retry_policy_on_max_attempts: Literal["PAUSE", "KILL"] | None = None


class InputManifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a handler takes. content_type None: an empty body and no content type.

    json_schema: decoded JSON, also a bool; None: not given.
    """

    required: bool | None = None
    content_type: str | None = None
    json_schema: Any = None


class OutputManifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a handler gives. content_type None: no content type is set.  json_schema: as above."""

    content_type: str | None = None
    set_content_type_if_empty: bool | None = None
    json_schema: Any = None


class HandlerManifest(Options, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One handler. ty None: by the type of the service, shared in a workflow."""

    name: HandlerName
    ty: HandlerTy | None = None
    input: InputManifest | None = None
    output: OutputManifest | None = None
    workflow_completion_retention: Milliseconds | None = None


class ServiceManifest(Options, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One service. A name given twice in `handlers` is legal: the last one counts."""

    name: ServiceName
    ty: ServiceTy
    handlers: list[HandlerManifest]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The whole answer. A name given twice in `services` is legal: the last one counts."""

    min_protocol_version: int
    max_protocol_version: int
    services: list[ServiceManifest]
    protocol_mode: Literal["BIDI_STREAM", "REQUEST_RESPONSE"] | None = None
    lambda_compression: Literal["zstd"] | None = None

    @property
    def bidirectional(self) -> bool:
        """True: request and response bodies flow at once."""
        return self.protocol_mode == "BIDI_STREAM"


_decoder: Final = msgspec.json.Decoder(Manifest)


def accept_header() -> str:
    """The `accept` header of a discovery request."""
    return versions.MANIFEST_ACCEPT


def decode_manifest(body: bytes) -> Manifest:
    """Reads a manifest and checks its shape alone; for those that were accepted before. Raises: ManifestError."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"the discovery answer cannot be decoded: {error}", 500) from None


def parse_manifest(content_type: str | None, body: bytes, *, can_stream: bool = True) -> Manifest:
    """Reads and checks a discovery answer.

    content_type: the response header, None if missing.  can_stream: False for Lambda, which cannot carry a
    request and a response at once.  Raises: ManifestError.
    """
    if content_type is None:
        raise ManifestError("the discovery answer has no content type", 500, "META0013")
    if versions.manifest_version(content_type) is None:
        message = f"the discovery answer has the content type '{content_type}', expected one of {accept_header()}"
        raise ManifestError(message, 500, "META0013")
    manifest = decode_manifest(body)
    _check_protocol(manifest, can_stream)
    for service in manifest.services:
        _check_service(service)
    return manifest


def _check_protocol(manifest: Manifest, can_stream: bool) -> None:
    low, high = manifest.min_protocol_version, manifest.max_protocol_version
    if manifest.protocol_mode is None:
        raise ManifestError("the discovery answer has no protocolMode", 500, "META0013")
    if not 1 <= low <= high <= _MAX_VERSION_NUMBER:
        raise ManifestError(f"the protocol versions {low} to {high} are not a valid range", 500, "META0013")
    if not versions.is_supported(low, high):
        message = f"the endpoint speaks the protocol versions {low} to {high}, this server "
        message += f"{versions.MIN_VERSION} to {versions.MAX_VERSION}"
        raise ManifestError(message, 500, "META0012")
    if manifest.bidirectional and not can_stream:
        raise ManifestError("the endpoint announces BIDI_STREAM over a transport that cannot stream", 500, "META0015")


def _check_service(service: ServiceManifest) -> None:
    name = service.name.lower()
    if name.startswith("restate") or name == "openapi":
        message = f"cannot insert/modify service '{service.name}' as it contains a reserved name"
        raise ManifestError(message, 400, "META0005")
    for handler in service.handlers:
        try:
            _check_handler(service, handler)
        except _Wrong as wrong:
            raise ManifestError(f"handler '{service.name}/{handler.name}': {wrong}", 400) from None


class _Wrong(Exception):
    """What is wrong with a handler."""


def _check_handler(service: ServiceManifest, handler: HandlerManifest) -> None:
    if handler.ty is not None and handler.ty not in _HANDLER_TYPES[service.ty]:
        raise _Wrong(f"the type {handler.ty} is not possible in a service of type {service.ty}")
    if handler.workflow_completion_retention is not None and handler.ty != "WORKFLOW":
        raise _Wrong("workflowCompletionRetention is only possible on a handler of type WORKFLOW")
    if service.ingress_private and handler.ingress_private is False:
        raise _Wrong("a private service cannot have a public handler")
    if handler.input is not None:
        if handler.input.content_type is not None and not _INPUT_CONTENT_TYPE.fullmatch(handler.input.content_type):
            raise _Wrong(f"'{handler.input.content_type}' is not a content type for inputs")
        _check_schema("input", handler.input.json_schema)
    if handler.output is not None:
        if handler.output.content_type is not None and not _OUTPUT_CONTENT_TYPE.fullmatch(handler.output.content_type):
            raise _Wrong(f"'{handler.output.content_type}' is not a content type for outputs")
        _check_schema("output", handler.output.json_schema)


def _check_schema(which: str, schema: Any) -> None:
    if schema is None:
        return
    try:
        check_schema(schema)
    except BadSchema as error:
        raise _Wrong(f"bad JSON schema of the {which}: {error}") from None
