"""What drivers refuse, said in Chinese; in English it is said as the driver says it.

The code is that of `drivers.contract.BadSetting`, and so are the fields.
"""

from collections.abc import Mapping

from gateway.settings.message import Message
from gateway.settings.messages_opcua_security import OPCUA_CONNECT, OPCUA_NOTICES, OPCUA_SETTINGS


def _refusal(zh: str, hint_zh: str = "") -> Message:
    """Return the message of one code; ``{reason}`` and ``{hint}`` are the driver's own."""
    return Message(zh, "{reason}", hint_zh, "{hint}" if hint_zh else "")


_MODBUS = {
    "modbus_no_address": _refusal(
        "“{text}”不是 Modbus 地址",
        "写成 hr:100、ir:100、coil:5、di:5（从 0 数），40101 或 400101（从 1 数），D100 或 M5",
    ),
    "modbus_no_table": _refusal(
        "“{text}”没有指明 Modbus 数据区",
        "可用：hr（保持寄存器）、ir（输入寄存器）、coil（线圈）、di（离散输入）",
    ),
    "modbus_bare_number": _refusal(
        "{text} 没有说明是哪个数据区，也没有说明从 0 还是从 1 数",
        "手册从 0 数就写 hr:{number}；手册的保持寄存器从 1 数就写 {reference}",
    ),
    "modbus_no_table_digit": _refusal(
        "{text} 以 {digit} 开头，Modbus 没有这个数据区",
        "0xxxx 是线圈，1xxxx 离散输入，3xxxx 输入寄存器，4xxxx 保持寄存器",
    ),
    "modbus_reference_zero": _refusal(
        "没有 {text} 这个地址：这种写法从 1 数",
        "第一个是 {first}，等于 {table}:0",
    ),
    "modbus_no_device": _refusal(
        "“{text}”：{family} 系列没有 {letter} 元件",
        "有 {known}；也可以直接写寄存器，如 hr:100",
    ),
    "modbus_octal": _refusal(
        "“{text}”：{family} 的 {letter} 按八进制编号，没有 8 和 9",
        "{letter}7 之后是 {letter}10",
    ),
    "modbus_device_range": _refusal(
        "“{text}”超出 {family} 的范围", "有 {spans}；也可以直接写寄存器，如 hr:100"
    ),
    "modbus_beyond_last": _refusal("“{text}”超过最后一个地址", "从 0 数到 65535（0xFFFF）为止"),
    "modbus_single_bit": _refusal(
        "{place} 只是一个位", "除地址外都不要写；要读寄存器就写 hr: 或 ir:"
    ),
    "modbus_which_bit": _refusal(
        "{place} 是 16 位的寄存器", "用 bit: 0 .. 15 说明哪一位是这个 bool"
    ),
    "modbus_no_room": _refusal("{place} 放不下 {type}", "从 0 数到 65535（0xFFFF）为止"),
    "modbus_too_wide": _refusal(
        "{place} 的 {type} 占 {words} 个寄存器",
        "max_registers_per_read 是 {limit}，要改大",
    ),
    "modbus_scale_zero": _refusal("scale：写 0 会使所有数值都一样", "不写，或写 1"),
    "modbus_bit_of_number": _refusal("bit：一个位是 bool，不是 {type}", "不要写 type"),
    "modbus_scaled_bool": _refusal("scale、offset：bool 不能换算", "不要写 scale 和 offset"),
    "modbus_order_of_word": _refusal(
        "order：{order} 交换字的次序，但 {type} 是逐字读的", "要交换一个字里的两个字节就写 BA"
    ),
    "modbus_line_differs": _refusal(
        "{key} 是 {value}，而 {bus} 的另一条链路写的是 {other}", "同一条线的所有链路必须写成一样"
    ),
    "modbus_key_without_certificate": _refusal(
        "cert_file 和 key_file 必须一起写", "两个都写，或都不写"
    ),
    "modbus_pipeline_of_client": _refusal(
        "client: {client} 每次只发一个请求", "去掉 pipeline 或 client"
    ),
    "modbus_packet_text_or_hex": _refusal(
        "数据包用 text 或 hex 写，二者选一", '例如 text: SN0001 或 hex: "FE 01"'
    ),
    "modbus_packet_not_hex": _refusal("“{text}”不是成对的十六进制数字", '例如 "FE 01"'),
    "modbus_packet_like_answer": _refusal(
        "{data} 可能是单元 {unit} 应答的开头", "在 DTU 里换一个数据包，例如一段文字"
    ),
    "modbus_bare_serial_port": Message(
        "{port} 在重启或换插口后可能变成另一个适配器",
        "{reason}",
        "写成 {stable}",
        "{hint}",
        severity="warning",
    ),
}

