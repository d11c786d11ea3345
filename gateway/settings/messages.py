"""Every sentence `check` can say, in both languages.

A field in braces is a value of the configuration or a name of ours. The code of a
problem is its key here; programs may rely on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence in both languages and, where there is one, what to do about it."""

    zh: str
    en: str
    hint_zh: str = ""
    hint_en: str = ""
    severity: Severity = "error"


_FILES = {
    "missing_directory": Message(
        "没有这个目录",
        "there is no such directory",
    ),
    "missing_file": Message(
        "缺少文件“{name}”",
        "the file '{name}' is missing",
        "可从 gateway.example.yaml 复制一份",
        "copy gateway.example.yaml and change it",
    ),
    "unreadable": Message(
        "文件读不了：{reason}",
        "the file cannot be read: {reason}",
    ),
    "too_big": Message(
        "文件超过 {limit} 字节",
        "the file is larger than {limit} bytes",
    ),
    "not_utf8": Message(
        "文件不是 UTF-8 编码（第 {offset} 字节）",
        "the file is not UTF-8 (byte {offset})",
        "用编辑器另存为 UTF-8",
        "save it as UTF-8",
    ),
    "not_text": Message(
        "文件里有不允许的字符 {character}",
        "the file contains the forbidden character {character}",
    ),
    "wrong_suffix": Message(
        "“{name}”不会被读取：文件名要以 {suffix} 结尾",
        "'{name}' is not read: the name must end in {suffix}",
        severity="warning",
    ),
    "no_equipment": Message(
        "没有任何设备：equipment/ 里没有 .yaml 文件",
        "there is no equipment: equipment/ holds no .yaml file",
        "可从 equipment/*.example.yaml 复制一份并改名",
        "copy one of equipment/*.example.yaml under a new name",
        severity="warning",
    ),
}

