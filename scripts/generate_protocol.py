"""Regenerates the message classes of the service protocol from their `.proto` file.

Run after editing `src/perdure/protocol/proto/service_protocol.proto`; needs grpcio-tools and mypy-protobuf.
The output is committed, so that an installation needs neither of them.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROTOCOL = Path(__file__).resolve().parent.parent / "src" / "perdure" / "protocol"
SOURCE = PROTOCOL / "proto" / "service_protocol.proto"


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        # The name and the folder of the input decide the name of the Python module, so the file is
        # compiled under the name that its importers use.
        package = Path(scratch) / "perdure" / "protocol"
        package.mkdir(parents=True)
        shutil.copy(SOURCE, package / "messages.proto")
        out = Path(scratch) / "out"
        out.mkdir()
        subprocess.run(
            [
                sys.executable,
                "-m",
                "grpc_tools.protoc",
                f"--proto_path={scratch}",
                f"--python_out={out}",
                f"--mypy_out={out}",
                "perdure/protocol/messages.proto",
            ],
            check=True,
        )
        for generated in (out / "perdure" / "protocol").iterdir():
            shutil.copy(generated, PROTOCOL / generated.name)
            print(f"wrote {PROTOCOL / generated.name}")


if __name__ == "__main__":
    main()
