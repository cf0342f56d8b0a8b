"""What a handler accepts as a body."""

from perdure.ingress.responses import IngressError
from perdure.model.registry import InputRules

_PREFIX = "input validation error: "


def check_input(rules: InputRules, content_type: str | None, body_is_empty: bool) -> None:
    """Raises: IngressError 400, for the last of the handler's rules that does not fit."""
    accepted = rules.content_type
    if accepted is None:
        if content_type is None and body_is_empty:
            return
        seen = "None" if content_type is None else f'Some("{content_type}")'
        text = f"Expected body and content-type to be empty, but wasn't with content-type '{seen}'"
        raise IngressError(400, _PREFIX + text)
    if content_type is None:
        if body_is_empty and not rules.required:
            return
        raise IngressError(400, _PREFIX + "Empty content-type")
    if not matches(content_type, accepted):
        raise IngressError(400, f"{_PREFIX}Content-type '{content_type}' does not match '{accepted}'")
    if rules.json and body_is_empty:
        raise IngressError(400, _PREFIX + "Empty body not allowed")


def matches(content_type: str, accepted: str) -> bool:
    """Compares type and subtype, case included; parameters are ignored. accepted: may be `type/*` or `*/*`."""
    if accepted in (content_type, "*/*"):
        return True
    essence = content_type.partition(";")[0].strip()
    if accepted.endswith("/*"):
        return essence.startswith(accepted[:-1])
    return essence == accepted
