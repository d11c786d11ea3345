"""Cases of the catalogue that no test here injects: why, and what stands in for them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a fault is not injected by this suite; said on the page in both languages."""

    why: str
    why_zh: str
    instead: str
    instead_zh: str


ABSENT: Mapping[int, Absent] = {
    7: Absent(
        "a memory limit needs a service manager, which a test machine may not have",
        "内存上限由服务管理器设定，测试机上不一定有",
        "the kernel ends such a process by SIGKILL: case 1 holds; the unit sets the limit, and a"
        " pause of 2 s before each start. Where every start ends so, that is more than three a"
        " minute: systemd before 254 knows no pauses that grow, and later ones never shorten them",
        "内核以 SIGKILL 结束该进程，由第 1 项保证；systemd 单元设定内存上限，每次重启前间隔 2 秒。"
        "若每次启动都如此结束，每分钟会超过三次：254 之前的 systemd 没有递增间隔，"
        "之后的版本增大后也不再缩短",
    ),
    66: Absent(
        "three days of one machine are more than a test run has",
        "三天超出一次测试运行的时间",
        "each fault by itself, and the seeded long tests of `make soak`",
        "逐个注入各故障，另有 `make soak` 中带种子的长时测试",
    ),
}
