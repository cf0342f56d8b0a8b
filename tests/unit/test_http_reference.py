"""docs/reference/http-api.md describes the routes and tables there are, and no others."""

import re
from pathlib import Path
from typing import Any, get_args

from starlette.routing import Route as HttpRoute

from perdure.admin.app import create_app
from perdure.admin.settings import AdminSettings
from perdure.ingress.paths import Route, parse
from perdure.introspection.catalog import TABLES
from perdure.model.invocation import ServiceKind
from perdure.model.registry import Service

DOCUMENT = (Path(__file__).parents[2] / "docs" / "reference" / "http-api.md").read_text("utf-8")
KINDS = {"service": ServiceKind.SERVICE, "object": ServiceKind.VIRTUAL_OBJECT, "workflow": ServiceKind.WORKFLOW}
VERBS = {"call", "send", "attach", "output", "lookup", "resolve", "reject", "health"}


def section(name: str) -> str:
    found = re.search(rf"^## {name}.*?\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def routes(name: str) -> list[tuple[str, str]]:
    """Method and path of each row of a section's table; a row may name several of both."""
    rows = re.findall(r"^\| ([A-Z, ]+) \| `(/.+?)` \|", section(name), re.MULTILINE)
    return [(method, path) for methods, paths in rows for method in methods.split(", ") for path in paths.split("`, `")]


def test_the_ingress_routes_are_documented() -> None:
    services = {name: Service(name, kind, 1, "dp_1", True, {}) for name, kind in KINDS.items()}
    paths = [path for _, path in routes("Ingress")]
    understood = {type(parse(re.sub(r"\{(\w+)\}", r"\1", path), services)) for path in paths}
    assert understood == set(get_args(Route))
    segments = {segment for path in paths for segment in path.split("/")}
    assert segments >= VERBS


def test_the_admin_routes_are_documented() -> None:
    nothing: Any = None
    settings = AdminSettings(ingress_endpoint="http://localhost:8080/")
    app: Any = create_app(nothing, nothing, nothing, settings, nothing, nothing)
    served = {(method, r.path) for r in app.routes if isinstance(r, HttpRoute) for method in r.methods or ()}
    assert sorted(served - {(m, p) for m, p in served if m == "HEAD"}) == sorted(routes("Admin API"))


def test_the_tables_are_documented() -> None:
    named = re.findall(r"`((?:sys_|information_schema\.)\w+|state)`", section("SQL"))
    assert sorted(named) == sorted(TABLES)
