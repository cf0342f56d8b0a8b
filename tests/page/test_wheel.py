"""The page from a wheel, as users install it: everything is inside, and every place of the page works."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from support.client import Client, wait_for
from support.processes import Program, free_addresses

ROOT = Path(__file__).resolve().parents[2]
UNKNOWN = "inv_1" + "0" * 33


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert built.returncode == 0, built.stderr
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """`perdure up` out of the unpacked wheel, which comes before the source in the search path; the rest is shared."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    environment = {"PYTHONPATH": str(folder / "site"), "PERDURE_CONFIG": os.devnull}
    where = [sys.executable, "-P", "-c", "import perdure; print(perdure.__file__)"]
    told = subprocess.run(where, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    assert Path(told.stdout.strip()) == folder / "site" / "perdure" / "__init__.py"
    ingress, admin = free_addresses(2)
    options = ["--ingress", ingress, "--admin", admin, "--data", str(folder / "data")]
    command = [sys.executable, "-P", "-c", "from perdure.cli.main import app; app()", "up", *options]
    program = Program(command, folder / "server.log", environment)
    client = Client(f"http://{ingress}", f"http://{admin}")
    try:
        wait_for(lambda: program.check() or client.healthy(), "the installed server", timeout_s=30)
        yield client
    finally:
        client.close()
        program.stop()


def test_everything_of_the_package_is_inside_and_nothing_else(wheel: Path) -> None:
    source = ROOT / "src"
    wanted = {
        str(path.relative_to(source)): path.read_bytes()
        for path in (source / "perdure").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name: archive.read(name) for name in archive.namelist() if name.startswith("perdure/")}
    examples = {name for name in found if name.startswith("perdure/examples/")}
    assert "perdure/ui/static/index.html" in found
    assert "perdure/examples/coding_agent/agent.py" in examples
    assert {name: content for name, content in found.items() if name not in examples} == wanted


def test_every_file_of_the_page_is_served(server: Client, page: Page) -> None:
    static = ROOT / "src" / "perdure" / "ui" / "static"
    page.goto("/ui/")
    for path in sorted(static.rglob("*")):
        if path.suffix in {".js", ".css", ".svg", ".html"}:
            name = path.relative_to(static)
            assert page.request.get(f"/ui/{name}").body() == path.read_bytes(), name


def test_every_place_of_the_page_can_be_gone_to(server: Client, page: Page) -> None:
    page.goto("/ui/")
    places = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(places).not_to_have_count(0)
    for place in places.all():
        word = place.inner_text()
        place.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(word)
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_contain_text(word)


@pytest.mark.parametrize("path", ["bulk", "compare", f"invocations/{UNKNOWN}", f"invocations/{UNKNOWN}/restart"])
def test_so_can_those_that_only_links_lead_to(server: Client, page: Page, path: str) -> None:
    page.goto(f"/ui/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Loading…")).to_have_count(0)
