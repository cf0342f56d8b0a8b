"""Logs are one stream on stderr, whoever writes them, and do not show what users sent."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys, structlog
from perdure.telemetry.log import set_up_logging
set_up_logging("info", sys.argv[1])
def fail(secret):
    raise ValueError("defect")
try:
    fail("what a user sent")
except ValueError:
    logging.getLogger("perdure.ingress.app").exception("a request failed")
    structlog.get_logger().error("a query failed", exc_info=True)
logging.getLogger("perdure.http").debug("not wanted")
logging.getLogger("some.library").info("chatter")
"""


def logged(log_format: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, log_format]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=30)
    assert done.stdout == ""
    return done.stderr


def test_json_lines() -> None:
    lines = [json.loads(line) for line in logged("json").splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [
        ("a request failed", "error"),
        ("a query failed", "error"),
    ]
    assert all("ValueError: defect" in line["exception"] for line in lines)


@pytest.mark.parametrize("log_format", ["json", "pretty"])
def test_a_traceback_shows_no_values(log_format: str) -> None:
    text = logged(log_format)
    assert text.count("ValueError: defect") == 2
    assert "what a user sent" not in text
    assert "chatter" not in text
    assert "not wanted" not in text
