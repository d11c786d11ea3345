"""``millgate check, schema, dictionary, reload, revisions, live``: arguments only."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.arguments import AsJson, Directory, Language
from gateway.cli.say import Lang

app = typer.Typer()

By = Annotated[str | None, typer.Option(help="谁;默认当前用户 / who; by default this user")]
Why = Annotated[str, typer.Option(help="为什么 / why")]


class SchemaOf(StrEnum):
    """What `millgate schema` describes."""

    CONFIG = "config"
    EVENTS = "events"
    ASYNCAPI = "asyncapi"


class TableFormat(StrEnum):
    """How `millgate dictionary` writes its tables."""

    XLSX = "xlsx"
    CSV = "csv"
    MD = "md"


class RevisionAction(StrEnum):
    """What `millgate revisions` does."""

    LIST = "list"
    SHOW = "show"
    DIFF = "diff"
    RESTORE = "restore"


@app.command()
def check(
    directory: Directory,
    *,
    lang: Language = Lang.BOTH,
    as_json: AsJson = False,
) -> None:
    """检查配置,列出全部问题 / check a configuration and list every problem; connects nowhere."""
    from gateway.cli import check as checking  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(checking.run(directory, lang=lang.value, json=as_json))


@app.command()
def schema(
    what: Annotated[SchemaOf, typer.Argument(help="config | events | asyncapi")] = SchemaOf.CONFIG,
    *,
    write: Annotated[
        Path | None,
        typer.Option(help="全部消息写入目录 / write all of the messages' to a directory"),
    ] = None,
) -> None:
    """输出 JSON Schema 或 AsyncAPI / print the JSON Schema of configuration or events, AsyncAPI."""
    from gateway.cli import schema as printing  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(printing.run(what.value) if write is None else printing.write(write))


@app.command()
def dictionary(
    directory: Directory,
    *,
    as_format: Annotated[
        TableFormat, typer.Option("--format", help="xlsx | csv | md")
    ] = TableFormat.MD,
    out: Annotated[
        Path | None, typer.Option(help="输出文件;xlsx 必填 / file; xlsx needs one")
    ] = None,
) -> None:
    """数据字典:设备、点位、计数、故障、状态、主题 / what every name and code means."""
    from gateway.cli import dictionary as writing  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(writing.run(directory, as_format.value, out))


@app.command()
def reload(
    directory: Directory,
    *,
    by: By = None,
    why: Why = "",
    lang: Language = Lang.BOTH,
    as_json: AsJson = False,
) -> None:
    """让运行中的采集采用磁盘上的配置 / let the running collector take up the files."""
    from gateway.cli import configuring  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(configuring.reload(directory, by=by, why=why, lang=lang.value, json=as_json))


@app.command()
def revisions(
    directory: Directory,
    action: Annotated[
        RevisionAction, typer.Argument(help="list | show N | diff N M | restore N")
    ] = RevisionAction.LIST,
    numbers: Annotated[
        list[int] | None, typer.Argument(help="版本号 / numbers of revisions")
    ] = None,
    *,
    by: By = None,
    why: Why = "",
    lang: Language = Lang.BOTH,
    as_json: AsJson = False,
) -> None:
    """配置的历史版本:列出、查看、比较、恢复 / list, show, compare, restore revisions."""
    from gateway.cli import configuring  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(
        configuring.revisions(
            directory,
            action.value,
            numbers or [],
            by=by,
            why=why,
            lang=lang.value,
            json=as_json,
        )
    )


@app.command()
def live(
    directory: Directory,
    equipment: Annotated[str, typer.Argument(help="设备编号 / its code")],
    *,
    by: By = None,
    why: Why = "",
    lang: Language = Lang.BOTH,
    as_json: AsJson = False,
) -> None:
    """设备投产:调试期的数据不外传,重新取基线 / commissioning -> live, with a new baseline."""
    from gateway.cli import configuring  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(
        configuring.live(directory, equipment, by=by, why=why, lang=lang.value, json=as_json)
    )
