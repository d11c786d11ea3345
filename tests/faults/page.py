"""Writes docs/reliability.md and its Chinese twin: ``python -m tests.faults.page``.

The rows come from the markers, the results from the last recorded runs; nothing is typed in.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.absent import ABSENT, Absent
from tests.faults.catalogue import CASES, CHAPTERS
from tests.faults.markers import ROOT, Proof, proofs
from tests.faults.record import Result, load

TEXTS = Path(__file__).parent
TABLE = "<!-- table -->"


@dataclass(frozen=True, slots=True)
class Words:
    """What the table itself says, in one language."""

    file: str
    intro: str
    head: str
    outcomes: Mapping[str, str]
    not_run: str
    not_marked: str
    absent: str
    long: str
    short: str


ENGLISH = Words(
    file="reliability.md",
    intro="intro.md",
    head="| fault | injection | expectation | test | result |\n|---|---|---|---|---|",
    outcomes={"passed": "passed", "failed": "**failed**", "skipped": "skipped here"},
    not_run="not run yet",
    not_marked="no test yet",
    absent="not injected: {why}. In its place: {instead}",
    long="soak",
    short="test",
)
CHINESE = Words(
    file="reliability.zh-CN.md",
    intro="intro.zh-CN.md",
    head="| 故障，必须成立的结果 | 注入方式 | 期望 | 测试 | 结果 |\n|---|---|---|---|---|",
    outcomes={"passed": "通过", "failed": "**未通过**", "skipped": "此处跳过"},
    not_run="尚未运行",
    not_marked="尚无测试",
    absent="未注入：{why}。代之以：{instead}",
    long="soak",
    short="test",
)


def page(words: Words, found: Iterable[Proof], results: Mapping[str, Result]) -> str:
    intro = (TEXTS / words.intro).read_text(encoding="utf-8")
    return intro.replace(TABLE, "\n".join(_tables(words, list(found), results)).strip())


def _tables(words: Words, found: list[Proof], results: Mapping[str, Result]) -> Iterator[str]:
    firsts = [chapter.first for chapter in CHAPTERS[1:]] + [max(CASES) + 1]
    for chapter, end in zip(CHAPTERS, firsts, strict=True):
        yield f"\n### {chapter.en if words is ENGLISH else chapter.zh}\n\n{words.head}"
        for number in range(chapter.first, end):
            yield from _rows(words, number, found, results)


def _rows(
    words: Words, number: int, found: list[Proof], results: Mapping[str, Result]
) -> Iterator[str]:
    case = CASES[number]
    said = case.en if words is ENGLISH else f"{case.zh}。{case.zh_promise}"
    title = f"{number} {said}"
    mine = [proof for proof in found if proof.number == number]
    mine.sort(key=lambda proof: proof.soak)
    for proof in mine:
        kind = words.long if proof.soak else words.short
        yield _row(
            title,
            proof.injection,
            proof.expectation,
            f"`{proof.test.removeprefix('tests/')}` ({kind})",
            _result(words, results.get(proof.test)),
        )
        title = f"{number}"
    if number in ABSENT:
        yield _row(title, "", "", "", _absent(words, ABSENT[number]))
    elif not mine:
        yield _row(title, "", "", "", words.not_marked)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _result(words: Words, result: Result | None) -> str:
    if result is None:
        return words.not_run
    figures = "; ".join(f"{name} {value}" for name, value in result.figures.items())
    said = f"{words.outcomes[result.outcome]} {result.on}"
    return f"{said}: {figures}" if figures else said


def _absent(words: Words, absent: Absent) -> str:
    if words is ENGLISH:
        return words.absent.format(why=absent.why, instead=absent.instead)
    return words.absent.format(why=absent.why_zh, instead=absent.instead_zh)


def pages() -> dict[Path, str]:
    """Each page with what must stand in it now."""
    found, results = proofs(), load()
    return {ROOT / "docs" / words.file: page(words, found, results) for words in (ENGLISH, CHINESE)}


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
