"""Examples are files that a user runs, not modules of a package: they are loaded from their text, with either SDK."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


@pytest.fixture(params=["perdure", "restate"])
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Loads an example, or its twin with the imports of the official SDK."""

    def load(name: str) -> ModuleType:
        path = EXAMPLES / name
        if request.param == "restate":
            path = path.with_stem(f"{path.stem}_restate")
        module = ModuleType(f"example_{path.parent.name}")
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
        return module

    return load
