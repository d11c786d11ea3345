"""The faults this gateway is held against, by number."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One fault of the catalogue."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Chapter:
    """Faults of one kind; ``first`` is the number of its first case."""

    en: str
    zh: str
    first: int


CHAPTERS = (
    Chapter("Process and power", "进程与电源", 1),
    Chapter("Disk", "磁盘", 12),
    Chapter("Clock", "时钟", 23),
    Chapter("Modbus", "Modbus", 27),
    Chapter("OPC UA", "OPC UA", 41),
    Chapter("MQTT", "MQTT", 50),
    Chapter("Stores, screens and configuration", "存储、画面与配置", 58),
)

CASES: Mapping[int, Case] = {
    1: Case("kill -9 at any moment", "任意时刻 kill -9"),
    2: Case(
        "kill -9 between commit and acknowledgement, between delivery and cursor",
        "在提交与确认之间、送达与游标之间 kill -9",
    ),
    3: Case("Power cut on the worst legal disk", "断电，磁盘行为取最坏的合法情形"),
    4: Case("Torn and reordered sectors", "扇区写一半、顺序打乱"),
    5: Case("SIGTERM", "SIGTERM"),
    6: Case("The process is paused for a minute", "进程被暂停一分钟"),
    7: Case("Out of memory", "内存耗尽"),
    8: Case("The event loop is blocked for 5 s", "事件循环被阻塞 5 秒"),
    9: Case("Start with a million rows waiting", "启动时积压一百万行"),
    10: Case("Crash in the middle of a schema migration", "数据库结构迁移中途崩溃"),
    11: Case("Two instances on one directory", "同一目录启动两个实例"),
    12: Case("The disk fills while events come in", "事件写入时磁盘写满"),
    13: Case("The disk is full at the start", "启动时磁盘已满"),
    14: Case("The disk is full and the broker comes back", "磁盘已满，随后 broker 恢复"),
    15: Case("fsync fails with an I/O error", "fsync 返回 I/O 错误"),
    16: Case("A write to the log fails", "写日志文件失败"),
    17: Case("A slow disk: 500 ms for each fsync", "慢盘：每次 fsync 500 毫秒"),
    18: Case("The file system turns read-only", "文件系统变为只读"),
    19: Case("The database is corrupt", "数据库损坏"),
    20: Case("The database is deleted or an old backup restored", "数据库被删或恢复了旧备份"),
    21: Case("A reader holds its transaction for minutes", "读者长时间不结束事务"),
    22: Case("File descriptors run out", "文件描述符耗尽"),
    23: Case("The clock steps by two hours", "时钟跳变两小时"),
    24: Case("Boot in the past, NTP later", "开机时间在过去，之后才对时"),
    25: Case("Summer time, leap second, the year 2038", "夏令时、闰秒、2038 年"),
    26: Case("The monotonic clock starts anew (reboot)", "单调时钟重新计数（重启）"),
    27: Case("The Modbus server restarts", "Modbus 服务器重启"),
    28: Case("An answer comes later than the timeout", "应答晚于超时时间"),
    29: Case("Requests arrive, answers are lost", "请求到达，应答丢失"),
    30: Case("The cable is pulled", "网线被拔"),
    31: Case("Connections are reset again and again", "连接不断被复位"),
    32: Case("Frames sliced, merged, garbled", "帧被切碎、粘连、弄乱"),
    33: Case("Short, long, foreign and odd answers", "过短、过长、不属于本请求的应答"),
    34: Case("Exceptions 01 to 0B, device busy", "异常码 01 至 0B，设备忙"),
    35: Case("30 of 40 devices are dead", "40 台设备中 30 台没有应答"),
    36: Case("A device accepts one connection only", "设备只接受一个连接"),
    37: Case("A 16-bit counter wraps, five times in a row", "16 位计数器连续回绕五次"),
    38: Case("Counter reset, preset, jump, negative", "计数器清零、预置、跳变、负值"),
    39: Case("Torn 32-bit words, swapped words", "32 位值被撕裂、字序颠倒"),
    40: Case("A gap longer than the counter's lap", "中断时间长于计数器一圈"),
    41: Case("The OPC UA server is killed and restarted", "OPC UA 服务器被杀后重启"),
    42: Case("A node is missing for a while after a restart", "重启后某节点一段时间不存在"),
    43: Case("The link is cut while a subscription is made", "建立订阅时链路被切断"),
    44: Case(
        "The link is cut for 5 s, 60 s, beyond the lifetime", "链路切断 5 秒、60 秒、超过寿命"
    ),
    45: Case("The server stalls for 2.5 s, for 15 s", "服务器停顿 2.5 秒、15 秒"),
    46: Case("The server's queue overflows", "服务器队列溢出"),
    47: Case("The server's limits: nodes, items, sessions", "服务器限额：节点、监视项、会话"),
    48: Case("Certificate expired, unknown, wrong, renewed", "证书过期、未知、不符、更换"),
    49: Case("Namespaces in another order after a restart", "重启后命名空间次序改变"),
    50: Case("The broker is killed; an outage of a day", "broker 被杀；中断一天"),
    51: Case("The broker accepts and never confirms", "broker 接受连接但不确认"),
    52: Case("The PUBACK is lost, then a reconnect", "PUBACK 丢失后重连"),
    53: Case("A topic is forbidden, a quota or packet size exceeded", "主题被禁、超配额、报文过大"),
    54: Case("Another client takes the session", "同一 client id 的另一客户端抢占会话"),
    55: Case("Wrong password, expired CA, wrong host name", "密码错误、CA 过期、主机名不符"),
    56: Case("A slow broker: 2 kB/s", "慢 broker：2 kB/s"),
    57: Case("A flood of commands, replayed and retained ones", "命令洪水、重放的与保留的命令"),
    58: Case("The store fails or is too slow for an hour", "存储报错或超时一小时"),
    59: Case("One poison row in a batch", "一批中有一行写不进"),
    60: Case("Stored, but the reply is cut off", "已写入，但应答丢失"),
    61: Case("The store is restored from an old backup", "存储恢复为旧备份"),
    62: Case("Slow and silent web clients", "缓慢的、不读数据的网页客户端"),
    63: Case("Hostile uploads", "恶意上传"),
    64: Case("Brute force, cross-site requests, escalation", "暴力登录、跨站请求、越权"),
    65: Case("An invalid configuration, a crash while it is applied", "配置无效、应用配置途中崩溃"),
    66: Case("Three days of everything", "各种故障混合三天"),
}

WANTED = frozenset(range(1, 62)) | {65}
"""Each of these is proved by a test or stands in ``tests.faults.absent``."""
