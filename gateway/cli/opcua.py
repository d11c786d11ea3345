"""``millgate opcua ...``: arguments only; `gateway.cli.trust` does it."""

from typing import Annotated

import typer

from gateway.cli.arguments import Directory

app = typer.Typer(
    help="OPC UA 证书:信任服务器、本网关的证书 / certificates: trust a server, show our own",
    no_args_is_help=True,
)


@app.command()
def trust(
    directory: Directory,
    target: Annotated[
        str,
        typer.Argument(
            metavar="LINK|ENDPOINT",
            help="连接名或 opc.tcp:// 地址 / a link's name, or an endpoint",
        ),
    ],
    *,
    fingerprint: Annotated[
        str | None, typer.Option(help="应有的 SHA-256 指纹 / the SHA-256 it must have")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="不再询问,须给出指纹 / do not ask; needs --fingerprint")
    ] = False,
) -> None:
    """查看服务器的证书,核对后信任 / look at a server's certificate, then trust it."""
    from gateway.cli import trust as trusting  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(trusting.trust(directory, target, fingerprint=fingerprint, yes=yes))


@app.command()
def certificate(
    directory: Directory,
    *,
    renew: Annotated[
        bool, typer.Option("--renew", help="备好下一张,暂不使用 / prepare the next one")
    ] = False,
    activate: Annotated[
        bool, typer.Option("--activate", help="启用备好的 / use the prepared one from now on")
    ] = False,
) -> None:
    """本网关的证书:位置、指纹、有效期 / our certificate: file, fingerprint, how long it lasts."""
    from gateway.cli import trust as trusting  # noqa: PLC0415 - start-up time of the others

    raise typer.Exit(trusting.certificate(directory, renew=renew, activate=activate))
