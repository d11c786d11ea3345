"""``millgate record, kpi, faults, retire, verify``: what is done beside a running gateway."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.arguments import AsJson, Directory, Language
from gateway.cli.say import Lang

app = typer.Typer()


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


class Protocol(StrEnum):
    """Which MQTT `millgate verify` speaks."""

    V5 = "5"
    V311 = "3.1.1"


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
    lang: Language = Lang.BOTH,
    as_json: AsJson = False,
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
    lang: Language = Lang.BOTH,
    as_json: AsJson = False,
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
def retire(
    directory: Directory, equipment: Annotated[str, typer.Argument(help="设备编号 / its code")]
) -> None:
    """设备退役:清除保留主题,保留事件 / let an equipment go: clears what is retained of it."""
    from gateway.cli import retire as retiring  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(retiring.run(directory, equipment))


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
    lang: Language = Lang.BOTH,
    as_json: AsJson = False,
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
