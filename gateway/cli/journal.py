"""``millgate journal ...``: arguments only; `gateway.cli.spare` does it."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.arguments import AsJson, Directory

app = typer.Typer(
    help="本地日志:查看、检查、搬到备机 / the journal: look, check, move to a spare box",
    no_args_is_help=True,
)

Archive = Annotated[Path, typer.Argument(metavar="FILE", help=".mgj")]


@app.command()
def status(directory: Directory, *, as_json: AsJson = False) -> None:
    """纪元、积压、最后活动时间 / epochs, backlog, last sign of life; beside a running gateway."""
    from gateway.cli import spare  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(spare.status(directory, json=as_json))


@app.command()
def check(directory: Directory) -> None:
    """通读文件,确认完好 / read the whole file and say whether it is sound."""
    from gateway.cli import spare  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(spare.check(directory))


@app.command()
def export(directory: Directory, file: Archive) -> None:
    """日志和配置打包成一个文件(不含密码) / journal and configuration as one file, no secrets."""
    from gateway.cli import spare  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(spare.export(directory, file))


@app.command(name="import")
def import_(
    directory: Directory,
    file: Archive,
    *,
    journal: Annotated[
        Path | None,
        typer.Option(help="日志放到配置目录之外时 / where to, if outside of DIR"),
    ] = None,
    journal_only: Annotated[
        bool, typer.Option(help="只恢复日志 / only the journal; DIR is configured already")
    ] = False,
) -> None:
    """在备机上接替,开始新纪元 / take over on a spare box, in a new epoch."""
    from gateway.cli import spare  # noqa: PLC0415 - start-up time of the other commands

    if journal_only:
        raise typer.Exit(spare.restore(directory, file))
    raise typer.Exit(spare.take_over(directory, file, journal=journal))


@app.command()
def seed(
    directory: Directory,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="{equipment: {counter: total}}")],
) -> None:
    """只剩历史库时,累计数从文件接续 / go on from these totals where only a consumer's survived."""
    from gateway.cli import spare  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(spare.seed(directory, file))
