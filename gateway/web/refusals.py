"""Why the collector refused a command, in both languages.

The collector answers one English sentence, on MQTT as here; a test holds this table to all of them.
A sentence newer than the table stays as it is.
"""

import re
from collections.abc import Mapping

_CHINESE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"unknown equipment (.+)", r"没有设备 \1"),
        (r"no fault \S+ is active or waits for an acknowledgement", "该故障已不存在，也不需要确认"),
        (r"fault \S+ has cleared; it can only be acknowledged", "该故障已恢复，只能确认"),
        (r"fault \S+ was acknowledged by (.+?) at (\S+)", r"已由 \1 于 \2 确认"),
        (r"fault \S+ was acknowledged by (.+)", r"已由 \1 确认"),
        (r"there is no comment", "没有填写备注"),
        (r"shelving needs until and, as comment, the reason", "搁置需要期限和原因"),
        (r"until (\S+) is past", r"期限 \1 已过"),
        (r"a fault may be shelved until (\S+) at most", r"最多只能搁置到 \1"),
        (
            r"(\S+) faults of this equipment are shelved already",
            r"已搁置 \1 条，不能再多",
        ),
        (r"fault \S+ is not shelved", "该故障没有被搁置"),
        (r"effective_at is in the future: .*", "effective_at 在将来：请在工单开始时再发送"),
        (
            r"(\S+) (?:is|was) a counter of the machine; .*",
            r"\1 是设备自己的计数，请换一个",
        ),
        (r"(\S+) counts (\S+), not (\S+)", r"\1 统计的是 \2，不是 \3"),
        (r"(\S+) stands at (\S+) and cannot take (\S+) more", r"\1 已是 \2，不能再加 \3"),
        (r"there are (\S+) manual counters already", r"人工计数已有 \1 个"),
        (r"there is no usage (\S+); known: (.*)", r"没有 \1 这一项；有：\2"),
    )
)


def told(error: str | None) -> Mapping[str, str] | None:
    """Return a refusal in every language it is known in."""
    if error is None:
        return None
    for pattern, chinese in _CHINESE:
        found = pattern.fullmatch(error)
        if found:
            return {"zh": found.expand(chinese), "en": error}
    return {"zh": error, "en": error}
