"""The interop services under our own SDK: the same files, with another import."""

import re
from pathlib import Path

from support.servers import INTEROP

_MODULES = ("records", "plain_services", "waiting_services", "services", "relay_services")
_PREFIX = "migrated_"
"""Keeps them apart from the originals, which the same process may have loaded."""

_IMPORTS = (
    (re.compile(r"^import restate$", re.MULTILINE), "import perdure as restate"),
    (re.compile(r"^from restate import", re.MULTILINE), "from perdure import"),
    (re.compile(rf"^from ({'|'.join(_MODULES)}) import", re.MULTILINE), rf"from {_PREFIX}\1 import"),
)


def migrated_services(folder: Path, app: str = "services") -> Path:
    """Writes the services into `folder`, moved over to our SDK. app: the module to serve. Returns: its file."""
    for module in _MODULES:
        text = (INTEROP / f"{module}.py").read_text(encoding="utf-8")
        for pattern, replacement in _IMPORTS:
            text = pattern.sub(replacement, text)
        (folder / f"{_PREFIX}{module}.py").write_text(text, encoding="utf-8")
    return folder / f"{_PREFIX}{app}.py"
