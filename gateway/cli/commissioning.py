"""``millgate decode``, ``plan``, ``probe`` ...: arguments only; modules of those names do it."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.arguments import AsJson, Directory
from gateway.cli.say import Lang

app = typer.Typer()


@app.command()
def decode(
    text: Annotated[
        str,
        typer.Argument(metavar="HEX", help="报文里的字节,如 42F6E979 / bytes as on the wire"),
    ],
    *,
    kind: Annotated[
        str | None, typer.Option("--type", help="类型,如 float32;不写则列出全部 / one type only")
    ] = None,
    order: Annotated[
        str | None, typer.Option(help="字节次序,如 ABCD、CDAB、BA / order of the bytes")
    ] = None,
    bit: Annotated[int | None, typer.Option(help="第几位,0 为最低 / bit, 0 the lowest")] = None,
    scale: Annotated[float, typer.Option(help="值 = 原始值 × scale + offset / as for a tag")] = 1,
    offset: Annotated[float, typer.Option(help="见 scale / see there")] = 0,
    encoding: Annotated[str, typer.Option(help="ascii, gb18030, utf-8")] = "ascii",
    expect: Annotated[
        str | None, typer.Option(help="触摸屏上的值,标出相符的 / the HMI's value: marks what fits")
    ] = None,
    decimal: Annotated[
        bool, typer.Option("--decimal", help="输入是十进制的寄存器 / decimal registers, not HEX")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """报文字节是什么意思:各种读法并列 / what bytes may mean, side by side, or read as one type."""
    from gateway.cli import decode as decoding  # noqa: PLC0415 - start-up time of the others

    tag = {"type": kind, "order": order, "bit": bit, "scale": scale, "offset": offset}
    options = decoding.Options(
        tag=tag, encoding=encoding, expect=expect, decimal=decimal, as_json=as_json
    )
    raise typer.Exit(decoding.run(text, options))


@app.command()
def plan(
    directory: Directory,
    *,
    link: Annotated[str | None, typer.Option(help="只看一个连接 / one link only")] = None,
    rtt_ms: Annotated[
        float | None,
        typer.Option(min=0, help="实测往返时间,毫秒 / round trip as measured, milliseconds"),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="zh, en, both")] = Lang.BOTH,
    as_json: AsJson = False,
) -> None:
    """每个连接的请求、预计时间和总线占用 / requests, times and load of the buses; offline."""
    from gateway.cli import plan as planning  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(
        planning.run(directory, link=link, rtt_ms=rtt_ms, lang=lang.value, json=as_json)
    )


def _quiet() -> None:
    """Keep the libraries' own words off the terminal: what matters is said by the command."""
    logging.getLogger().addHandler(logging.NullHandler())


TargetText = Annotated[
    str,
    typer.Argument(
        metavar="DIR|LINK",
        help="配置目录，或如 modbus-tcp://192.168.1.17:502/1 / configuration, or a link as here",
    ),
]

LinkName = Annotated[
    str | None,
    typer.Argument(metavar="LINK|EQUIPMENT", help="目录里的连接或设备 / a link or equipment of it"),
]


@app.command()
def probe(
    target: TargetText,
    link: LinkName = None,
    *,
    seconds: Annotated[float, typer.Option(min=0.1, help="最多用时 / at most this long")] = 30.0,
    lang: Annotated[Lang, typer.Option(help="zh, en, both")] = Lang.BOTH,
    as_json: AsJson = False,
) -> None:
    """逐步试连一台设备，说明断在哪里、下一步试什么 / try the way to a device, step by step."""
    from gateway.cli import probe as probing  # noqa: PLC0415 - start-up time of the others

    _quiet()
    raise typer.Exit(probing.run(target, link, seconds=seconds, lang=lang.value, as_json=as_json))


@app.command()
def read(
    target: TargetText,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="LINK|EQUIPMENT|ADDRESS",
            help="目录里的连接或设备；或地址，如 hr:100 / a link or equipment; or an address",
        ),
    ] = None,
    *,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="只读这些点位，可重复 / only these tags")
    ] = None,
    every: Annotated[
        float | None, typer.Option(min=0.05, help="周期，秒，默认 1 / seconds between rounds; 1")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1000,
            help="地址起连续读几个；配置目录则为读几轮 / values in a row; of a DIR: rounds",
        ),
    ] = None,
    times: Annotated[int | None, typer.Option(min=1, help="读几轮 / so many rounds")] = None,
    kind: Annotated[
        str | None, typer.Option("--type", help="类型，如 uint32 / type of the values")
    ] = None,
    order: Annotated[str | None, typer.Option(help="字节次序，如 CDAB / order of bytes")] = None,
    as_json: AsJson = False,
) -> None:
    """实时读点位：原始寄存器与解码值 / read tags now: raw registers and decoded values."""
    from gateway.cli import read as reading  # noqa: PLC0415 - start-up time of the others

    _quiet()
    options = reading.Options(tag or (), every, count, times, kind, order, as_json)
    raise typer.Exit(reading.run(target, what, options))


@app.command()
def scan(
    target: Annotated[
        str | None, typer.Argument(metavar="DIR|LINK", help="同 probe / as for probe")
    ] = None,
    link: LinkName = None,
    *,
    units: Annotated[
        str | None, typer.Option(help="站号，如 1-247 或 1,3 / units; all if nothing is named")
    ] = None,
    registers: Annotated[
        list[str] | None,
        typer.Option(help="寄存器，如 hr:0-999，可重复 / registers, such as hr:0-999"),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(help="找设备，如 192.168.1.0/24 / hosts with port 502 or 4840 instead"),
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0.1, max=1000, help="每秒最多请求数 / questions a second")
    ] = 10.0,
    yes: Annotated[bool, typer.Option("--yes", help="找设备前不再询问 / do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """扫描：站号、寄存器、网络里的设备 / which units, registers or hosts there are."""
    from gateway.cli import scan as scanning  # noqa: PLC0415 - start-up time of the others
    from gateway.cli import sweep as sweeping  # noqa: PLC0415 - the same

    _quiet()
    if network is not None:
        raise typer.Exit(sweeping.run(network, rate=rate, yes=yes, as_json=as_json))
    if target is None:
        raise typer.BadParameter("DIR LINK, modbus-tcp://HOST:PORT/UNIT, --network A.B.C.D/24")
    options = scanning.Options(units, registers or (), rate, as_json)
    raise typer.Exit(scanning.run(target, link, options))


@app.command()
def browse(
    target: TargetText,
    link: LinkName = None,
    *,
    node: Annotated[
        str | None, typer.Option(help="从这个节点开始，默认 Objects / begin at this node")
    ] = None,
    depth: Annotated[int, typer.Option(min=1, max=32, help="几层 / so many levels")] = 3,
    text: Annotated[
        str, typer.Option("--filter", help="只显示含这段文字的 / only what has this text")
    ] = "",
    csv: Annotated[
        Path | None,
        typer.Option(help="写成点位表 .csv、.xlsx / write a list for millgate tags import"),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="也显示服务器自带的节点 / also the server's own nodes")
    ] = False,
    most: Annotated[int, typer.Option("--max", min=1, help="最多节点数 / nodes at most")] = 10_000,
    as_json: AsJson = False,
) -> None:
    """浏览 OPC UA 服务器的节点，写成点位表 / what an OPC UA server has, as a tag list."""
    from gateway.cli import browse as browsing  # noqa: PLC0415 - start-up time of the others

    _quiet()
    options = browsing.Options(node, depth, text, csv, everything, most, as_json)
    raise typer.Exit(browsing.run(target, link, options))
