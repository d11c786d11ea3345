"""Every sentence `check` can say, in both languages.

A field in braces is a value of the configuration or a name of ours. The code of a
problem is its key here; programs may rely on it.
"""

from collections.abc import Mapping

from gateway.settings.message import Message
from gateway.settings.messages_calendar import CALENDAR
from gateway.settings.messages_conditions import CONDITIONS
from gateway.settings.messages_counters import COUNTERS
from gateway.settings.messages_drivers import DRIVERS
from gateway.settings.messages_files import FAULT_TABLES, FILES, YAML
from gateway.settings.messages_profiles import PROFILES

_VALUES = {
    "unknown_key": Message(
        "不认识的键“{name}”",
        "unknown key '{name}'",
        "可用的键：{known}",
        "known keys: {known}",
    ),
    "unknown_key_guess": Message(
        "不认识的键“{name}”",
        "unknown key '{name}'",
        "是不是“{guess}”？",
        "did you mean '{guess}'?",
    ),
    "missing": Message("缺少“{name}”", "'{name}' is missing"),
    "not_integer": Message("应为整数，现在是“{value}”", "must be a whole number, not '{value}'"),
    "not_number": Message("应为数字，现在是“{value}”", "must be a number, not '{value}'"),
    "not_boolean": Message(
        "应为 true 或 false，现在是“{value}”", "must be true or false, not '{value}'"
    ),
    "not_string": Message(
        "应为文字，现在是“{value}”",
        "must be text, not '{value}'",
        "加上引号",
        "put it in quotes",
    ),
    "not_mapping": Message(
        "下面应为“键: 值”，现在是“{value}”", "must hold 'key: value' lines, not '{value}'"
    ),
    "not_list": Message(
        "应为列表（每项以“- ”开头），现在是“{value}”",
        "must be a list (items begin with '- '), not '{value}'",
    ),
    "not_one_of": Message(
        "“{value}”不在可选值之内",
        "'{value}' is not allowed here",
        "可选：{choices}",
        "one of {choices}",
    ),
    "bad_name": Message(
        "名称“{value}”不合规定",
        "'{value}' is not a valid name",
        "用小写字母、数字、- 和 _，以字母或数字开头，最多 40 个字符；中文名写在 name 里",
        "use a-z, 0-9, - and _, begin with a letter or digit, at most 40; "
        "what people read goes into 'name'",
    ),
    "bad_pattern": Message(
        "“{value}”的写法不对，应符合 {pattern}", "'{value}' must look like {pattern}"
    ),
    "too_small": Message(
        "不能小于 {limit}，现在是 {value}", "must be at least {limit}, not {value}"
    ),
    "too_large": Message(
        "不能大于 {limit}，现在是 {value}", "must be at most {limit}, not {value}"
    ),
    "not_above": Message("必须大于 {limit}，现在是 {value}", "must be above {limit}, not {value}"),
    "not_below": Message("必须小于 {limit}，现在是 {value}", "must be below {limit}, not {value}"),
    "not_finite": Message("必须是有限的数", "must be a finite number"),
    "too_short": Message("太短或太少，至少 {limit}", "too short or too few, at least {limit}"),
    "too_long": Message("太长或太多，最多 {limit}", "too long or too many, at most {limit}"),
    "invalid": Message("“{value}”无效：{reason}", "'{value}' is not valid: {reason}"),
    "timezone": Message(
        "没有时区“{value}”",
        "there is no time zone '{value}'",
        "用 IANA 名称，如 Asia/Shanghai",
        "use an IANA name such as Asia/Shanghai",
    ),
    "secret_in_url": Message(
        "网址里不能写密码",
        "a URL must not hold a password",
        "把密码放进文件，用 password_file 指明",
        "put it into a file and name that with password_file",
    ),
    "bad_url": Message("不是可用的网址", "is not a usable URL"),
    "not_an_address": Message(
        "“{value}”不是 IP 地址",
        "'{value}' is not an IP address",
        "写本机的一个地址；0.0.0.0 表示全部。主机名写在 web.names 里",
        "write an address of this machine; 0.0.0.0 is all of them. Host names go into web.names",
    ),
    "unsafe_path": Message(
        "“{value}”要写成配置目录内的相对路径",
        "'{value}' must be a path inside the configuration directory",
    ),
    "readings_exceed_journal": Message(
        "readings_max_bytes 不能大于 max_bytes",
        "readings_max_bytes must not exceed max_bytes",
    ),
    "password_without_user": Message(
        "有 password_file 却没有 username", "there is a password_file but no username"
    ),
    "broker_beside_brokers": Message(
        "已有 brokers，{name} 不能再写在外面",
        "there is a list of brokers, so {name} must not stand beside it",
        "写进 brokers 的每一项里",
        "put it into the items of brokers",
    ),
    "bad_push_url": Message(
        "推送目标要用 http:// 或 https:// 网址",
        "a push target has an http:// or https:// URL",
    ),
    "bad_event_path": Message(
        "事件里没有“{value}”",
        "there is no '{value}' in an event",
        "可用：{known}；data 之下写路径，如 data.order.order_no",
        "one of {known}; below data a path, such as data.order.order_no",
    ),
    "push_twice": Message(
        "推送目标“{name}”出现了两次",
        "the push target '{name}' stands twice",
        "每个目标起不同的名字：名字记着推送到哪里",
        "give each a name of its own: under it is remembered what was pushed",
    ),
    "push_unknown_equipment": Message(
        "推送目标“{target}”里的设备“{name}”没有配置",
        "the push target '{target}' names the equipment '{name}', which is not configured",
        "已配置：{known}",
        "configured: {known}",
        severity="warning",
    ),
    "push_plain_http": Message(
        "推送目标“{name}”用 http：有签名，但内容可被旁听",
        "the push target '{name}' uses http: signed, but everybody on the way can read it",
        "对方支持时改用 https",
        "use https where they have it",
        severity="warning",
    ),
    "bad_place_filter": Message(
        "“{value}”不是“区域/产线/设备”的过滤",
        "'{value}' is no filter of area/line/equipment",
        "如 stamping/# 、stamping/line-2/# 、+/+/press-03",
        "such as stamping/#, stamping/line-2/#, +/+/press-03",
    ),
    "topics_without_name": Message(
        "有 topics 却没有 name",
        "there are topics but no name",
        "给每个历史服务起不同的名字，如 name: hall-a",
        "give each historian a name of its own, such as name: hall-a",
    ),
    "key_without_certificate": Message(
        "cert_file 和 key_file 要成对出现", "cert_file and key_file go together"
    ),
}

