"""The JSON of the admin API: what comes in, and what goes out. Fields without a value are left out."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from perdure.admin.requests import Duration

Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]

# Requests.


class RegisterDeploymentRequest(msgspec.Struct, frozen=True):
    """Exactly one of `uri` and `arn`."""

    uri: str | None = None
    arn: str | None = None
    additional_headers: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    use_http_11: bool = False
    auth: dict[str, Any] | None = None
    assume_role_arn: str | None = None
    force: bool | None = None
    breaking: bool = False
    dry_run: bool = False


class UpdateDeploymentRequest(msgspec.Struct, frozen=True):
    uri: str | None = None
    arn: str | None = None
    additional_headers: dict[str, str] | None = None
    use_http_11: bool | None = None
    assume_role_arn: str | None = None
    overwrite: bool = False
    dry_run: bool = False


class ModifyServiceRequest(msgspec.Struct, frozen=True):
    """null or missing: leave it as it is."""

    public: bool | None = None
    idempotency_retention: Duration | None = None
    workflow_completion_retention: Duration | None = None
    journal_retention: Duration | None = None
    inactivity_timeout: Duration | None = None
    abort_timeout: Duration | None = None


class ModifyServiceStateRequest(msgspec.Struct, frozen=True):
    """new_state replaces the whole state of the key. version: only if the present state has it."""

    object_key: str
    new_state: dict[str, list[Byte] | str]
    version: str | None = None
    scope: str | None = None


class ChangeStateEntryRequest(msgspec.Struct, frozen=True):
    """before: what the entry was when it was seen. value: what it shall be. null: there is no such entry."""

    object_key: str
    name: str
    before: list[Byte] | str | None
    value: list[Byte] | str | None


class ResolveAwakeableRequest(msgspec.Struct, frozen=True):
    """value: any JSON; its bytes are what the invocation gets."""

    value: msgspec.Raw


class RejectAwakeableRequest(msgspec.Struct, frozen=True):
    """message: of the failure that the invocation gets, with code 500."""

    message: str


class ResolveSignalRequest(ResolveAwakeableRequest, frozen=True):
    """name: of the signal."""

    name: str


class RejectSignalRequest(RejectAwakeableRequest, frozen=True):
    """name: of the signal."""

    name: str


class ResolvePromiseRequest(ResolveAwakeableRequest, frozen=True):
    """key: of the workflow. name: of the promise."""

    key: str
    name: str


class RejectPromiseRequest(RejectAwakeableRequest, frozen=True):
    """key: of the workflow. name: of the promise."""

    key: str
    name: str


class QueryRequest(msgspec.Struct, frozen=True):
    query: str


# Answers.


class SchemaInfo(msgspec.Struct, frozen=True):
    code: str
    message: str


class HandlerRetryPolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    max_attempts: int | None
    initial_interval: str | UnsetType = UNSET
    exponentiation_factor: float | UnsetType = UNSET
    max_interval: str | UnsetType = UNSET
    on_max_attempts: str | UnsetType = UNSET


class HandlerMetadata(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    public: bool
    input_description: str
    output_description: str
    retry_policy: HandlerRetryPolicy
    ty: str | UnsetType = UNSET
    documentation: str | UnsetType = UNSET
    metadata: dict[str, str] = {}
    input_json_schema: Any = UNSET
    output_json_schema: Any = UNSET
    idempotency_retention: str | UnsetType = UNSET
    journal_retention: str | UnsetType = UNSET
    inactivity_timeout: str | UnsetType = UNSET
    abort_timeout: str | UnsetType = UNSET
    enable_lazy_state: bool | UnsetType = UNSET


class ServiceRetryPolicy(msgspec.Struct, frozen=True):
    initial_interval: str
    exponentiation_factor: float
    max_attempts: int | None
    max_interval: str
    on_max_attempts: str


class ServiceMetadata(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    ty: str
    handlers: list[HandlerMetadata]
    deployment_id: str
    revision: int
    public: bool
    idempotency_retention: str
    journal_retention: str
    inactivity_timeout: str
    abort_timeout: str
    enable_lazy_state: bool
    retry_policy: ServiceRetryPolicy
    workflow_completion_retention: str | UnsetType = UNSET
    documentation: str | UnsetType = UNSET
    metadata: dict[str, str] = {}
    info: list[SchemaInfo] = []


class ServiceNameRevision(msgspec.Struct, frozen=True):
    name: str
    revision: int


class RegisterDeploymentResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    services: list[ServiceMetadata]
    min_protocol_version: int
    max_protocol_version: int
    sdk_version: str | UnsetType = UNSET
    info: list[SchemaInfo] = []


class DeploymentFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    uri: str
    protocol_type: str
    http_version: str
    created_at: str
    min_protocol_version: int
    max_protocol_version: int
    sdk_version: str | UnsetType = UNSET
    additional_headers: dict[str, str] = {}
    metadata: dict[str, str] = {}


class DeploymentResponse(DeploymentFacts, frozen=True, kw_only=True, omit_defaults=True):
    """One of a list."""

    services: list[ServiceNameRevision]


class DetailedDeploymentResponse(DeploymentFacts, frozen=True, kw_only=True, omit_defaults=True):
    services: list[ServiceMetadata]


class ListDeploymentsResponse(msgspec.Struct, frozen=True):
    deployments: list[DeploymentResponse]


class ListServicesResponse(msgspec.Struct, frozen=True):
    services: list[ServiceMetadata]


class ListHandlersResponse(msgspec.Struct, frozen=True):
    handlers: list[HandlerMetadata]


class VersionInformation(msgspec.Struct, frozen=True):
    """version: of the compatible server. perdure_version: of this program."""

    version: str
    perdure_version: str
    min_admin_api_version: int
    max_admin_api_version: int
    ingress_endpoint: str
    features: dict[str, bool]


class MetadataClusterHealth(msgspec.Struct, frozen=True):
    members: list[int]


class ClusterHealth(msgspec.Struct, frozen=True):
    cluster_name: str
    metadata_cluster_health: MetadataClusterHealth


class QueryError(msgspec.Struct, frozen=True):
    """restate_code: stable code, explained in docs/reference/errors.md."""

    message: str
    restate_code: str


class SendResponse(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """status: `Accepted`, or `PreviouslyAccepted` when it was there already. execution_time: RFC 3339, if delayed."""

    invocation_id: str
    status: str
    execution_time: str | UnsetType = UNSET


class ChangeStateEntryResponse(msgspec.Struct, frozen=True):
    """applied: it is done. Else it waits for its turn behind the invocation that holds the key."""

    applied: bool


class RestartAsNewResponse(msgspec.Struct, frozen=True):
    """The id of the new invocation, under the name of the official server and under the one of the ingress."""

    new_invocation_id: str
    invocation_id: str = msgspec.field(name="invocationId")


class BatchRequest(msgspec.Struct, frozen=True):
    """deployment: for resume and restart-as-new; `Keep`, `Latest` or a deployment id."""

    invocation_ids: list[str]
    deployment: str | None = None


class BatchFailure(msgspec.Struct, frozen=True):
    invocation_id: str
    error: str


class BatchResponse(msgspec.Struct, frozen=True):
    succeeded: list[str]
    failed: list[BatchFailure]


class RestartedInvocation(msgspec.Struct, frozen=True):
    old_invocation_id: str
    new_invocation_id: str


class BatchRestartResponse(msgspec.Struct, frozen=True):
    succeeded: list[RestartedInvocation]
    failed: list[BatchFailure]
