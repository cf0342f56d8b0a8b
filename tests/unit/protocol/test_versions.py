"""Versions and content types."""

import pytest

from perdure.protocol import versions


def test_content_types_both_ways() -> None:
    for version in (5, 6, 7):
        text = f"application/vnd.restate.invocation.v{version}"
        assert versions.invocation_content_type(version) == text
        assert versions.invocation_version(text) == version


@pytest.mark.parametrize(
    "text",
    [
        "",
        "application/json",
        "application/vnd.restate.invocation.v4",
        "application/vnd.restate.invocation.v8",
        "application/vnd.restate.invocation.v6; charset=utf-8",
        "Application/vnd.restate.invocation.v6",
    ],
)
def test_nothing_else_is_a_protocol_content_type(text: str) -> None:
    assert versions.invocation_version(text) is None


def test_discovery_accepts_all_manifest_versions_in_rising_order() -> None:
    types = versions.MANIFEST_ACCEPT.split(", ")
    assert [versions.manifest_version(text) for text in types] == [1, 2, 3, 4]
    assert versions.manifest_version("application/vnd.restate.endpointmanifest.v5+json") is None
    assert versions.manifest_version(types[0] + "; charset=utf-8") is None


@pytest.mark.parametrize(
    ("endpoint", "highest", "chosen"),
    [
        ((5, 7), 6, 6),
        ((5, 7), 7, 7),
        ((5, 5), 7, 5),
        ((1, 100), 6, 6),
        ((7, 7), 6, None),
        ((1, 4), 7, None),
        ((8, 9), 7, None),
    ],
)
def test_the_highest_common_version_is_chosen(endpoint: tuple[int, int], highest: int, chosen: int | None) -> None:
    assert versions.choose_version(*endpoint, highest) == chosen
