"""Each error code has a section that says what happened and what to do."""

import importlib
import pkgutil
import re
from collections import Counter
from pathlib import Path

import perdure
from perdure.errors import SERVER_CODES, PerdureError

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"


def own_codes() -> list[str]:
    """The code of each class that has one of its own."""
    for module in pkgutil.walk_packages(perdure.__path__, "perdure."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    codes = []
    classes = [PerdureError]
    while classes:
        found = classes.pop()
        codes += [found.code] if "code" in vars(found) else []
        classes += found.__subclasses__()
    return codes


def test_every_code_is_explained() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+): .+?\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert {*own_codes(), *SERVER_CODES} <= sections.keys()
    for code, section in sections.items():
        assert "**What happened.**" in section, code
        assert "**What to do.**" in section, code


def test_no_code_means_two_things() -> None:
    assert [code for code, count in Counter(own_codes()).items() if count > 1] == []
