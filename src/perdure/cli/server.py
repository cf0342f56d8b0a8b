"""`perdure up` and `perdure dev`: the server itself."""

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from perdure.cli.failures import BadUsage, one_line

IngressOption = Annotated[str | None, typer.Option("--ingress", metavar="HOST:PORT", help="Where callers connect.")]
AdminOption = Annotated[str | None, typer.Option("--admin", metavar="HOST:PORT", help="Where operators connect.")]
DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Where the state is kept.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML.")]


def register(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("dev")(dev)


def up(
    ingress: IngressOption = None,
    admin: AdminOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Run the server. Register your endpoints with `perdure deployments register`."""
    _serve(config, {"ingress": ingress, "admin": admin, "data": data}, _up)


def dev(
    target: Annotated[str, typer.Argument(metavar="FILE[:APP]", help="Your handlers; APP defaults to `app`.")],
    ingress: IngressOption = None,
    admin: AdminOption = None,
    data: DataOption = None,
    config: ConfigOption = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that run your code.")] = 1,
) -> None:
    """Run the server and your code, and reload it when you save."""
    _check_file(target)
    overrides = {"ingress": ingress, "admin": admin, "data": data}
    _serve(config, overrides, lambda node, stop: _dev(node, stop, target, workers))


Run = Callable[[Any, asyncio.Event], Coroutine[Any, Any, None]]


def _serve(config: Path | None, overrides: Mapping[str, object], run: Run) -> None:
    """Builds a node and runs it. Anything that is the operator's to mend: one line, exit code 2."""
    import uvloop

    from perdure.errors import PerdureError
    from perdure.node.node import Node
    from perdure.node.settings import load_settings
    from perdure.telemetry.log import set_up_logging

    async def main() -> None:
        settings = load_settings(config, {name: value for name, value in overrides.items() if value is not None})
        set_up_logging(settings.log_level, settings.log_format)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        node = Node(settings)
        try:
            await run(node, stop)
        finally:
            await node.stop()

    try:
        uvloop.run(main())
    except PerdureError as error:
        # Whatever keeps a server from starting is for the operator to mend.
        typer.echo(f"error: {one_line(error)}", err=True)
        raise typer.Exit(2) from None


async def _up(node: Any, stop: asyncio.Event) -> None:
    await node.start()
    _settle_memory()
    typer.echo(f"Perdure is up.  Ingress {node.ingress_url}  Admin {node.admin_url}")
    await stop.wait()


async def _dev(node: Any, stop: asyncio.Event, target: str, workers: int) -> None:
    from perdure.node.dev import DevServer, lines_to_try, run_until, source_path

    server = DevServer(node, target, workers, lambda line: typer.echo(f"perdure: {line}", err=True))
    await server.start()
    _settle_memory()
    typer.echo(f"Perdure runs {target}; save it and it is reloaded. Control-C stops.")
    typer.echo(f"  Ingress   {node.ingress_url}")
    typer.echo(f"  Admin     {node.admin_url}")
    typer.echo(f"  Web page  {node.admin_url}/ui")
    typer.echo(f"  Services  {', '.join(server.services) or 'none yet'}")
    if lines := lines_to_try(source_path(target)):
        typer.echo("\nTry, in another terminal:\n")
        for line in lines:
            typer.echo(_at(line, node))
    await run_until(stop, server)


def _at(line: str, node: Any) -> str:
    """A line to try, with the addresses of this server in place of the usual ones."""
    return line.replace("localhost:8080", node.ingress_url.removeprefix("http://")).replace(
        "localhost:9070", node.admin_url.removeprefix("http://")
    )


def _check_file(target: str) -> None:
    """A file that is not there is a slip of the keyboard, not a thing to wait for."""
    from perdure.node.dev import source_path

    path = source_path(target)
    if path is not None and not path.is_file():
        raise BadUsage(f"there is no file {path}; give the path of your handlers' file")


def _settle_memory() -> None:
    """What the start made stays for good, and what a call makes holds no cycles: collecting seldom saves a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
