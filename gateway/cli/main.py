"""``millgate ...``: arguments only; each command calls one thing."""

from typing import Annotated

import typer

from gateway import __version__
from gateway.cli import beside, commissioning, configuration, journal, opcua, services, tags

app = typer.Typer(
    name="millgate",
    help="车间设备数据网关 / Industrial data-collection gateway.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(services.app)
app.add_typer(configuration.app)
app.add_typer(beside.app)
app.add_typer(commissioning.app)
app.add_typer(journal.app, name="journal")
app.add_typer(opcua.app, name="opcua")
app.add_typer(tags.app, name="tags")


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="版本 / version")] = False,
) -> None:
    if version:
        typer.echo(f"millgate {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point of the command ``millgate``."""
    app()
