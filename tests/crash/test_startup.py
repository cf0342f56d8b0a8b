"""What keeps a server from starting is one line on stderr and exit status 2."""

import socket
from pathlib import Path

import pytest

from .processes import Server

pytestmark = pytest.mark.crash


def refused(server: Server) -> str:
    server.launch()
    assert server.exit_code() == 2
    (line,) = server.errors().splitlines()
    assert line.startswith("error: ")
    assert "Traceback" not in line
    return line


def folder(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir()
    return path


def test_a_data_folder_in_use(tmp_path: Path) -> None:
    with Server(folder(tmp_path, "a")) as first, Server(folder(tmp_path, "b")) as second:
        first.start()
        second.data = first.data
        line = refused(second)
        assert "in use by another process" in line
        assert "E0302" in line
        first.kill()
        second.start()


@pytest.mark.parametrize("which", ["ingress", "admin"])
def test_a_taken_port(tmp_path: Path, which: str) -> None:
    with socket.socket() as taken, Server(folder(tmp_path, "a")) as server:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server.take_ports(**{which: port})
        line = refused(server)
        assert str(port) in line
        assert "E0204" in line


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    with Server(folder(tmp_path, "a")) as server:
        (tmp_path / "file").write_text("")
        server.data = tmp_path / "file" / "data"
        assert "file" in refused(server)


def test_a_file_of_another_program(tmp_path: Path) -> None:
    with Server(folder(tmp_path, "a")) as server:
        server.data.mkdir()
        (server.data / "partition-0.sqlite").write_text("this is no database, and long enough to be read as one" * 9)
        assert "E0303" in refused(server)


def test_a_damaged_file(tmp_path: Path) -> None:
    with Server(folder(tmp_path, "a")) as server:
        server.start()
        server.kill()
        path = server.data / "partition-0.sqlite"
        for companion in server.data.glob("*-wal"):
            companion.unlink()
        content = bytearray(path.read_bytes() or b"SQLite format 3\0" + bytes(4080))
        content[100:] = b"\xa5" * (len(content) - 100)
        path.write_bytes(content)
        line = refused(server)
        assert "E0304" in line or "E0303" in line
