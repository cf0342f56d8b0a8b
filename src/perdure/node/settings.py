"""The server's settings and where they come from: defaults < TOML file < environment < flags.

docs/reference/settings.md describes each one. Times are in ms and sizes in bytes once read.
"""

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from perdure.errors import PerdureError
from perdure.ingress.settings import IngressSettings
from perdure.invoker.invoker import InvokerSettings
from perdure.model.durations import parse_duration
from perdure.model.registry import Defaults, OnMaxAttempts, RetryPolicy
from perdure.node.sizes import parse_size

CONFIG_VARIABLE: Final = "PERDURE_CONFIG"
CONFIG_FILE: Final = "perdure.toml"
PREFIX: Final = "PERDURE_"
MIB: Final = 1024 * 1024
DAY_MS: Final = 86_400_000
LONGEST_MS: Final = 100 * 366 * DAY_MS
"""Longer than anything waits, and far from the end of 64-bit times."""


class BadSetting(PerdureError):
    """A setting that cannot be used. The text names it, the layer it comes from, and what is expected."""

    code: ClassVar[str] = "E0201"
    hint: ClassVar[str] = "See docs/reference/settings.md."


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    PRETTY = "pretty"
    JSON = "json"


def listen_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT` or `[IPV6]:PORT`; port 0 lets the system choose. Raises: ValueError."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    if not colon or not host or (":" in host and not bracketed) or not (port.isascii() and port.isdigit()):
        raise ValueError("expected HOST:PORT such as `127.0.0.1:8080` or `[::1]:8080`")
    if int(port) > 65_535:
        raise ValueError("expected a port from 0 to 65535")
    return host, int(port)


def listens_on_loopback(text: str) -> bool:
    """Whether `HOST:PORT` can be reached from this machine alone."""
    host, _ = listen_address(text)
    return host in {"localhost", "::1"} or host.startswith("127.")


def _address(text: str) -> str:
    listen_address(text)
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("expected a URL such as `https://calls.example.com`")
    return text


def _duration(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("expected a duration with its unit, such as `90s`, `2 hours` or `PT30M`")
    milliseconds = parse_duration(value)
    if milliseconds > LONGEST_MS:
        raise ValueError("expected a duration of at most 100 years")
    return milliseconds


def _positive(milliseconds: int) -> int:
    if milliseconds < 1:
        raise ValueError("expected a duration of at least 1 ms")
    return milliseconds


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


Address = Annotated[str, AfterValidator(_address)]
Url = Annotated[str, AfterValidator(_url)]
Duration = Annotated[int, BeforeValidator(_duration), Field(ge=0)]
PositiveDuration = Annotated[Duration, AfterValidator(_positive)]
Size = Annotated[int, BeforeValidator(_size), Field(ge=1, le=4 * 1024 * MIB)]
Count = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Section):
    """How much at once, and how large."""

    request_size: Size = 32 * MIB
    concurrent_requests: Count | None = None
    concurrent_attempts: Count = 1000
    message_size: Size = 32 * MIB
    eager_state_size: Size = 32 * MIB


class Timeouts(_Section):
    """Of attempts, for services that do not say."""

    inactivity: Duration = 60_000
    abort: Duration = 600_000


class Retention(_Section):
    """How long completed invocations are kept, for services that do not say; 0 keeps nothing. `max_*`: the most."""

    journal: Duration = DAY_MS
    idempotency: Duration = DAY_MS
    workflow_completion: Duration = DAY_MS
    max_journal: Duration | None = None
    max_idempotency: Duration | None = None
    max_workflow_completion: Duration | None = None


class Retry(_Section):
    """When a failed attempt is tried again, for services that do not say."""

    initial_interval: PositiveDuration = 500
    factor: Annotated[float, Field(ge=1.0, le=1000.0)] = 2.0
    max_attempts: Count | Literal["unlimited"] = 70
    max_interval: PositiveDuration = 60_000
    on_max_attempts: OnMaxAttempts = OnMaxAttempts.PAUSE
    max_attempts_limit: Count | None = None


