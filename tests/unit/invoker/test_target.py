import pytest

from perdure.invoker.target import InvalidTarget, parse_target


@pytest.mark.parametrize(
    ("uri", "host", "port", "authority", "path"),
    [
        ("http://h", "h", 80, "h", "/discover"),
        ("http://h/", "h", 80, "h", "/discover"),
        ("http://h:80/", "h", 80, "h", "/discover"),
        ("https://h:8443/a/b/", "h", 8443, "h:8443", "/a/b/discover"),
        ("https://h/a?x=1&y=%20", "h", 443, "h", "/a/discover?x=1&y=%20"),
        ("http://h?x", "h", 80, "h", "/discover?x"),
        ("http://[::1]:9080", "::1", 9080, "[::1]:9080", "/discover"),
        ("http://bücher.example", "xn--bcher-kva.example", 80, "xn--bcher-kva.example", "/discover"),
    ],
)
def test_addresses(uri, host, port, authority, path):
    target = parse_target(uri)
    assert (target.host, target.port, target.authority) == (host, port, authority)
    assert target.request_path("/discover") == path


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "h:9080",
        "ftp://h",
        "http://",
        "http://h:port",
        "http://h:99999",
        "http://u:p@h",
        "http://h/a b",
        "http://h/ä",
        "http://[::1",
        "http://" + "ü" * 70,
    ],
)
def test_what_is_no_address(uri):
    with pytest.raises(InvalidTarget):
        parse_target(uri)
