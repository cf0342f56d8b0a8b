"""The form in which addresses are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.registration.planning import BadUri, RelativeUri, normalise_uri


@pytest.mark.parametrize(
    ("given_uri", "normal"),
    [
        ("http://h:9080", "http://h:9080/"),
        ("HTTP://H:9080/Path", "http://h:9080/Path"),
        ("https://h/a?b=c#d", "https://h/a?b=c"),
        ("http://[::1]:9080", "http://[::1]:9080/"),
    ],
)
def test_normal_form(given_uri: str, normal: str) -> None:
    assert normalise_uri(given_uri) == normal


@pytest.mark.parametrize("text", ["/foo", "localhost:9080", "foo", "//h/x"])
def test_relative(text: str) -> None:
    with pytest.raises(RelativeUri):
        normalise_uri(text)


@pytest.mark.parametrize(
    "text", ["", "http://a b", "http://", "ftp://h/", "http://u:p@h/", "http://h:99x/", "http://h:99999/", "http://é/"]
)
def test_no_uri(text: str) -> None:
    with pytest.raises(BadUri) as refused:
        normalise_uri(text)
    assert not isinstance(refused.value, RelativeUri)


@given(st.text(max_size=40).map(lambda text: "http://" + text))
def test_the_normal_form_is_stable(text: str) -> None:
    try:
        normal = normalise_uri(text)
    except BadUri:
        return
    assert normalise_uri(normal) == normal
