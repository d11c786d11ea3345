"""What a person is told who changed the configuration."""

from collections.abc import Mapping, Sequence

from gateway.settings.diff import SiteDiff
from gateway.settings.outcome import Outcome
from gateway.settings.problems import Problem
from gateway.settings.revision import Head


def applied(head: Head, warnings: Sequence[Problem], diff: SiteDiff) -> Outcome:
    """It is in force."""
    links = ", ".join(sorted(diff.reopened))
    zh = f"版本 {head.number} 已生效" + (f";重新连接:{links}" if links else ";没有连接中断")
    en = f"revision {head.number} is in force" + (
        f"; opened anew: {links}" if links else "; no link was interrupted"
    )
    return Outcome(
        "applied",
        head.number,
        {"zh": zh, "en": en},
        problems=tuple(warnings),
        notes=head.notes,
        counts=head.counts,
    )


def unchanged(number: int) -> Outcome:
    """There was nothing to do."""
    return Outcome(
        "unchanged",
        number,
        {
            "zh": f"与生效的版本 {number} 没有差别",
            "en": f"nothing differs from revision {number}, which is in force",
        },
    )


def invalid(number: int, problems: Sequence[Problem]) -> Outcome:
    """The configuration has errors."""
    errors = sum(problem.severity == "error" for problem in problems)
    return Outcome(
        "invalid",
        number,
        {
            "zh": f"配置有 {errors} 处错误,版本 {number} 继续生效",
            "en": f"refused, errors: {errors}; revision {number} stays in force",
        },
        problems=tuple(problems),
    )


def stale(base: int, current: Head | None) -> Outcome:
    """Somebody else was first."""
    if current is None:
        return Outcome("stale", 0, {"zh": "还没有版本", "en": "there is no revision yet"})
    who, at = current.by or "-", current.at.strftime("%Y-%m-%d %H:%M:%SZ")
    return Outcome(
        "stale",
        current.number,
        {
            "zh": f"草稿基于版本 {base},而版本 {current.number} 已由 {who} 于 {at} 应用",
            "en": f"the draft is based on revision {base}, but {current.number} was applied by "
            f"{who} at {at}",
        },
        notes=current.notes,
    )


def edited(number: int, notes: Sequence[str]) -> Outcome:
    """The files were edited on the disk and nobody took them up."""
    return Outcome(
        "stale",
        number,
        {
            "zh": f"磁盘上的文件与版本 {number} 不同:先重新加载(millgate reload)"
            f"或恢复(millgate revisions DIR restore {number})",
            "en": f"the files on the disk differ from revision {number}: reload them first "
            f"(millgate reload) or put them back (millgate revisions DIR restore {number})",
        },
        notes=tuple(notes),
    )


def needs_restart(number: int, keys: Sequence[str]) -> Outcome:
    """Something differs that a running process has built upon."""
    named = ", ".join(keys)
    return Outcome(
        "needs_restart",
        number,
        {
            "zh": f"gateway.yaml 的 {named} 需要重启才能改变;版本 {number} 继续生效",
            "en": f"{named} in gateway.yaml needs a restart; revision {number} stays in force",
        },
        keys=tuple(keys),
    )


def rolled_back(number: int, silent: Mapping[str, str], *, by_hand: bool) -> Outcome:
    """A changed link did not answer."""
    named = "; ".join(f"{link}: {reason}" for link, reason in silent.items())
    zh = f"已退回版本 {number}:改动后的连接没有读到数据({named})"
    en = f"rolled back to revision {number}: a changed link brought nothing good ({named})"
    if by_hand:
        zh += ";磁盘上的文件未动,重启后会再次采用"
        en += "; the files on the disk are as you left them, and a restart would take them up"
    return Outcome("rolled_back", number, {"zh": zh, "en": en})


def failed(number: int, err: Exception) -> Outcome:
    """The machine could not do it."""
    return Outcome(
        "failed",
        number,
        {
            "zh": f"未能更改,版本 {number} 继续生效:{err}",
            "en": f"not done, revision {number} stays in force: {err}",
        },
    )
