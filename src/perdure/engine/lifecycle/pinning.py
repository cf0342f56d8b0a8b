"""Moving an invocation to other code: which deployment is meant, and whether it can take the invocation."""

from perdure.model.actions import Refused
from perdure.model.invocation import Invocation
from perdure.model.registry import Registry


def resolve(registry: Registry, invocation: Invocation, deployment: str) -> str | None:
    """The deployment id that is meant, if it offers the invocation's service. deployment: `keep`, `latest` or an id."""
    if deployment == "latest":
        newest = registry.services.get(invocation.service)
        return newest.deployment_id if newest else None
    wanted = invocation.deployment_id if deployment == "keep" else deployment
    return wanted if wanted is not None and (wanted, invocation.service) in registry.revisions else None


def deployment_refusal(registry: Registry, invocation: Invocation, deployment: str, doing: str) -> Refused | None:
    """Why the invocation cannot be moved there. doing: `resume`, for the message."""
    found = resolve(registry, invocation, deployment)
    if found is None:
        text = f"The given deployment was not found when trying to {doing} the invocation"
        return Refused(400, f"{text} '{invocation.id}'.")
    version, target = invocation.protocol_version, registry.deployments[found]
    if version is not None and not target.min_version <= version <= target.max_version:
        text = f"The deployment {found} does not speak protocol version {version}, which the invocation"
        return Refused(400, f"{text} '{invocation.id}' is pinned to.")
    return None