_MODBUS_VALUES = {
    "modbus_order_of_type": _refusal("order：{type} 没有 {order} 这种次序", "可用：{known}"),
    "modbus_string_only": _refusal(
        "length_registers、length_bytes、encoding 只用于字符串", "写 type: string，或不写这些"
    ),
    "modbus_string_length": _refusal(
        "type：string 要说明长度", "写 length_registers: 8 或 length_bytes: 15，二者之一"
    ),
    "modbus_no_number": _refusal("{keys}：{type} 不是数值", "不要写"),
    "modbus_invalid_value": _refusal(
        "invalid：{type} 不会是 {value}", "写换算前的数值（如 -1）、位模式（如 0x8000）或 NaN"
    ),
    "modbus_bit_twice": _refusal("{address} 是第 {own} 位，而 bit 写的是 {bit}", "不要写 bit"),
    "modbus_contact_or_value": _refusal(
        "“{text}”：{name} 既是触点又是当前值",
        "要触点就写 type: bool，要当前值就写数值的类型",
    ),
    "modbus_odd_byte": _refusal("“{text}”从寄存器的中间开始", "这里按字节编号，要用偶数"),
    "modbus_wide_device": _refusal(
        "“{text}”不止一个寄存器", "要整个读：不写 type 和 bit，或写 type: {type}"
    ),
    "modbus_no_bit": _refusal(
        "“{text}”：没有第 {suffix} 位", "一个字的位是 .0 到 .15，.10 到 .15 也可写成 .A 到 .F"
    ),
    "modbus_bit_in_bit": _refusal("“{text}”：线圈和离散输入里没有位", "去掉点和后面的数字"),
    "modbus_bit_missing": _refusal("“{text}”有 {bits} 位", "指明一位：{text}.0 .. {text}.{last}"),
    "modbus_no_bit_of_byte": _refusal("“{text}”：只有第 0 到 {last} 位", "接着用下一个编号"),
    "modbus_not_assigned": _refusal(
        "“{text}”：{family} 的 {name} 在哪里由 PLC 参数决定",
        "写在连接的 devices 里，如 first: {name}0、points: 100、at: hr:0",
    ),
    "modbus_assignment": _refusal(
        "devices：从 {first} 起的 {points} 个元件不能放在 {at}",
        "例如 first: D0、points: 8000、at: hr:0，或 first: M0、points: 7680、at: coil:8192",
    ),
    "modbus_no_area": _refusal(
        "forbidden：“{text}”不是一段地址", "写首末两个地址，如 hr:100-119 或 D100-D119"
    ),
    "modbus_forbidden": _refusal(
        "{place} 在禁止读取的区段里", "该区段到 {end} 为止；去掉这个点位，或缩小区段"
    ),
}

_EXAMPLE = "写成 nsu=urn:vendor:plc;s=Line1.Count 或 ns=2;i=1001 的样子"
_OPCUA = {
    "opcua_no_node": _refusal("“{text}”不是节点号", _EXAMPLE),
    "opcua_no_namespace": _refusal("ns={text} 不是 0 到 {limit} 的命名空间序号", _EXAMPLE),
    "opcua_no_number": _refusal("“{text}”不是 0 到 {limit} 的数字", _EXAMPLE),
    "opcua_long_name": _refusal("“{text}”超过 {limit} 个字符", _EXAMPLE),
    "opcua_no_guid": _refusal("“{text}”不是 GUID", _EXAMPLE),
    "opcua_no_base64": _refusal("“{text}”不是 base64", _EXAMPLE),
    "opcua_no_endpoint": _refusal(
        "OPC UA 的地址应写成 opc.tcp://192.168.1.20:4840 的样子",
        "opc.tcp://、主机和 1 到 65535 的端口",
    ),
    "opcua_credentials": _refusal("地址里不能写用户名和密码", "把它们去掉"),
    "opcua_short_keepalive": _refusal(
        "keepalive_s 至少要有两个发布周期",
        "publishing_interval_ms 是 {interval_ms}，要写 {least_s} 或更大",
    ),
    "opcua_scale_zero": _refusal("scale 写 0 会使所有数值都等于 offset", "不要写"),
    "opcua_no_path": _refusal(
        "“{text}”不是浏览路径",
        "写成 2:Press/2:State 的样子，或者把命名空间的 URI 写在花括号里",
    ),
    "opcua_which_node": _refusal(
        "点位要写 node、path、conditions 三者之一",
        "node: ns=2;s=Line1.Count，或 path: 2:Press/2:Count，或 conditions: server",
    ),
    "opcua_scaled_conditions": _refusal("报警列表没有 scale 和 offset", "不要写"),
    "opcua_tag_twice": _refusal("这个点位出现了两次", "删掉其中一个"),
}

_REPLAY = {
    "replay_suffix": _refusal(
        "file：录制文件以 .jsonl 或 .jsonl.gz 结尾",
        "这样录制：“millgate record DIR --out FILE.jsonl”",
    ),
}

DRIVERS: Mapping[str, Message] = {
    **_MODBUS,
    **_MODBUS_VALUES,
    **_OPCUA,
    **OPCUA_SETTINGS,
    **OPCUA_NOTICES,
    **OPCUA_CONNECT,
    **_REPLAY,
}
