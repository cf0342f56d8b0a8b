"""How `pytest -n` shares the tests out: those of one interop stack stay together, so that it is started once."""

import re
from typing import Any

import pytest

STACK = re.compile(
    r"^tests/interop/.*\[(?:.*-)?((?:reference-)?(?:python|typescript)-(?:http2|http1|link|memory))[-\]]"
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByStack(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            found = STACK.match(nodeid)
            return found.group(1) if found else nodeid

    return ByStack(config, log)
