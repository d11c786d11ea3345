"""``millgate ...``: arguments only; each command calls one thing."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway import __version__
from gateway.cli import commissioning, journal, opcua, tags
from gateway.cli.say import Lang
from gateway.ops.signals import TO_END, Signals

app = typer.Typer(
    name="millgate",
    help="车间设备数据网关 / Industrial data-collection gateway.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(commissioning.app)
app.add_typer(journal.app, name="journal")
app.add_typer(opcua.app, name="opcua")
app.add_typer(tags.app, name="tags")

Directory = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="配置目录 / configuration directory (gateway.yaml, equipment/, links/)"
    ),
]


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


class KpiBy(StrEnum):
    """What `millgate kpi` compares."""

    SHIFT = "shift"
    HOUR = "hour"
    DAY = "day"
    ORDER = "order"


class FaultsBy(StrEnum):
    """What `millgate faults` compares."""

    EQUIPMENT = "equipment"
    CODE = "code"
    SHIFT = "shift"


class DemoBroker(StrEnum):
    """Which MQTT broker `millgate demo` starts."""

    AUTO = "auto"
    MOSQUITTO = "mosquitto"
    AMQTT = "amqtt"


class RevisionAction(StrEnum):
    """What `millgate revisions` does."""

    LIST = "list"
    SHOW = "show"
    DIFF = "diff"
    RESTORE = "restore"


class Protocol(StrEnum):
    """Which MQTT `millgate verify` speaks."""

    V5 = "5"
    V311 = "3.1.1"


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="版本 / version")] = False,
) -> None:
    if version:
        typer.echo(f"millgate {__version__}")
        raise typer.Exit


@app.command()
def demo(
    *,
    seconds: Annotated[
        float | None, typer.Option(help="运行秒数 / run this long, then audit and stop")
    ] = None,
    browser: Annotated[bool, typer.Option(help="打开浏览器 / open the board")] = True,
    data: Annotated[
        Path | None, typer.Option(help="数据目录 / keep everything in this directory")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="最后一行为 JSON / last line is the audit as JSON")
    ] = False,
    broker: Annotated[
        DemoBroker,
        typer.Option(
            help="MQTT 服务器;auto 为 mosquitto,未安装则 amqtt"
            " / MQTT broker; auto: mosquitto, amqtt where it is not installed"
        ),
    ] = DemoBroker.AUTO,
    mqtt_port: Annotated[
        int, typer.Option(help="MQTT 端口,0 为任意 / the broker's port; 0: any that is free")
    ] = 0,
    scenario: Annotated[str, typer.Option(help="剧本 / what happens in the plant")] = "demo",
    seed: Annotated[int, typer.Option(help="随机种子 / the plant's seed")] = 1,
    speed: Annotated[float, typer.Option(help="快进倍数 / virtual seconds per second")] = 1.0,
) -> None:
    """一条命令看全程:模拟车间、网关、MQTT、历史库、看板 / a living plant, end to end."""
    from gateway import demo as demonstration  # noqa: PLC0415 - simulators only where asked for

    options = demonstration.Options(
        seconds=seconds,
        browser=browser,
        data=data,
        as_json=as_json,
        broker=broker.value,
        mqtt_port=mqtt_port,
        scenario=scenario,
        seed=seed,
        speed=speed,
    )
    raise typer.Exit(demonstration.main(options))


@app.command()
def run(directory: Directory) -> None:
    """按配置在一个进程里运行全部 / run all that the configuration enables, in one process."""
    ending = Signals(*TO_END)
    from gateway import app as site_app  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(site_app.main(directory, site_app.Part, ending))


@app.command()
def collect(directory: Directory) -> None:
    """只采集并发布 / collect and publish only."""
    ending = Signals(*TO_END)
    from gateway import app as site_app  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(site_app.main(directory, frozenset({site_app.Part.COLLECT}), ending))


@app.command()
def web(directory: Directory) -> None:
    """只运行页面和接口 / the screens and the API only."""
    ending = Signals(*TO_END)
    from gateway import app as site_app  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(site_app.main(directory, frozenset({site_app.Part.WEB}), ending))


@app.command()
def historian(directory: Directory) -> None:
    """只写历史库 / write the history only: MQTT to the stores."""
    ending = Signals(*TO_END)
    from gateway import app as site_app  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(site_app.main(directory, frozenset({site_app.Part.HISTORIAN}), ending))


@app.command()
def check(
    directory: Directory,
    *,
    lang: Annotated[Lang, typer.Option(help="zh, en, both")] = Lang.BOTH,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """检查配置,列出全部问题 / check a configuration and list every problem; connects nowhere."""
    from gateway.cli import check as checking  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(checking.run(directory, lang=lang.value, json=as_json))


@app.command()
def record(
    directory: Directory,
    *,
    out: Annotated[
        Path,
        typer.Option(
            help="文件 .jsonl、.jsonl.gz 或目录 / file, or a directory for one file a link"
        ),
    ],
    link: Annotated[str | None, typer.Option(help="连接名 / name of the link")] = None,
    seconds: Annotated[
        float | None, typer.Option(help="录制秒数,否则到 Ctrl-C / this long, else until Ctrl-C")
    ] = None,
) -> None:
    """录下设备的数据,可在别处重放 / write down what devices say, to play it elsewhere."""
    from gateway.cli import record as recording  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(recording.run(directory, link, out, seconds))


@app.command()
def kpi(
    directory: Directory,
    *,
    begins: Annotated[
        str | None, typer.Option("--from", help="开始,默认今天 / from; by default today")
    ] = None,
    ends: Annotated[str | None, typer.Option("--to", help="结束,默认现在 / to; now")] = None,
    by: Annotated[KpiBy, typer.Option(help="shift, hour, day, order")] = KpiBy.SHIFT,
    lang: Annotated[Lang, typer.Option(help="zh, en, both")] = Lang.BOTH,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """由历史库计算 OEE 及其依据 / OEE from the history, with what it rests on."""
    from gateway.cli import kpi as figuring  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(
        figuring.run(
            directory, begins=begins, ends=ends, by=by.value, lang=lang.value, json=as_json
        )
    )


@app.command()
def faults(
    directory: Directory,
    *,
    begins: Annotated[
        str | None, typer.Option("--from", help="开始,默认 30 天前 / from; 30 days ago")
    ] = None,
    ends: Annotated[str | None, typer.Option("--to", help="结束,默认现在 / to; now")] = None,
    by: Annotated[FaultsBy, typer.Option(help="equipment, code, shift")] = FaultsBy.EQUIPMENT,
    equipment: Annotated[str | None, typer.Option(help="只看这一台 / this equipment only")] = None,
    lang: Annotated[Lang, typer.Option(help="zh, en, both")] = Lang.BOTH,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """由历史库计算 MTBF、MTTR、柏拉图 / MTBF, MTTR and Pareto of faults from the history."""
    from gateway.cli import faults as judging  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(
        judging.run(
            directory,
            begins=begins,
            ends=ends,
            by=by.value,
            equipment=equipment,
            lang=lang.value,
            json=as_json,
        )
    )


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
def retire(
    directory: Directory, equipment: Annotated[str, typer.Argument(help="设备编号 / its code")]
) -> None:
    """设备退役:清除保留主题,保留事件 / let an equipment go: clears what is retained of it."""
    from gateway.cli import retire as retiring  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(retiring.run(directory, equipment))


By = Annotated[str | None, typer.Option(help="谁;默认当前用户 / who; by default this user")]
Why = Annotated[str, typer.Option(help="为什么 / why")]
Language = Annotated[Lang, typer.Option(help="zh, en, both")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON")]


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
def verify(
    *,
    host: Annotated[str, typer.Option(help="MQTT 服务器 / the broker")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口 / its port")] = 1883,
    root: Annotated[str, typer.Option(help="主题根 / root of the topics")] = "mg/v1",
    username: Annotated[str | None, typer.Option(help="用户名 / account")] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="密码文件 / file that holds the password")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="TLS 根证书,给出则用 TLS / authority; asks for TLS")
    ] = None,
    protocol: Annotated[Protocol, typer.Option(help="MQTT 版本 / version of MQTT")] = Protocol.V5,
    seconds: Annotated[
        float | None, typer.Option(help="观察秒数,否则到 Ctrl-C / this long, else until Ctrl-C")
    ] = None,
    lang: Annotated[Lang, typer.Option(help="zh, en, both")] = Lang.BOTH,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """观察 MQTT 服务器,报告不合约定之处 / watch a broker and report what breaks the contract."""
    from gateway.cli import verify as verifying  # noqa: PLC0415 - start-up time of the others

    broker = verifying.BrokerSettings(
        host=host,
        port=port,
        protocol=protocol.value,
        username=username,
        password_file=password_file,
        tls=None if ca_file is None else verifying.TlsSettings(ca_file=ca_file),
    )
    raise typer.Exit(
        verifying.run(broker, root=root, seconds=seconds, lang=lang.value, json=as_json)
    )


def main() -> None:
    """Entry point of the command ``millgate``."""
    app()
