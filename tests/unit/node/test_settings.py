"""Settings: the layers, what values look like, and what a bad one is told."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from perdure.ingress.settings import IngressSettings
from perdure.invoker.invoker import InvokerSettings
from perdure.model.registry import Defaults, OnMaxAttempts
from perdure.node.settings import (
    BadSetting,
    Settings,
    ingress_settings,
    invoker_settings,
    listen_address,
    load_settings,
    registry_defaults,
)
from perdure.node.sizes import BadSize, parse_size

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "settings.md"


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("PERDURE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def toml(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "some.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_without_any_layer_the_rooms_get_their_own_defaults() -> None:
    settings = load_settings(None, {})
    assert registry_defaults(settings) == Defaults()
    assert invoker_settings(settings) == InvokerSettings()
    assert ingress_settings(settings) == IngressSettings()
    assert (settings.ingress, settings.admin) == ("127.0.0.1:8080", "127.0.0.1:9070")
    assert (settings.cleanup_interval, settings.shutdown_timeout) == (3_600_000, 10_000)


def test_a_later_layer_wins(toml: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    file = toml(
        'admin = "0.0.0.0:1"\n[timeouts]\ninactivity = "1s"\nabort = "1s"\n[retry]\nmax_attempts = 1\nfactor = 3'
    )
    monkeypatch.setenv("PERDURE_TIMEOUTS__INACTIVITY", "2s")
    monkeypatch.setenv("PERDURE_TIMEOUTS__ABORT", "2s")
    settings = load_settings(file, {"timeouts.abort": "PT3S", "admin": None})
    assert (settings.timeouts.inactivity, settings.timeouts.abort) == (2000, 3000)
    assert (settings.retry.max_attempts, settings.retry.factor) == (1, 3.0)
    assert settings.admin == "0.0.0.0:1"


def test_the_file_is_the_named_one_else_the_variables_else_the_one_at_hand(
    toml: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "perdure.toml").write_text('data = "at hand"', encoding="utf-8")
    assert load_settings(None, {}).data == Path("at hand")
    variable = tmp_path / "variable.toml"
    variable.write_text('data = "variable"', encoding="utf-8")
    monkeypatch.setenv("PERDURE_CONFIG", str(variable))
    assert load_settings(None, {}).data == Path("variable")
    assert load_settings(toml('data = "named"'), {}).data == Path("named")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERDURE_INGRESS", "")
    assert load_settings(None, {}).ingress == "127.0.0.1:8080"


def test_every_value_reaches_its_room(toml: Callable[[str], Path]) -> None:
    settings = load_settings(
        toml(
            "highest_protocol_version = 6\n"
            '[limits]\nrequest_size = "1 MiB"\nconcurrent_requests = 5\nconcurrent_attempts = 6\n'
            'message_size = "2 MB"\neager_state_size = 3\n'
            '[timeouts]\ninactivity = "1s"\nabort = "2s"\n'
            '[retention]\njournal = "3s"\nidempotency = "4s"\nworkflow_completion = "0s"\n'
            'max_journal = "5s"\nmax_idempotency = "6s"\nmax_workflow_completion = "7s"\n'
            '[retry]\ninitial_interval = "8s"\nfactor = 1.5\nmax_attempts = "unlimited"\nmax_interval = "9s"\n'
            'on_max_attempts = "kill"\nmax_attempts_limit = 10\n'
        ),
        {},
    )
    assert ingress_settings(settings) == IngressSettings(1024 * 1024, 5)
    assert invoker_settings(settings) == InvokerSettings(6, 2_000_000, 3, 6)
    defaults = registry_defaults(settings)
    assert (defaults.inactivity_timeout, defaults.abort_timeout) == (1000, 2000)
    assert (defaults.journal_retention, defaults.idempotency_retention) == (3000, 4000)
    assert defaults.workflow_completion_retention == 0
    assert (defaults.max_journal_retention, defaults.max_idempotency_retention) == (5000, 6000)
    assert (defaults.max_workflow_completion_retention, defaults.max_retry_attempts) == (7000, 10)
    policy = defaults.retry_policy
    assert (policy.initial_interval, policy.factor, policy.max_attempts, policy.max_interval) == (8000, 1.5, None, 9000)
    assert policy.on_max_attempts is OnMaxAttempts.KILL
    assert defaults.highest_protocol_version == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('ingress = "8080"', ["`ingress`", "'8080'", "HOST:PORT"]),
        ('ingress = "127.0.0.1:99999"', ["`ingress`", "65535"]),
        ('ingress_url = "calls.example.com"', ["`ingress_url`", "https://"]),
        ('ingres = "127.0.0.1:1"', ["there is no setting `ingres`"]),
        ("[limits]\nrequest_siz = 1", ["there is no setting `limits.request_siz`"]),
        ('[limits]\nrequest_size = "many"', ["`limits.request_size`", "32 MiB"]),
        ("[limits]\nconcurrent_requests = 0", ["`limits.concurrent_requests`", "greater than or equal to 1"]),
        ("[timeouts]\nabort = 60", ["`timeouts.abort`", "60", "`90s`"]),
        ('[timeouts]\nabort = "P1Y"', ["`timeouts.abort`", "use weeks"]),
        ('[retention]\njournal = "2000000 days"', ["`retention.journal`", "100 years"]),
        ('cleanup_interval = "0s"', ["`cleanup_interval`", "at least 1 ms"]),
        ('[retry]\nmax_attempts = "many"', ["`retry.max_attempts`", "unlimited"]),
        ('[retry]\non_max_attempts = "stop"', ["`retry.on_max_attempts`", "'pause' or 'kill'"]),
        ("retry = 3", ["`retry`", "section [retry]"]),
        ("highest_protocol_version = 8", ["`highest_protocol_version`", "less than or equal to 7"]),
        ('log_level = "loud"', ["`log_level`", "'debug', 'info', 'warning' or 'error'"]),
        ("ingress", ["is not TOML"]),
    ],
)
def test_a_bad_setting_is_named_with_its_file_and_what_is_expected(
    toml: Callable[[str], Path], text: str, words: list[str]
) -> None:
    file = toml(text)
    with pytest.raises(BadSetting) as refused:
        load_settings(file, {})
    assert all(word in str(refused.value) for word in [*words, str(file)])
    assert "\n" not in str(refused.value)
    assert refused.value.code == "E0201"


def test_a_bad_setting_names_the_layer_that_won(toml: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    file = toml('[timeouts]\nabort = "1s"')
    monkeypatch.setenv("PERDURE_TIMEOUTS__ABORT", "soon")
    with pytest.raises(BadSetting, match="from the environment, PERDURE_TIMEOUTS__ABORT"):
        load_settings(file, {})
    with pytest.raises(BadSetting, match="from a flag"):
        load_settings(file, {"timeouts.abort": "later"})


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PERDURE_LIMITS__ROOM", "1", "there is no setting `limits.room`"),
        ("PERDURE_LIMITS", "large", "PERDURE_LIMITS is not JSON"),
        ("PERDURE_CONFIG", "nowhere.toml", "nowhere.toml cannot be read"),
    ],
)
def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSetting, match=re.escape(said)):
        load_settings(None, {})


def test_addresses() -> None:
    assert listen_address("localhost:0") == ("localhost", 0)
    assert listen_address("[::1]:8080") == ("::1", 8080)
    for bad in ("8080", ":8080", "::1:8080", "host:", "host:-1", "host:http"):
        with pytest.raises(ValueError, match="expected"):
            listen_address(bad)


def test_sizes() -> None:
    assert [parse_size(text) for text in ("7", "32 MiB", "1.5kb", "2GB")] == [7, 32 * 2**20, 1500, 2 * 10**9]
    for bad in ("", "MiB", "1 parsec", "-1", "1 2"):
        with pytest.raises(BadSize):
            parse_size(bad)


def names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from names(field.annotation, f"{name}.")
        else:
            yield f"{prefix}{name}"


def test_the_reference_describes_exactly_the_settings_there_are() -> None:
    described = re.findall(r"^\| `([a-z_.]+)` \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(described) == sorted(names(Settings))
