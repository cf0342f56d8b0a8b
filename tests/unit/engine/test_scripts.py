"""The engine, record by record: every file in `testdata`, on both stores."""

from pathlib import Path

import pytest

from support.datadriven import run_file
from support.engine_script import EngineScript
from support.stores import FileStore, MemoryStore, Store

SCRIPTS = sorted((Path(__file__).parent / "testdata").glob("*.txt"))


@pytest.mark.parametrize("kind", ["memory", "file"])
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path, kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    store: Store = MemoryStore() if kind == "memory" else FileStore(tmp_path)
    try:
        run_file(path, EngineScript(store).run, rewrite=request.config.getoption("--rewrite") and kind == "memory")
    finally:
        store.close()
