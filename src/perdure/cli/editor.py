"""Changing a JSON document in the user's editor."""

import json
import os
import re
from pathlib import Path
from typing import Any, Final

from perdure.cli.failures import BadUsage

VARIABLES: Final = ("PERDURE_EDITOR", "RESTATE_EDITOR", "VISUAL", "EDITOR")
DEFAULT: Final = "vi"


def edit_json(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The document as the user left it. name: of the file, for the editor's title. Raises: BadUsage."""
    import shlex  # these three are slow to load, and only an edit needs them
    import subprocess
    import tempfile

    command = next(filter(None, map(os.environ.get, VARIABLES)), DEFAULT)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', name)}.json"
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        try:
            status = subprocess.run([*shlex.split(command), str(path)], check=False).returncode
        except OSError as error:
            variables = " or ".join(VARIABLES)
            raise BadUsage(f"the editor `{command}` cannot be started ({error.strerror}); set {variables}") from error
        if status:
            raise BadUsage(f"the editor `{command}` ended with {status}; nothing was changed")
        text = path.read_text(encoding="utf-8")
    try:
        edited = json.loads(text)
    except ValueError as error:
        raise BadUsage(f"what was saved is not JSON ({error}); nothing was changed") from error
    if not isinstance(edited, dict):
        raise BadUsage("what was saved is not a JSON object; nothing was changed")
    return edited
