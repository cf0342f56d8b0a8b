"""Regenerates the message classes of the service protocol from their `.proto` file.

Run after editing `src/perdure/protocol/proto/service_protocol.proto`; needs grpcio-tools and mypy-protobuf.
The output is committed, so that an installation needs neither of them.
"""

import re
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
                f"--plugin=protoc-gen-mypy={Path(sys.executable).parent / 'protoc-gen-mypy'}",
                f"--python_out={out}",
                f"--mypy_out={out}",
                "perdure/protocol/messages.proto",
            ],
            check=True,
        )
        for generated in (out / "perdure" / "protocol").iterdir():
            (PROTOCOL / generated.name).write_text(without_version_check(generated.read_text()))
            print(f"wrote {PROTOCOL / generated.name}")


def without_version_check(code: str) -> str:
    """Drops the check that refuses or warns about another major version of the protobuf library.

    The rest only hands a descriptor to the library, which every version since 4 takes, and an installation
    shares the library with other packages that may hold it back.
    """
    code = re.sub(r"^from google.protobuf import runtime_version as \w+\n", "", code, flags=re.MULTILINE)
    return re.sub(r"^_runtime_version\.ValidateProtobufRuntimeVersion\([^)]*\)\n", "", code, flags=re.MULTILINE)


if __name__ == "__main__":
    main()
