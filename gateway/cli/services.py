"""``millgate demo, run, collect, web, historian``: what runs until it is told to end."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.arguments import Directory
from gateway.ops.signals import TO_END, Signals

app = typer.Typer()


class DemoBroker(StrEnum):
    """Which MQTT broker `millgate demo` starts."""

    AUTO = "auto"
    MOSQUITTO = "mosquitto"
    AMQTT = "amqtt"


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
