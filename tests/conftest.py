"""How `pytest -n` shares the tests out: what shares a server stays together, so that it is started once."""

import re
from typing import Any

import pytest

STACK = re.compile(
    r"^tests/interop/.*\[(?:.*-)?((?:reference-)?(?:python|typescript)-(?:http2|http1|link|memory))[-\]]"
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByServer(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if stack := STACK.match(nodeid):
                return stack.group(1)
            return nodeid.partition("::")[0] if nodeid.startswith("tests/interop/") else nodeid

    return ByServer(config, log)
