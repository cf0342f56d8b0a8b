"""Options of the whole suite, and how `pytest -n` shares it out."""

import re
from typing import Any

import pytest

STACK = re.compile(r"^tests/interop/.*\[(?:.*-)?((?:reference-)?(?:python|typescript|perdure)-[a-z0-9]+-v\d)[-\]]")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite", action="store_true", help="write what happened into the data-driven tests' files")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """What shares a server stays on one worker, so that the server is started once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByServer(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if stack := STACK.match(nodeid):
                return stack.group(1)
            return nodeid.partition("::")[0] if nodeid.startswith(("tests/interop/", "tests/page/")) else nodeid

    return ByServer(config, log)
