"""What keeps `perdure up` and `perdure dev` from starting is one line that says what to do, and exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ANYWHERE = ("--ingress", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "data")


def refusal(folder: Path, *words: str, **environment: str) -> str:
    """The line that a start prints which fails in this folder."""
    done = subprocess.run(
        [sys.executable, "-m", "perdure.cli.main", *words, *ANYWHERE],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (None, ["there is no file", "agent.py"]),
        ("def broken(:", ["agent.py cannot be imported: SyntaxError", "line 1", "start again", "E0205"]),
        ("x = 1", ["agent.py has no `app`", "start again", "E0205"]),
    ],
)
def test_code_that_does_not_load(tmp_path: Path, code: str | None, said: list[str]) -> None:
    if code is not None:
        (tmp_path / "agent.py").write_text(code)
    line = refusal(tmp_path, "dev", "agent.py")
    assert all(word in line for word in said)


def test_an_identity_key_that_cannot_be_read(tmp_path: Path) -> None:
    line = refusal(tmp_path, "up", PERDURE_IDENTITY_KEY="nowhere.pem")
    assert "nowhere.pem cannot be read: No such file" in line
    assert "E0110" in line


def test_a_data_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    line = refusal(tmp_path, "up")
    assert "cannot use the data folder" in line
    assert "--data" in line
    assert "E0306" in line
