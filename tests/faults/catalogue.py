"""The faults this gateway is held against, by number."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One fault of the catalogue."""

    en: str
    zh: str
    zh_promise: str
    """What must hold; in English each test says it in its own words."""


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
    1: Case("kill -9 at any moment", "任意时刻 kill -9", "已确认的数据不丢、不重复，时间线无空洞"),
    2: Case(
        "kill -9 between commit and acknowledgement, between delivery and cursor",
        "在提交与确认之间、送达与游标之间 kill -9",
        "以相同标识重发，只存一份",
    ),
    3: Case(
        "Power cut on the worst legal disk",
        "断电，磁盘行为取最坏的合法情形",
        "已确认的行一行不少，文件完好",
    ),
    4: Case("Torn and reordered sectors", "扇区写一半、顺序打乱", "文件完好，事件与状态一致"),
    5: Case("SIGTERM", "SIGTERM", "10 秒内自行退出，标记为正常结束"),
    6: Case(
        "The process is paused for a minute",
        "进程被暂停一分钟",
        "这段时间标为 offline，计数不受影响",
    ),
    7: Case("Out of memory", "内存耗尽", "重启后已提交的数据都在"),
    8: Case(
        "The event loop is blocked for 5 s",
        "事件循环被阻塞 5 秒",
        "日志指出停在哪里，看门狗得不到消息，写线程照常提交",
    ),
    9: Case(
        "Start with a million rows waiting", "启动时积压一百万行", "立即打开，边采集边发出积压"
    ),
    10: Case(
        "Crash in the middle of a schema migration",
        "数据库结构迁移中途崩溃",
        "要么旧结构要么新结构，绝无中间状态",
    ),
    11: Case("Two instances on one directory", "同一目录启动两个实例", "第二个实例退出并说明原因"),
    12: Case(
        "The disk fills while events come in",
        "事件写入时磁盘写满",
        "腾出空间，状态与故障保留，丢弃的由 gap 说明，并报警",
    ),
    13: Case("The disk is full at the start", "启动时磁盘已满", "等待空间而不反复崩溃，画面可用"),
    14: Case(
        "The disk is full and the broker comes back",
        "磁盘已满，随后 broker 恢复",
        "积压发完，预留空间恢复",
    ),
    15: Case(
        "fsync fails with an I/O error", "fsync 返回 I/O 错误", "进程退出，重启并检查，已确认的不丢"
    ),
    16: Case("A write to the log fails", "写日志文件失败", "同 15 或腾出空间"),
    17: Case(
        "A slow disk: 500 ms for each fsync",
        "慢盘：每次 fsync 500 毫秒",
        "多次写入合并提交，周期长于一次刷盘的采集按时，内存有界",
    ),
    18: Case("The file system turns read-only", "文件系统变为只读", "不误报正常，报警或退出"),
    19: Case("The database is corrupt", "数据库损坏", "损坏文件隔离，开始新纪元，报警，序号不重用"),
    20: Case(
        "The database is deleted or an old backup restored",
        "数据库被删或恢复了旧备份",
        "新纪元，存储中标识不冲突",
    ),
    21: Case(
        "A reader holds its transaction for minutes",
        "读者长时间不结束事务",
        "日志文件过大时报警，并指出是哪个程序",
    ),
    22: Case("File descriptors run out", "文件描述符耗尽", "采集继续，先拒绝新的网页客户端"),
    23: Case(
        "The clock steps by two hours",
        "时钟跳变两小时",
        "时长正确、按序号排序、计数不丢，并记录拨动",
    ),
    24: Case(
        "Boot in the past, NTP later",
        "开机时间在过去，之后才对时",
        "时间戳标为 unsynced，对时后恢复；证书因此尚未生效时，提示检查本机时钟",
    ),
    25: Case(
        "Summer time, leap second, the year 2038", "夏令时、闰秒、2038 年", "一律 UTC，班次统计正确"
    ),
    26: Case(
        "The monotonic clock starts anew (reboot)",
        "单调时钟重新计数（重启）",
        "时间差只在时钟可信时取自系统时钟",
    ),
    27: Case("The Modbus server restarts", "Modbus 服务器重启", "一个周期内恢复读取，最多一个连接"),
    28: Case(
        "An answer comes later than the timeout", "应答晚于超时时间", "没有一个错误值，连接重建"
    ),
    29: Case(
        "Requests arrive, answers are lost",
        "请求到达，应答丢失",
        "两次无应答后离线；本网关从不写入",
    ),
    30: Case("The cable is pulled", "网线被拔", "该设备离线，其他设备的周期不受影响"),
    31: Case("Connections are reset again and again", "连接不断被复位", "最多一个连接，退避重试"),
    32: Case(
        "Frames sliced, merged, garbled", "帧被切碎、粘连、弄乱", "要么正确值要么拒绝，绝不崩溃"
    ),
    33: Case(
        "Short, long, foreign and odd answers", "过短、过长、不属于本请求的应答", "拒收并计入坏应答"
    ),
    34: Case(
        "Exceptions 01 to 0B, device busy",
        "异常码 01 至 0B，设备忙",
        "只影响该点位并给出原因，其他照常",
    ),
    35: Case(
        "30 of 40 devices are dead", "40 台设备中 30 台没有应答", "其余设备的周期偏差不超过 10 %"
    ),
    36: Case(
        "A device accepts one connection only", "设备只接受一个连接", "从不发起第二个连接，无泄漏"
    ),
    37: Case("A 16-bit counter wraps, five times in a row", "16 位计数器连续回绕五次", "总数精确"),
    38: Case(
        "Counter reset, preset, jump, negative",
        "计数器清零、预置、跳变、负值",
        "按规则命名异常，不虚构数量",
    ),
    39: Case("Torn 32-bit words, swapped words", "32 位值被撕裂、字序颠倒", "不产生虚假跳变"),
    40: Case(
        "A gap longer than the counter's lap",
        "中断时间长于计数器一圈",
        "标为 rollover_ambiguous，不猜测",
    ),
    41: Case(
        "The OPC UA server is killed and restarted",
        "OPC UA 服务器被杀后重启",
        "自动恢复，中断期为 offline，计数精确",
    ),
    42: Case(
        "A node is missing for a while after a restart",
        "重启后某节点一段时间不存在",
        "出现后自动接上，其他节点照常",
    ),
    43: Case(
        "The link is cut while a subscription is made", "建立订阅时链路被切断", "没有哑掉的订阅"
    ),
    44: Case(
        "The link is cut for 5 s, 60 s, beyond the lifetime",
        "链路切断 5 秒、60 秒、超过寿命",
        "短断不丢任何变化；长断为 offline，总数精确",
    ),
    45: Case(
        "The server stalls for 2.5 s, for 15 s",
        "服务器停顿 2.5 秒、15 秒",
        "超时之内同一会话；超过则重连",
    ),
    46: Case("The server's queue overflows", "服务器队列溢出", "由 gap 事件说明未观察到的变化"),
    47: Case(
        "The server's limits: nodes, items, sessions",
        "服务器限额：节点、监视项、会话",
        "分批请求，放不下的改为轮询，错误说明清楚",
    ),
    48: Case(
        "Certificate expired, unknown, wrong, renewed",
        "证书过期、未知、不符、更换",
        "拒绝并说明怎么办，更换无需重启",
    ),
    49: Case(
        "Namespaces in another order after a restart",
        "重启后命名空间次序改变",
        "按 URI 找到相同的节点",
    ),
    50: Case(
        "The broker is killed; an outage of a day",
        "broker 被杀；中断一天",
        "按序全部送达，内存平稳",
    ),
    51: Case(
        "The broker accepts and never confirms",
        "broker 接受连接但不确认",
        "超时后重连，去重后无重复",
    ),
    52: Case(
        "The PUBACK is lost, then a reconnect", "PUBACK 丢失后重连", "线上可能重复，存储中只有一份"
    ),
    53: Case(
        "A topic is forbidden, a quota or packet size exceeded",
        "主题被禁、超配额、报文过大",
        "扣住或另存并报警，绝不删除",
    ),
    54: Case(
        "Another client takes the session",
        "同一 client id 的另一客户端抢占会话",
        "报警，退避，不与对方来回抢占",
    ),
    55: Case(
        "Wrong password, expired CA, wrong host name",
        "密码错误、CA 过期、主机名不符",
        "状态清楚，不疯狂重试",
    ),
    56: Case("A slow broker: 2 kB/s", "慢 broker：2 kB/s", "在途数量有上限，实时主题优先"),
    57: Case(
        "A flood of commands, replayed and retained ones",
        "命令洪水、重放的与保留的命令",
        "限速；过期的和保留的命令被拒绝并记录",
    ),
    58: Case(
        "The store fails or is too slow for an hour",
        "存储报错或超时一小时",
        "不丢，其他存储不受影响",
    ),
    59: Case("One poison row in a batch", "一批中有一行写不进", "只隔离那一行，其余照常写入"),
    60: Case("Stored, but the reply is cut off", "已写入，但应答丢失", "重发而不重复"),
    61: Case(
        "The store is restored from an old backup", "存储恢复为旧备份", "自动从网关补回缺少的部分"
    ),
    62: Case(
        "Slow and silent web clients", "缓慢的、不读数据的网页客户端", "采集不受影响，接口照常响应"
    ),
    63: Case("Hostile uploads", "恶意上传", "拒绝，内存有界，目录之外无写入"),
    64: Case(
        "Brute force, cross-site requests, escalation",
        "暴力登录、跨站请求、越权",
        "拒绝并留下审计记录",
    ),
    65: Case(
        "An invalid configuration, a crash while it is applied",
        "配置无效、应用配置途中崩溃",
        "原配置继续有效，可一步回退",
    ),
    66: Case("Three days of everything", "各种故障混合三天", "所有不变量始终成立"),
}

WANTED = frozenset(range(1, 66))
"""Each of these is proved by a test or stands in ``tests.faults.absent``."""
EACH_TIME = frozenset(
    {1, 2, 3, 4, 12, 15, 23, 27, 28, 29, 37, 38, 41, 42, 43, 50, 51, 52, 53, 58, 59, 60, 64}
)
"""Each of these has a test that `make test` runs."""
