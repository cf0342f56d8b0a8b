"""`--watch`: the same again, until Control-C."""

import sys
import time
from collections.abc import Callable
from typing import Final

import typer

CLEAR: Final = "\x1b[H\x1b[2J\x1b[3J"
"""What makes a terminal empty."""


def show(look: Callable[[], None], again: bool, interval_s: float) -> None:
    """Looks once, or with `again` every `interval_s` seconds, each time on a cleared screen where there is one."""
    if not again:
        look()
        return
    try:
        while True:
            if sys.stdout.isatty():
                typer.echo(CLEAR, nl=False)
            look()
            sys.stdout.flush()
            pause(interval_s)
    except KeyboardInterrupt:
        return  # the way to end it, not an accident


def pause(seconds: float) -> None:
    time.sleep(seconds)
