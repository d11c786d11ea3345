"""What can be wrong on a broker, and what was found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gateway.domain.vocabulary import Json, Text

TEXTS: Mapping[str, Text] = {
    "topic": {"zh": "不是约定的主题", "en": "not a topic of the contract"},
    "schema": {"zh": "报文不符合格式", "en": "the message does not fit its schema"},
    "attributes": {
        "zh": "CloudEvents 属性不合规则",
        "en": "an attribute breaks the rules of CloudEvents",
    },
    "mismatch": {"zh": "主题与报文不一致", "en": "topic and message do not agree"},
    "qos": {"zh": "不是 QoS 1", "en": "not sent with QoS 1"},
    "retained": {"zh": "不应保留的报文被保留", "en": "retained, but must not be"},
    "not_retained": {"zh": "应保留的报文没有保留", "en": "not retained, but must be"},
    "repeated": {"zh": "同一事件又来一次,未标明重发", "en": "came twice without saying replay"},
    "changed": {"zh": "同一标识下是不同的事实", "en": "two different facts under one id"},
    "order": {"zh": "事件未按 seq 的顺序", "en": "not in the order of seq"},
    "hole": {"zh": "流序号缺失,没有 gap 说明", "en": "numbers missing that no gap names"},
    "behind": {"zh": "网关称已发送,但未收到", "en": "sent, says the gateway; it did not arrive"},
    "overdue": {"zh": "health 逾期未到", "en": "health is overdue"},
    "expired": {"zh": "快照已过有效期", "en": "a snapshot is past its valid_until"},
    "offline": {"zh": "自称离线却在发布", "en": "publishes although its online is false"},
    "silent": {"zh": "没有听到任何网关", "en": "no gateway was heard"},
}
"""code -> what it means."""


class Flaw(NamedTuple):
    """One thing that is wrong. ``code`` is of `TEXTS`, ``detail`` for whoever repairs it."""

    code: str
    detail: str


@dataclass(slots=True)
class Finding:
    """The same flaw on the same topic, once or more often."""

    code: str
    topic: str
    detail: str
    """Of the first."""
    count: int = 1

    def data(self) -> Json:
        """As JSON."""
        return {
            "code": self.code,
            "text": dict(TEXTS[self.code]),
            "topic": self.topic,
            "count": self.count,
            "detail": self.detail,
        }


class Findings:
    """Flaws, counted by code and topic; at most ``limit`` of them are named."""

    def __init__(self, limit: int = 1000) -> None:
        self.total = 0
        self._limit = limit
        self._found: dict[tuple[str, str], Finding] = {}

    def add(self, topic: str, flaws: Iterable[Flaw]) -> None:
        """Note what is wrong with a message on ``topic``."""
        for flaw in flaws:
            self.total += 1
            known = self._found.get((flaw.code, topic))
            if known is not None:
                known.count += 1
            elif len(self._found) < self._limit:
                self._found[flaw.code, topic] = Finding(flaw.code, topic, flaw.detail)

    def all(self) -> list[Finding]:
        """Return the findings, the kinds in the order of `TEXTS`."""
        order = list(TEXTS)
        return sorted(self._found.values(), key=lambda one: (order.index(one.code), one.topic))
