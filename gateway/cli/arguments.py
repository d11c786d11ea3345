"""What many commands are given in the same words."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.say import Lang

Directory = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="配置目录 / configuration directory (gateway.yaml, equipment/, links/)"
    ),
]
Language = Annotated[Lang, typer.Option(help="zh, en, both")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON")]
