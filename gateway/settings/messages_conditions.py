"""Sentences about conditions; in English the domain's own.

The code is that of `gateway.domain.expression.ExpressionError`.
"""

from collections.abc import Mapping

from gateway.settings.message import Message


def _refusal(zh: str) -> Message:
    """Return the message of one code: where it is, what is wrong, what may stand there."""
    return Message(
        f"条件“{{text}}”第 {{column}} 列：{zh}",
        "condition '{text}', column {column}: {reason}",
        "可用：点位名、stopping_fault、and or not、== != < <= > >= in、+ - * &、数字和“文字”",
        "it may hold tag names, stopping_fault, and or not, == != < <= > >= in, + - * &, "
        "numbers and 'texts'",
    )


CONDITIONS: Mapping[str, Message] = {
    "bad_condition": _refusal("看不懂"),
    "condition_too_long": _refusal("超过 {part} 个字符"),
    "condition_too_big": _refusal("超过 {part} 个部分"),
    "condition_part": _refusal("这里不能用“{part}”"),
    "condition_constant": _refusal("只能用数字、文字、true 和 false"),
    "condition_list": _refusal("列表里只能是数字和文字"),
    "condition_sign": _refusal("这里只能用 not 和 -"),
    "condition_comparison": _refusal("不能这样比较"),
    "condition_arithmetic": _refusal("这里只能用 + - * &"),
}