class Settings(BaseSettings):
    """All settings. Made by `load_settings`; the constructor reads the environment too."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        # `PERDURE_INGRESS=` in a compose file means that nobody set it.
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        # Defaults are written as what settings become, not as what people write.
        validate_default=False,
    )

    ingress: Address = "127.0.0.1:8080"
    admin: Address = "127.0.0.1:9070"
    data: Path = Path("perdure-data")
    ingress_url: Url | None = None
    admin_hosts: list[str] = []
    identity_key: Path | None = None
    highest_protocol_version: Annotated[int, Field(ge=5, le=7)] = 7
    cleanup_interval: PositiveDuration = 3_600_000
    shutdown_timeout: Duration = 10_000
    cancel_grace: Duration = 10_000
    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.PRETTY
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    retention: Retention = Retention()
    retry: Retry = Retry()


def load_settings(config: Path | None, overrides: Mapping[str, object], *, surroundings: bool = True) -> Settings:
    """The settings in force. surroundings: False: only `overrides` and defaults, no file and no environment.

    config: the TOML file; None: `PERDURE_CONFIG`, else ./perdure.toml if there is one. overrides: what flags say, by
    name (`ingress`, `limits.request_size`); values of None were not given. Raises: BadSetting.
    """
    file = config_file(config) if surroundings else None
    document = _read(file) if file is not None else {}
    flags = _nested(overrides)

    class Layers(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            # The first one wins.
            if not surroundings:
                return (init_settings,)
            return init_settings, env_settings, InitSettingsSource(settings_cls, document)

    try:
        return Layers(**flags)
    except ValidationError as error:
        raise _bad_setting(error, flags, document, file) from error
    except SettingsError as error:
        # The library reads a whole section from one variable, as JSON, and its text names the section in quotes.
        section = str(error).split('"')[1]
        variable = f"{PREFIX}{section.upper()}"
        raise BadSetting(f"the environment variable {variable} is not JSON; set {variable}__NAME instead") from error


def config_file(config: Path | None) -> Path | None:
    """The file that `load_settings(config, …)` reads, if any."""
    if config is not None:
        return config
    named = os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    found = Path(CONFIG_FILE)
    return found if found.is_file() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(f"the settings file {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadSetting(f"the settings file {file} is not TOML: {error}") from error


def _nested(overrides: Mapping[str, object]) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    for name, value in overrides.items():
        if value is None:
            continue
        *sections, last = name.split(".")
        place = flags
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return flags


def _bad_setting(
    error: ValidationError, flags: dict[str, Any], document: dict[str, Any], file: Path | None
) -> BadSetting:
    """About the first problem; the others show up once it is solved."""
    problem = error.errors()[0]
    path = _setting_path(problem["loc"])
    name = ".".join(path)
    layer = _layer(path, flags, document, file)
    if problem["type"] == "extra_forbidden":
        return BadSetting(f"there is no setting `{name}`{layer}")
    return BadSetting(f"the setting `{name}`{layer} is {_shown(problem['input'])}; expected {_expected(path, problem)}")


def _expected(path: list[str], problem: ErrorDetails) -> str:
    """What the setting should look like, in words that suit a settings file."""
    if path == ["retry", "max_attempts"]:
        return 'a whole number from 1, or "unlimited"'
    if problem["type"] == "model_type":
        return f"a section [{path[-1]}]"
    text = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ").removeprefix("expected ")
    return f"a number {text}" if text.startswith(("greater", "less")) else text


def _setting_path(location: tuple[int | str, ...]) -> list[str]:
    """Without the steps into the members of a union that the validator adds."""
    path: list[str] = []
    fields: Mapping[str, Any] = Settings.model_fields
    for step in map(str, location):
        path.append(step)
        section = fields[step].annotation if step in fields else None
        if not (isinstance(section, type) and issubclass(section, _Section)):
            break
        fields = section.model_fields
    return path


def _layer(path: list[str], flags: dict[str, Any], document: dict[str, Any], file: Path | None) -> str:
    if _holds(flags, path):
        return " (from a flag)"
    variable = PREFIX + "__".join(path).upper()
    for name in os.environ:
        if name.upper() in (variable, PREFIX + path[0].upper()):
            return f" (from the environment, {name})"
    return f" (from {file})" if _holds(document, path) else ""


def _holds(tree: Any, path: list[str]) -> bool:
    for step in path:
        if not isinstance(tree, dict) or step not in tree:
            return False
        tree = tree[step]
    return True


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


# What the rooms of the server are given.


def registry_defaults(settings: Settings) -> Defaults:
    return Defaults(
        inactivity_timeout=settings.timeouts.inactivity,
        abort_timeout=settings.timeouts.abort,
        journal_retention=settings.retention.journal,
        idempotency_retention=settings.retention.idempotency,
        workflow_completion_retention=settings.retention.workflow_completion,
        max_journal_retention=settings.retention.max_journal,
        max_idempotency_retention=settings.retention.max_idempotency,
        max_workflow_completion_retention=settings.retention.max_workflow_completion,
        retry_policy=RetryPolicy(
            initial_interval=settings.retry.initial_interval,
            factor=settings.retry.factor,
            max_attempts=None if settings.retry.max_attempts == "unlimited" else settings.retry.max_attempts,
            max_interval=settings.retry.max_interval,
            on_max_attempts=settings.retry.on_max_attempts,
        ),
        max_retry_attempts=settings.retry.max_attempts_limit,
        cancel_grace=settings.cancel_grace,
        highest_protocol_version=settings.highest_protocol_version,
    )


def invoker_settings(settings: Settings) -> InvokerSettings:
    return InvokerSettings(
        concurrency_limit=settings.limits.concurrent_attempts,
        message_size_limit=settings.limits.message_size,
        eager_state_size_limit=settings.limits.eager_state_size,
        highest_protocol_version=settings.highest_protocol_version,
    )


def ingress_settings(settings: Settings) -> IngressSettings:
    return IngressSettings(
        request_size_limit=settings.limits.request_size,
        concurrent_requests_limit=settings.limits.concurrent_requests,
    )
