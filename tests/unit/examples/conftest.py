"""Examples are files that a user runs, not modules of a package: they are loaded from their text, with either SDK."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture(params=["perdure", "restate"])
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Loads an example as it is, or with the imports of the official SDK in place of ours."""

    def load(name: str) -> ModuleType:
        path = EXAMPLES / name
        text = path.read_text(encoding="utf-8")
        if request.param == "restate":
            text, renamed = re.subn(r"^import perdure as restate$", "import restate", text, flags=re.MULTILINE)
            assert renamed == 1
            text = re.sub(r"^from perdure import", "from restate import", text, flags=re.MULTILINE)
            assert "perdure import" not in text
        module = ModuleType(f"example_{path.parent.name}")
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(text, str(path), "exec"), vars(module))
        return module

    return load