_YAML = {
    "syntax": Message(
        "YAML 写法有误（{detail}）",
        "this is not YAML ({detail})",
    ),
    "tab": Message(
        "缩进里有制表符（Tab）",
        "a tab stands where spaces must",
        "缩进只能用空格",
        "indent with spaces only",
    ),
    "unexpected_colon": Message(
        "这里不该有冒号",
        "a ':' is not expected here",
        "检查缩进；含冒号的文字要加引号",
        "check the indentation; put text that holds a ':' in quotes",
    ),
    "missing_colon": Message(
        "键后面缺少冒号",
        "a key has no ':' after it",
        "写成 键: 值（冒号后空一格）",
        "write key: value, with a space after the ':'",
    ),
    "unclosed_quote": Message(
        "引号没有闭合",
        "a quote is not closed",
    ),
    "unclosed_bracket": Message(
        "括号没有闭合，或缺少逗号",
        "a bracket is not closed or a comma is missing",
    ),
    "empty": Message(
        "文件是空的",
        "the file is empty",
    ),
    "too_many": Message(
        "这个文件的问题超过 {limit} 个，其余不再列出",
        "more than {limit} problems in this file; the rest is not listed",
    ),
    "several_documents": Message(
        "一个文件里只能有一份 YAML（多了“---”）",
        "one file holds one YAML document (a second '---')",
    ),
    "too_deep": Message(
        "嵌套超过 {limit} 层",
        "nested deeper than {limit} levels",
    ),
    "alias": Message(
        "不支持 YAML 的锚点和引用（& 和 *）",
        "YAML anchors and aliases (& and *) are not supported",
        "把内容直接写出来，或放进设备模板；以 * 或 & 开头的文字要加引号",
        "write it out or use a profile; quote text that begins with * or &",
    ),
    "yaml_tag": Message(
        "不支持 YAML 标签“{tag}”",
        "the YAML tag '{tag}' is not supported",
    ),
    "key_not_text": Message(
        "键必须是文字",
        "a key must be plain text",
    ),
    "duplicate_key": Message(
        "键“{name}”重复，第 {line} 行已经有了",
        "the key '{name}' is here twice, first in line {line}",
        "删掉其中一个",
        "delete one of them",
    ),
}

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
    "not_loopback": Message(
        "看板目前没有登录，只能监听本机",
        "the board has no login yet and may listen on this machine only",
        "用 127.0.0.1，需要远程查看时经 SSH 隧道",
        "use 127.0.0.1, and an SSH tunnel to look from elsewhere",
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
    "missing_profile": Message(
        "找不到设备模板“{name}”，找过：{places}",
        "there is no profile '{name}'; looked for {places}",
        "可用：{known}",
        "known: {known}",
    ),
    "profile_name": Message(
        "模板名“{name}”与文件名“{stem}”不同",
        "the profile is called '{name}' but its file '{stem}'",
    ),
    "unverified_profile": Message(
        "设备模板“{name}”的地址未经现场核对",
        "the addresses of profile '{name}' are not verified on a machine",
        "上线前对照人机界面核对几个数值",
        "compare a few values with the operator panel before going live",
        severity="warning",
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
        "与点位“{other}”（第 {line} 行）的地址部分重叠：{reason}",
        "overlaps tag '{other}' in line {line}: {reason}",
        "检查地址和数据类型：32 位的值占两个寄存器",
        "check address and type: a 32-bit value takes two registers",
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
    "bad_condition": Message(
        "条件“{text}”第 {column} 列有误",
        "condition '{text}', column {column}: {reason}",
        "可用：点位名、stopping_fault、and or not、== != < <= > >= in、+ - * &、数字和“文字”",
        "it may hold tag names, stopping_fault, and or not, == != < <= > >= in, + - * &, "
        "numbers and 'texts'",
    ),
    "no_fault_source": Message(
        "条件用了 stopping_fault，但没有配置 faults，它永远不成立",
        "the condition uses stopping_fault but there are no faults; it is never true",
        severity="warning",
    ),
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
    "bits_or_codes": Message("bits 和 codes 二选一", "give either bits or codes, and not both"),
}

_FAULT_TABLES = {
    "missing_fault_file": Message(
        "找不到故障字典“{name}”，找过：{places}",
        "there is no fault dictionary '{name}'; looked for {places}",
    ),
    "csv_encoding": Message(
        "故障字典既不是 UTF-8 也不是 GB18030",
        "the fault dictionary is neither UTF-8 nor GB18030",
    ),
    "csv_columns": Message(
        "缺少列：{names}",
        "columns are missing: {names}",
        "第一行应为：{known}",
        "the first line should read {known}",
    ),
    "csv_unknown_column": Message(
        "不认识的列“{name}”", "unknown column '{name}'", "可用：{known}", "known: {known}"
    ),
    "csv_row": Message(
        "这一行有 {count} 列，应为 {expected} 列",
        "this row has {count} columns instead of {expected}",
        "含逗号的文字要加双引号",
        "put text that holds a comma in double quotes",
    ),
    "csv_number": Message(
        "“{column}”应为 {low} 到 {high} 的整数，现在是“{value}”",
        "'{column}' must be a whole number from {low} to {high}, not '{value}'",
    ),
    "csv_boolean": Message(
        "“{column}”应为 yes 或 no（是/否），现在是“{value}”",
        "'{column}' must be yes or no, not '{value}'",
    ),
    "csv_choice": Message(
        "“{value}”不在可选值之内",
        "'{value}' is not allowed here",
        "可选：{choices}",
        "one of {choices}",
    ),
    "csv_missing": Message("“{column}”不能为空", "'{column}' must not be empty"),
    "csv_duplicate": Message(
        "{column} {value} 重复，第 {line} 行已经有了",
        "{column} {value} is here twice, first in line {line}",
    ),
    "csv_broken": Message("CSV 写法有误：{reason}", "this is not CSV: {reason}"),
    "csv_too_long": Message("超过 {limit} 行", "more than {limit} rows"),
    "csv_no_text": Message(
        "没有文字：text_zh 和 text_en 都是空的",
        "there is no text: text_zh and text_en are both empty",
        severity="warning",
    ),
}

MESSAGES: Mapping[str, Message] = {**_FILES, **_YAML, **_VALUES, **_MEANING, **_FAULT_TABLES}
