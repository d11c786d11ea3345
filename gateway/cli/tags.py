"""``millgate tags``: tag lists of spreadsheets in and out.

- Every row that does not go in is named with its reason, here and in a file to repair.
- The exit code is 1 if a row or the whole list did not go in.
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from gateway.cli.say import refuse, say
from gateway.tags.answer import answer
from gateway.tags.entries import Assumed
from gateway.tags.exporting import export
from gateway.tags.files import form_of, write
from gateway.tags.importing import Outcome, Wanted, import_tags
from gateway.tags.merge import Changes
from gateway.tags.messages import SheetError
from gateway.tags.trial import replace

SHOWN = 20
"""So many errors and changes are printed; the file holds all errors."""

app = typer.Typer(help="点位表导入、导出 / tag lists in and out.", no_args_is_help=True)


class ListEncoding(StrEnum):
    """How the text of a CSV is encoded."""

    AUTO = "auto"
    UTF_8 = "utf-8"
    GB18030 = "gb18030"


class Table(StrEnum):
    """The Modbus table of rows that name none."""

    HR = "hr"
    IR = "ir"
    COIL = "coil"
    DI = "di"


class First(StrEnum):
    """What a manual calls the first address."""

    ZERO = "0"
    ONE = "1"


Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="配置目录 / configuration directory")
]


@app.command("export")
def export_list(
    directory: Directory,
    equipment: Annotated[
        str | None, typer.Argument(help="设备编号,默认全部 / its code; all of them")
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="输出文件 .csv 或 .xlsx / file, .csv or .xlsx")],
) -> None:
    """导出点位表 / write the tags as a list for a spreadsheet."""
    try:
        replace(out, export(directory, form_of(out.name), equipment))
    except SheetError as err:
        raise typer.Exit(refuse(err.text["zh"], err.text["en"])) from None
    except OSError as err:
        raise typer.Exit(refuse(f"无法写入：{err}", f"cannot be written: {err}")) from None
    say(f"已写入 {out}", f"written: {out}")


@app.command("import")
def import_list(
    directory: Directory,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="点位表 / the list, .csv or .xlsx")],
    *,
    equipment: Annotated[str | None, typer.Option(help="全部行的设备 / whose all rows are")] = None,
    new: Annotated[
        str | None, typer.Option(help="新设备的编号 / code of a device to make of the list")
    ] = None,
    link: Annotated[
        str | None,
        typer.Option(
            help="连接名;新设备如 modbus-tcp://192.168.1.17:502/1"
            " / name of a link; of a new device as in the example"
        ),
    ] = None,
    table: Annotated[
        Table | None, typer.Option(help="未写明的数据区 / Modbus table where a row names none")
    ] = None,
    numbers_from: Annotated[
        First | None, typer.Option(help="手册地址从几数 / what bare addresses count from")
    ] = None,
    encoding: Annotated[
        ListEncoding, typer.Option(help="CSV 编码 / encoding of a CSV")
    ] = ListEncoding.AUTO,
    all_or_nothing: Annotated[
        bool, typer.Option(help="有错就全部不导入 / one bad row refuses all")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="只看不写 / show, write nothing")] = False,
) -> None:
    """导入点位表,逐行报错;--new 直接建成新设备 / take a list in; --new makes a device of it."""
    if new is not None and link is None:
        raise typer.Exit(refuse("--new 需要 --link", "--new needs --link"))
    wanted = Wanted(
        Assumed(equipment, link, None if table is None else table.value, _first(numbers_from)),
        new=new,
        encoding=encoding.value,
        all_or_nothing=all_or_nothing,
        dry_run=dry_run,
    )
    raise typer.Exit(run(directory, file, wanted))


def run(directory: Path, file: Path, wanted: Wanted) -> int:
    """Import a list, say what became of it, return the exit code."""
    try:
        outcome = import_tags(directory, file.name, file.read_bytes(), wanted)
        answered = _answer(file, outcome)
    except SheetError as err:
        return refuse(err.text["zh"], err.text["en"])
    except OSError as err:
        return refuse(f"文件读写失败：{err}", f"a file cannot be read or written: {err}")
    _tell_list(outcome)
    for code, changes in sorted(outcome.changes.items()):
        _tell_changes(code, changes)
    _tell_errors(outcome, answered)
    _tell_meaning(outcome)
    _tell_end(outcome, wanted)
    return 0 if outcome.complete else 1


def _answer(file: Path, outcome: Outcome) -> Path | None:
    """Write the bad rows beside the list; an answer of an earlier try goes."""
    form = form_of(file.name)
    path = file.with_name(f"{file.stem.removesuffix('.errors')}.errors.{form}")
    if outcome.errors:
        replace(path, write(list(answer(outcome.sheet, outcome.errors)), form))
        return path
    if path != file:
        path.unlink(missing_ok=True)
    return None


def _tell_list(outcome: Outcome) -> None:
    written, rows = outcome.grid.written, len(outcome.sheet.rows)
    say(f"读到 {rows} 行（{written}）", f"read {rows} rows ({written})")
    if outcome.sheet.unknown:
        names = ", ".join(outcome.sheet.unknown)
        say(f"不认识的列，未使用：{names}", f"columns nobody knows, not used: {names}")
    if outcome.counts_from_0:
        say(
            "地址中有 0，因此按从 0 数（--numbers-from 0）",
            "one address is 0, so they count from 0 (--numbers-from 0)",
        )


def _tell_changes(code: str, changes: Changes) -> None:
    added, changed = len(changes.added), len(changes.changed)
    say(
        f"{code}：新增 {added}，修改 {changed}，不变 {changes.unchanged}",
        f"{code}: {added} added, {changed} changed, {changes.unchanged} unchanged",
    )
    lines = [f"  {name}: {'; '.join(said)}" for name, said in changes.changed.items()]
    _list(lines)


def _tell_errors(outcome: Outcome, answered: Path | None) -> None:
    for problem in outcome.refused:
        where = f"{problem.file}:{problem.line} {problem.key}"
        say(f"{where}：{problem.text['zh']}", f"{where}: {problem.text['en']}")
    if not outcome.errors:
        return
    count = len(outcome.errors)
    say(f"{count} 处错误，见 {answered}：", f"{count} errors, see {answered}:")
    _list([f"  {e.row}: {e.text['zh']} / {e.text['en']}" for e in outcome.errors])


def _tell_meaning(outcome: Outcome) -> None:
    meaning = outcome.meaning
    if outcome.ignored_roles:
        say(
            f"{outcome.ignored_roles} 行写了用途；设备已有配置，用途不导入",
            f"{outcome.ignored_roles} rows name a role; the equipment exists, its rules stay",
        )
    if meaning is None or outcome.refused:
        return
    if meaning.texts_missing:
        names = ", ".join(meaning.texts_missing)
        say(f"请补充故障文字：{names}", f"fill in the fault texts: {names}")
    if "status" not in meaning.sections:
        say(
            "还没有状态规则：在设备文件加 status: [{state: running, when: 点位}]，"
            "或在表里加“用途”列（运行、待机、合格、报警字……）",
            "there are no status rules yet: add status: [{state: running, when: TAG}] to the "
            "file, or a column role (run, ready, good, alarm ...) to the list",
        )
    if "counters" not in meaning.sections:
        say(
            "还没有计数：加 counters: {good: {tag: 点位, kind: good}}",
            "there are no counters yet: add counters: {good: {tag: TAG, kind: good}}",
        )


def _tell_end(outcome: Outcome, wanted: Wanted) -> None:
    files = ", ".join(outcome.files)
    if outcome.written:
        say(f"已写入 {files}", f"written: {files}")
    elif outcome.refused:
        say("没有写入：整个配置会出错", "nothing is written: the site would not be valid")
    elif wanted.dry_run and outcome.files:
        say(f"试运行，未写入 {files}", f"dry run, not written: {files}")
    else:
        say("没有写入任何文件", "nothing is written")


def _list(lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        typer.echo(line)
    if len(lines) > SHOWN:
        typer.echo(f"  ... +{len(lines) - SHOWN}")


def _first(first: First | None) -> Literal[0, 1] | None:
    if first is None:
        return None
    return 0 if first is First.ZERO else 1
