"""The files of the page as they are served: types, headers, weight, and what others wrote."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from support.client import Client

STATIC = Path(str(files("perdure.ui") / "static"))
PLACES = Path(__file__).parents[2] / "docs" / "internals" / "web-page.md"
WEIGHT_MAX = 200_000
LINES_MAX = 300
SERVED = sorted(path for path in STATIC.rglob("*") if path.suffix in {".js", ".css", ".html", ".svg"})


def test_the_whole_page_is_light() -> None:
    assert sum(path.stat().st_size for path in SERVED) < WEIGHT_MAX


def test_a_file_is_short_enough_to_be_read_in_one_go() -> None:
    own = [path for path in SERVED if "vendor" not in path.parts]
    assert [path.name for path in own if len(path.read_text(encoding="utf-8").splitlines()) >= LINES_MAX] == []


def test_every_module_is_checked_for_types() -> None:
    own = [path for path in SERVED if path.suffix == ".js" and "vendor" not in path.parts]
    assert [path.name for path in own if not path.read_text(encoding="utf-8").startswith("// @ts-check\n")] == []


def test_what_each_file_holds_is_told_in_one_table() -> None:
    told = re.findall(r"^\| `(\S+\.(?:js|css))` \| .+ \|$", PLACES.read_text(encoding="utf-8"), re.MULTILINE)
    own = [path.relative_to(STATIC) for path in SERVED if "vendor" not in path.parts and path.suffix in {".js", ".css"}]
    assert sorted(told) == sorted(path.as_posix() for path in own)


def test_what_others_wrote_is_what_its_table_says() -> None:
    table = (STATIC / "vendor" / "README.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", table, re.MULTILINE))
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (STATIC / "vendor").iterdir()
        if path.suffix == ".js"
    }
    assert found == told


@pytest.mark.parametrize("path", ["/ui/", "/ui/invocations", "/ui/invocations/inv_1abc?step=3", "/ui/objects/A/b.c"])
def test_every_place_of_the_page_is_the_page(server: Client, path: str) -> None:
    answer = httpx.get(server.admin + path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_a_file_that_is_not_there_is_not_the_page(server: Client) -> None:
    for path in ("/ui/missing.js", "/ui/pages/missing.js"):
        assert httpx.get(server.admin + path).status_code == 404


def test_no_other_page_can_frame_it_or_put_a_script_into_it(server: Client) -> None:
    headers = httpx.get(server.admin + "/ui/").headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"


def test_an_unchanged_file_is_not_sent_again(server: Client) -> None:
    first = httpx.get(server.admin + "/ui/main.js")
    again = httpx.get(server.admin + "/ui/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
