"""SQL functions: those that the views are made of, and those of the dialect that SQLite lacks."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import apsw
import msgspec

from perdure.ids import decode_invocation_id, hash_key, invocation_partition_key
from perdure.introspection import entries
from perdure.introspection.patterns import regexp_like, regexp_match
from perdure.introspection.texts import TEXT_FUNCTIONS
from perdure.model.invocation import AttemptFailure, Failure, OpenAttempt
from perdure.model.registry import Registry
from perdure.model.timestamps import format_time, parse_time
from perdure.protocol.futures import AwaitTree

_FAILURE_NAMES: Final = {
    400: "Bad request",
    404: "Not found",
    409: "Aborted",
    410: "Gone",
    415: "Unsupported media type",
    470: "Not ready",
    500: "Internal",
    570: "Journal mismatch",
    571: "Protocol violation",
    572: "Awaiting two async results",
    573: "Unsupported feature",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")

_tree_decoder: Final = msgspec.json.Decoder(AwaitTree)
_attempt_failure_decoder: Final = msgspec.json.Decoder(AttemptFailure)
_failure_decoder: Final = msgspec.json.Decoder(Failure)


class Surroundings:
    """What the views need beside the file; set anew before each query."""

    def __init__(self, server_version: str, attempt: Callable[[int], OpenAttempt | None] = lambda _: None) -> None:
        self.server_version = server_version
        self.attempt = attempt
        self.registry = Registry({}, {}, {})
        self.open_attempts: Collection[int] = frozenset()


def register(connection: apsw.Connection, surroundings: Surroundings) -> None:
    for name, function in (_PURE | TEXT_FUNCTIONS).items():
        connection.create_scalar_function(name, _null_safe(function), deterministic=True)
    for name, function in _JSON_GETTERS.items():
        connection.create_scalar_function(name, function, deterministic=True)
    moving: dict[str, Callable[..., Any]] = {
        "attempt_is_open": lambda number: number in surroundings.open_attempts,
        "attempt_deployment": lambda number: _of(surroundings.attempt(number), "deployment_id"),
        "attempt_server": lambda number: _of(surroundings.attempt(number), "server"),
        "awaiting_on": lambda number: _of(surroundings.attempt(number), "awaiting_on"),
        "server_version": lambda: surroundings.server_version,
        "entry_json": lambda type_id, raw, callee: entries.entry_json(
            type_id, raw, callee, surroundings.registry, lite=False
        ),
        "entry_lite_json": lambda type_id, raw, callee: entries.entry_json(
            type_id, raw, callee, surroundings.registry, lite=True
        ),
    }
    for name, function in moving.items():
        connection.create_scalar_function(name, function)
    connection.create_aggregate_function("first_of", _FirstValue)
    connection.create_aggregate_function("last_of", _LastValue)


def _null_safe(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL in, NULL out."""

    def wrapped(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return wrapped


# For the views.


def signed(value: int) -> int:
    """A u64 as the i64 with the same bits: SQLite has no unsigned integers."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _partition_key_of(invocation_id: str) -> int:
    return signed(invocation_partition_key(decode_invocation_id(invocation_id)))


def _partition_key_of_key(key: str) -> int:
    return signed(hash_key(key))


def _outcome_text(failure: bytes) -> str:
    decoded = _failure_decoder.decode(failure)
    return f"[{decoded.code}] {decoded.message}"


def _failure_text(failure: bytes) -> str:
    decoded = _attempt_failure_or_failure(failure)
    name = _FAILURE_NAMES.get(decoded.code)
    text = f"[{decoded.code} {name}] {decoded.message}" if name else f"[{decoded.code}] {decoded.message}"
    return f"{text}\n{decoded.stacktrace}" if decoded.stacktrace else text


def _of(attempt: OpenAttempt | None, field: str) -> str | None:
    return getattr(attempt, field) if attempt is not None else None


def _attempt_failure_or_failure(failure: bytes) -> AttemptFailure | Failure:
    try:
        return _attempt_failure_decoder.decode(failure)
    except msgspec.ValidationError:
        return _failure_decoder.decode(failure)


def _event_json(event_type: str, body: bytes) -> str:
    if event_type in ("Operation", "CancelGraceOver"):
        return msgspec.json.encode({"ty": event_type, **msgspec.json.decode(body, type=dict[str, Any])}).decode()
    failure = msgspec.json.decode(body, type=AttemptFailure | None)
    shown: dict[str, Any] = {"ty": event_type}
    if failure is not None and event_type == "Paused":
        shown["last_failure"] = _shown_failure(failure)
    elif failure is not None:
        shown |= _shown_failure(failure)
    return msgspec.json.encode(shown).decode()


def _shown_failure(failure: AttemptFailure) -> dict[str, Any]:
    shown = {
        "error_code": failure.code,
        "error_message": failure.message,
        "error_stacktrace": failure.stacktrace,
        "restate_doc_error_code": failure.rt_code,
        "related_command_index": failure.command_index,
        "related_command_name": failure.command_name,
        "related_command_type": failure.command_type,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _awaited(tree: bytes, wanted: str) -> str:
    leaves = {leaf for kind, leaf in _tree_decoder.decode(tree).leaves() if kind == wanted}
    return msgspec.json.encode(sorted(leaves, key=int)).decode()


def _awaited_json(tree: bytes) -> str:
    return _tree_decoder.decode(tree).to_json()


def _utf8(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


# For the dialect.


def _divide(left: Any, right: Any) -> Any:
    """Whole numbers are divided towards zero. Raises: ZeroDivisionError."""
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    if right == 0:
        return float("inf") if left > 0 else float("-inf") if left < 0 else None
    return left / right


def _moment(value: Any) -> int:
    return value if isinstance(value, int) else parse_time(str(value))


def time_text(value: int, zone: str = "Z") -> str:
    """As JSON shows it: without a fraction when it is zero."""
    text = format_time(value)[:-1]
    return text.removesuffix(".000") + zone


def _date_of(value: Any) -> str:
    return format_time(_moment(value))[:10]


def _duration_text(value: int) -> str:
    """As a cast to text gives it: `1 days 0 hours 0 mins 0.000 secs`."""
    seconds, milliseconds = divmod(value, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} hours {minutes} mins {seconds}.{milliseconds:03d} secs"


def _trunc_time(unit: str, value: Any) -> int:
    """The start of the second, minute, …, year."""
    unit = unit.lower()
    if unit not in _UNITS:
        raise ValueError(f"date_trunc knows {', '.join(_UNITS)}, not '{unit}'")
    moment = (_EPOCH + timedelta(milliseconds=_moment(value))).replace(microsecond=0)
    if unit == "second":
        return _milliseconds(moment)
    moment = moment.replace(second=0)
    if unit in ("minute", "hour"):
        return _milliseconds(moment if unit == "minute" else moment.replace(minute=0))
    moment = moment.replace(hour=0, minute=0)
    if unit == "week":
        moment -= timedelta(days=moment.weekday())
    elif unit in ("month", "quarter", "year"):
        month = {"month": moment.month, "quarter": (moment.month - 1) // 3 * 3 + 1, "year": 1}[unit]
        moment = moment.replace(month=month, day=1)
    return _milliseconds(moment)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _time_part(unit: str, value: Any) -> float:
    milliseconds = _moment(value)
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    parts = {
        "epoch": milliseconds / 1000,
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
        "hour": moment.hour,
        "minute": moment.minute,
        "second": moment.second + moment.microsecond / 1e6,
        "dow": moment.isoweekday() % 7,
    }
    if unit.lower() not in parts:
        raise ValueError(f"extract knows {', '.join(parts)}, not '{unit}'")
    return parts[unit.lower()]


def _json_at(text: str | None, path: tuple[Any, ...]) -> Any:
    """The value at a path of keys and positions, None if there is none."""
    try:
        value = None if text is None else msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def _json_of_kind(*kinds: type) -> Callable[..., Any]:
    def get(text: str | None, *path: Any) -> Any:
        value = _json_at(text, path)
        return value if type(value) in kinds else None

    return get


def _json_text(text: str | None, *path: Any) -> str | None:
    value = _json_at(text, path)
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _json_length(text: str | None, *path: Any) -> int | None:
    value = _json_at(text, path)
    return len(value) if isinstance(value, dict | list) else None


def _array_has(array: str, value: Any) -> bool:
    return value in msgspec.json.decode(array)


_PURE: Final[dict[str, Callable[..., Any]]] = {
    "partition_key_of": _partition_key_of,
    "partition_key_of_key": _partition_key_of_key,
    "outcome_text": _outcome_text,
    "failure_text": _failure_text,
    "event_json": _event_json,
    "awaited_completions": lambda tree: _awaited(tree, "completion"),
    "awaited_signals": lambda tree: _awaited(tree, "signal"),
    "awaited_json": _awaited_json,
    "utf8": _utf8,
    "text_of": lambda value: value.decode(errors="replace"),
    "entry_type": entries.entry_type,
    "entry_name": entries.entry_name,
    "entry_value": entries.entry_value,
    "call_id_completion": entries.call_id_completion,
    "divide": _divide,
    "parse_time": _moment,
    "time_text": time_text,
    "local_time_text": lambda value: time_text(value, ""),
    "date_of": _date_of,
    "duration_text": _duration_text,
    "u64_text": lambda value: str(value % (1 << 64)),
    "trunc_time": _trunc_time,
    "time_part": _time_part,
    "array_has": _array_has,
    "cardinality": lambda array: len(msgspec.json.decode(array)),
    "array_size": lambda array: len(msgspec.json.decode(array)),
    "regexp_like": regexp_like,
    "regexp_match": regexp_match,
    "array_item": lambda array, position: _json_at(array, (position,)),
}

_JSON_GETTERS: Final[dict[str, Callable[..., Any]]] = {
    "json_get": _json_text,
    "json_get_json": lambda text, *path: (
        None if (value := _json_at(text, path)) is None else msgspec.json.encode(value).decode()
    ),
    "json_as_text": _json_text,
    "json_get_str": _json_of_kind(str),
    "json_get_int": _json_of_kind(int),
    "json_get_float": _json_of_kind(float, int),
    "json_get_bool": _json_of_kind(bool),
    "json_contains": lambda text, *path: _json_at(text, path) is not None,
    "json_length": _json_length,
}


class _FirstValue:
    def __init__(self) -> None:
        self._value: Any = None
        self._seen = False

    def step(self, *values: Any) -> None:
        if not self._seen:
            self._value = values[0]
            self._seen = True

    def final(self) -> Any:
        return self._value


class _LastValue:
    def __init__(self) -> None:
        self._value: Any = None

    def step(self, *values: Any) -> None:
        self._value = values[0]

    def final(self) -> Any:
        return self._value
