"""What handlers of the interop services have written outside of their journal."""

from pathlib import Path

from support.client import wait_for


class Records:
    """folder: where the handlers write, a file for each tag."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = {"PERDURE_INTEROP_DIR": str(folder)}

    def lines(self, tag: str) -> list[str]:
        """The lines under this tag, in order."""
        path = self._folder / tag
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def wait_for(self, tag: str, line: str) -> list[str]:
        """Waits until the line is there; returns all."""
        wait_for(lambda: line in self.lines(tag), f"a handler to record {line!r} under {tag}")
        return self.lines(tag)

    def awakeable(self, tag: str, prefix: str = "") -> str:
        """Waits until a handler has recorded the id of an awakeable behind `prefix`; returns the id."""
        start = f"{prefix}sign_1"

        def found() -> str:
            return next((line.removeprefix(prefix) for line in self.lines(tag) if line.startswith(start)), "")

        return wait_for(found, f"a handler to record an awakeable under {tag}")

    def release(self, tag: str) -> None:
        """Lets a blocked closure go on."""
        (self._folder / f"{tag}.released").touch()
