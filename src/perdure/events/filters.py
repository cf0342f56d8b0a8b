"""Which invocations a list has: the same condition as SQL for the snapshot, and on a row for what changes later."""

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from perdure.events.problems import BadTopic
from perdure.ids import BadId, decode_invocation_id
from perdure.model.timestamps import parse_time

DEFAULT_LIMIT: Final = 100
LIMIT_MAX: Final = 500
VALUES_MAX: Final = 100

STATUSES: Final = ("pending", "scheduled", "ready", "running", "backing-off", "suspended", "paused", "completed")

_FIXED: Final = {
    "service": "target_service_name",
    "handler": "target_handler_name",
    "key": "target_service_key",
    "id": "id",
    "kind": "target_service_ty",
    "caller": "invoked_by_id",
    "restarted_from": "restarted_from",
    "idempotency_key": "idempotency_key",
}
"""Columns that stay as they are as long as the invocation is there."""

_MOVING: Final = {"status": "status", "result": "completion_result", "deployment": "pinned_deployment_id"}
_WORDS: Final = {
    "status": STATUSES,
    "result": ("success", "failure"),
    "kind": ("service", "virtual_object", "workflow"),
    "counts": ("true", "false"),
}
_TIMES: Final = ("created_after", "created_before")
_SEARCHED: Final = ("id", "target", "idempotency_key", "last_failure", "completion_failure")
_NAMES: Final = (*_MOVING, *_FIXED, "text", *_TIMES, "limit", "counts")

Row = dict[str, Any]


class InvocationFilter(msgspec.Struct, frozen=True):
    """columns: name to the values that match. text: lower case, None: any. created: ms, from the one to the other."""

    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    text: str | None = None
    created_after: int | None = None
    created_before: int | None = None
    limit: int = DEFAULT_LIMIT
    counts: bool = False

    def may_take(self, row: Row) -> bool:
        """False: the row can never match, whatever becomes of it."""
        return self._columns_match(row, _FIXED.values()) and self._is_of_time(row["created_at"])

    def _is_of_time(self, created_at: str) -> bool:
        if self.created_after is None and self.created_before is None:
            return True
        created = parse_time(created_at)
        return (self.created_after is None or created >= self.created_after) and (
            self.created_before is None or created < self.created_before
        )

    def takes(self, row: Row) -> bool:
        """row: one that may be taken."""
        return self._columns_match(row, _MOVING.values()) and (
            self.text is None or contains(self.text, *map(row.get, _SEARCHED))
        )

    def _columns_match(self, row: Row, names: Iterable[str]) -> bool:
        return all(row.get(name) in values for name, values in self.columns if name in names)

    @property
    def counted(self) -> "InvocationFilter":
        """The same for all lists with the same invocations."""
        return msgspec.structs.replace(self, limit=DEFAULT_LIMIT, counts=False)

    @property
    def conditions(self) -> tuple[str, list[str | int]]:
        """For SQL over `sys_invocation`: conditions joined by AND, and what is bound in them."""
        parts: list[str] = []
        bound: list[str | int] = []
        for name, values in self.columns:
            parts.append(f"{name} IN ({', '.join('?' * len(values))})")
            bound += values
            if name == "status":
                # Of the stored status, in the words of its index.
                stored = {_STORED_STATUS.get(value, value) for value in values}
                open_only = "" if "completed" in stored else "stored_status <> 'completed' AND "
                parts.append(f"{open_only}stored_status IN ({', '.join('?' * len(stored))})")
                bound += sorted(stored)
        for operator, moment in ((">=", self.created_after), ("<", self.created_before)):
            if moment is not None:
                parts.append(f"created_at {operator} ?")
                bound.append(moment)
        if self.text is not None:
            parts.append(f"contains_text(?, {', '.join(_SEARCHED)})")
            bound.append(self.text)
        return " AND ".join(parts) or "TRUE", bound


_STORED_STATUS: Final = {"pending": "inboxed", "ready": "invoked", "running": "invoked", "backing-off": "invoked"}


def contains(wanted: str, *texts: str | None) -> bool:
    return any(wanted in text.lower() for text in texts if text is not None)


def parse_filter(text: str) -> InvocationFilter:
    """text: `status=running&service=Greeter`. Raises: BadTopic."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=VALUES_MAX)
    except ValueError:
        raise BadTopic(f"a filter has more than {VALUES_MAX} values") from None
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in _NAMES:
            raise BadTopic(f"`{name}` is no filter of invocations; there are {', '.join(_NAMES)}")
        if name in _WORDS and value not in _WORDS[name]:
            raise BadTopic(f"`{name}` cannot be `{value}`; it is one of {', '.join(_WORDS[name])}")
        given.setdefault(name, []).append(value)
    for name in ("text", *_TIMES, "limit", "counts"):
        if len(given.get(name, ())) > 1:
            raise BadTopic(f"`{name}` is given twice")
    for value in given.get("id", ()):
        try:
            decode_invocation_id(value)
        except BadId as error:
            raise BadTopic(f"`{value}` is not an invocation id: {error}") from None
    columns = {column: tuple(given[name]) for name, column in (_MOVING | _FIXED).items() if name in given}
    return InvocationFilter(
        columns=tuple(columns.items()),
        text=_read(given, "text", str.lower),
        created_after=_read(given, "created_after", parse_time),
        created_before=_read(given, "created_before", parse_time),
        limit=_read(given, "limit", _limit) or DEFAULT_LIMIT,
        counts=given.get("counts") == ["true"],
    )


def _read(given: dict[str, list[str]], name: str, read: Callable[[str], Any]) -> Any:
    if name not in given:
        return None
    [value] = given[name]
    try:
        return read(value)
    except (ValueError, OverflowError):
        raise BadTopic(f"`{name}` cannot be `{value}`; write it like {_EXAMPLES[name]}") from None


def _limit(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < len(str(LIMIT_MAX)) + 1):
        raise ValueError
    limit = int(value)
    if not 1 <= limit <= LIMIT_MAX:
        raise ValueError
    return limit


_EXAMPLES: Final = {
    "created_after": "2026-11-21T10:00:00Z",
    "created_before": "2026-11-21T10:00:00Z",
    "limit": f"a number from 1 to {LIMIT_MAX}",
}
