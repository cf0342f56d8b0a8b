"""Handler input rules against what comes."""

import pytest

from perdure.ingress.responses import IngressError
from perdure.ingress.validation import check_input, matches
from perdure.model.registry import InputRules

NOTHING = InputRules(False, None, False)
OPTIONAL = InputRules(False, "application/json", True)
REQUIRED = InputRules(True, "application/json", True)
TEXT = InputRules(True, "text/plain", False)
JSON = "application/json"
NOT_EMPTY = "Expected body and content-type to be empty, but wasn't with content-type "


@pytest.mark.parametrize(
    ("rules", "content_type", "empty"),
    [
        (NOTHING, None, True),
        (OPTIONAL, None, True),
        (OPTIONAL, JSON, False),
        (REQUIRED, JSON + "; charset=utf-8", False),
        (TEXT, "text/plain", True),
    ],
)
def test_accepted(rules: InputRules, content_type: str | None, empty: bool) -> None:
    check_input(rules, content_type, empty)


@pytest.mark.parametrize(
    ("rules", "content_type", "empty", "message"),
    [
        (NOTHING, JSON, False, NOT_EMPTY + "'Some(\"application/json\")'"),
        (NOTHING, JSON, True, NOT_EMPTY + "'Some(\"application/json\")'"),
        (NOTHING, None, False, NOT_EMPTY + "'None'"),
        (OPTIONAL, None, False, "Empty content-type"),
        (REQUIRED, None, True, "Empty content-type"),
        (OPTIONAL, "text/plain", False, "Content-type 'text/plain' does not match 'application/json'"),
        (OPTIONAL, "text/plain", True, "Content-type 'text/plain' does not match 'application/json'"),
        (OPTIONAL, "Application/JSON", False, "Content-type 'Application/JSON' does not match 'application/json'"),
        (OPTIONAL, JSON, True, "Empty body not allowed"),
    ],
)
def test_refused(rules: InputRules, content_type: str | None, empty: bool, message: str) -> None:
    with pytest.raises(IngressError) as error:
        check_input(rules, content_type, empty)
    assert (error.value.status, error.value.message) == (400, "input validation error: " + message)


@pytest.mark.parametrize(
    ("content_type", "accepted", "expected"),
    [
        ("image/png", "*/*", True),
        ("image/png", "image/*", True),
        ("imagex/png", "image/*", False),
        ("image/png;q=1", "image/png", True),
        ("garbage", "application/json", False),
        ("application/jsonp", "application/json", False),
    ],
)
def test_wildcards_and_parameters(content_type: str, accepted: str, expected: bool) -> None:
    assert matches(content_type, accepted) is expected
