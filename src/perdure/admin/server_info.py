"""Routes about the server itself."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from perdure import __version__
from perdure.admin import schemas
from perdure.admin.responses import json_response
from perdure.admin.settings import COMPATIBLE_VERSION, AdminSettings
from perdure.admin.versions import NEWEST, OLDEST

_FEATURES_OFF: Final = (
    "vqueues",
    "scoped_virtual_objects",
    "scoped_state_table_migration",
    "scoped_promise_table_migration",
    "kafka_scope",
    "invoker_yield",
    "unique_random_seeds",
    "vqueues_async_refill",
    "vqueues_migration_skip_completed",
    "vqueue_obsolete_cleanup",
    "preflight_invocation_termination_retention",
)


class ServerInfo:
    """Handles `/health`, `/version` and `/cluster-health`."""

    def __init__(self, settings: AdminSettings) -> None:
        self._settings = settings

    async def health(self, _: Request) -> Response:
        return Response()

    async def version(self, _: Request) -> Response:
        features = dict.fromkeys(_FEATURES_OFF, False) | {"protocol_v7": self._settings.protocol_v7}
        return json_response(
            schemas.VersionInformation(
                version=COMPATIBLE_VERSION,
                perdure_version=__version__,
                min_admin_api_version=OLDEST,
                max_admin_api_version=NEWEST,
                ingress_endpoint=self._settings.ingress_endpoint,
                features=features,
            )
        )

    async def cluster_health(self, _: Request) -> Response:
        members = schemas.MetadataClusterHealth([self._settings.node_id])
        return json_response(schemas.ClusterHealth(self._settings.cluster_name, members))