_MEANING = {
    "duplicate_equipment": Message(
        "设备“{name}”重复，{file} 里已经有了",
        "equipment '{name}' is also in {file}",
        "一台设备一个编号，一个文件",
        "one code and one file for each equipment",
    ),
    "unknown_protocol": Message(
        "没有协议“{value}”", "there is no protocol '{value}'", "可用：{known}", "known: {known}"
    ),
    "unknown_link": Message(
        "没有连接“{name}”：本设备的 links 里没有，也没有 links/{name}.yaml",
        "there is no link '{name}': neither in this equipment's links nor as links/{name}.yaml",
        "可用：{known}",
        "known: {known}",
    ),
    "which_link": Message(
        "点位“{name}”没有说明用哪个连接",
        "tag '{name}' does not say which link it is read over",
        "加上 link: 名称；只有一个连接时可省略",
        "add link: NAME; it may be left out where there is only one",
    ),
    "web_without_tls": Message(
        "页面对其他机器开放却没有证书，密码在网上是明文",
        "the pages are open to other machines without a certificate: passwords travel readable",
        "写 web.cert_file 和 web.key_file，或在前面放一个带 TLS 的反向代理并只监听 127.0.0.1",
        "give web.cert_file and web.key_file, or listen on 127.0.0.1 behind a proxy with TLS",
        severity="warning",
    ),
    "unused_link": Message(
        "没有点位使用连接“{name}”",
        "no tag is read over link '{name}'",
        severity="warning",
    ),
    "unknown_group": Message(
        "连接“{link}”没有分组“{name}”",
        "link '{link}' has no group '{name}'",
        "在连接里写 groups: {{{name}: {{poll_interval_ms: ...}}}}",
        "add groups: {{{name}: {{poll_interval_ms: ...}}}} to the link",
    ),
    "contradictory_links": Message(
        "与 {file} 第 {line} 行的“{name}”连到同一处 {endpoint}，但设置不同：{keys}",
        "leads to the same {endpoint} as '{name}' in {file} line {line}, "
        "with other settings: {keys}",
        "在 links/ 里声明一次，各设备按名称引用",
        "declare it once in links/ and name it where it is used",
    ),
    "misconfigured": Message("驱动不接受：{reason}", "{reason}", "{hint}", "{hint}"),
    "same_value": Message(
        "与点位“{other}”（第 {line} 行）读同一个值",
        "reads the very same value as tag '{other}' in line {line}",
        "删掉一个，或改正地址",
        "delete one of them or correct the address",
    ),
    "overlapping_tags": Message(
        "与点位“{other}”（第 {line} 行）的地址部分重叠：那个是 {other_span}，这个是 {span}",
        "overlaps tag '{other}' in line {line}: that is {other_span}, this {span}",
        "检查地址和数据类型：32 位的值占两个寄存器",
        "check address and type: a 32-bit value takes two registers",
    ),
    "same_place": Message(
        "与点位“{other}”（第 {line} 行）写法不同，却是同一个地址："
        "那个是 {other_span}，这个是 {span}",
        "is written in another way than tag '{other}' in line {line} but lies at the same "
        "address: that is {other_span}, this {span}",
        "核对手册：有的写法从 0 数，有的从 1 数",
        "compare with the manual: some ways of writing count from 0, others from 1",
        severity="warning",
    ),
    "reserved_name": Message(
        "“{name}”是保留名，不能用作点位名", "'{name}' is reserved and cannot name a tag"
    ),
    "unknown_tag": Message(
        "没有点位“{name}”", "there is no tag '{name}'", "可用：{known}", "known: {known}"
    ),
    "unknown_tag_guess": Message(
        "没有点位“{name}”",
        "there is no tag '{name}'",
        "是不是“{guess}”？",
        "did you mean '{guess}'?",
    ),
    "no_fault_source": Message(
        "条件用了 stopping_fault，但没有配置 faults，它永远不成立",
        "the condition uses stopping_fault but there are no faults; it is never true",
        severity="warning",
    ),
    "unknown_map": Message(
        "没有状态对照表“{name}”",
        "there is no state map '{name}'",
        "可用：{known}",
        "known: {known}",
    ),
    "unknown_map_guess": Message(
        "没有状态对照表“{name}”",
        "there is no state map '{name}'",
        "是不是“{guess}”？",
        "did you mean '{guess}'?",
    ),
    "unused_role": Message(
        "状态对照表“{map}”不用“{name}”",
        "state map '{map}' has no use for '{name}'",
        "可用：{known}",
        "known: {known}",
    ),
    "reasons_need_tag": Message(
        "reason_tag 和 reasons 要成对出现", "reason_tag and reasons go together"
    ),
    "limits_crossed": Message("low 必须小于 high", "low must be below high"),
    "no_status": Message(
        "设备没有状态规则，会一直显示停机",
        "the equipment has no status rules and will always show as stopped",
        severity="warning",
    ),
    "modulus_needs_rate": Message(
        "有 modulus 的计数器必须写 max_rate_per_s",
        "a counter with a modulus needs max_rate_per_s",
        "写设备每秒最多能增加多少，用来区分翻转和复位",
        "say how many steps a second the machine can make at most; "
        "it tells a rollover from a reset",
    ),
    "no_rate": Message(
        "计数器没有 max_rate_per_s：数值变小时不计，跳变也查不出来",
        "the counter has no max_rate_per_s: a decrease books nothing, a jump is not noticed",
        "写设备每秒最多能增加多少",
        "say how many steps a second the machine can make at most",
        severity="warning",
    ),
    "inverted_needs_bits": Message(
        "inverted 只用于 bits：代码没有反向", "inverted goes with bits only: a code has no opposite"
    ),
    "same_fault_source": Message(
        "点位“{name}”的故障在第 {line} 行已经配置",
        "the faults of tag '{name}' are configured in line {line} already",
        "合并到一个字典里",
        "put them into one dictionary",
    ),
    "bits_or_codes": Message(
        "bits、codes、conditions 三选一", "give one of bits, codes and conditions"
    ),
    "stops_from_needs_conditions": Message(
        "stops_from 只用于 conditions", "stops_from is for conditions only"
    ),
}

MESSAGES: Mapping[str, Message] = {
    **CALENDAR,
    **FILES,
    **YAML,
    **_VALUES,
    **_MEANING,
    **FAULT_TABLES,
    **DRIVERS,
    **CONDITIONS,
    **COUNTERS,
    **PROFILES,
}
