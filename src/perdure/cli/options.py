"""Options that many commands share."""

from typing import Annotated, Final

import typer

DEFAULT_ADMIN_URL: Final = "http://127.0.0.1:9070"

AdminUrl = Annotated[
    str,
    typer.Option(
        "--admin",
        metavar="URL",
        envvar=["PERDURE_ADMIN_URL", "RESTATE_ADMIN_URL"],
        help="Address of the server's admin API.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON and nothing else to standard output.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before changing something.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again, until Control-C.")]
Interval = Annotated[float, typer.Option("--interval", "-n", min=0.1, help="Seconds between two looks.")]
DEFAULT_INTERVAL_S: Final = 2.0
Reason = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why; kept with the change, and so is who: PERDURE_ACTOR."),
]
