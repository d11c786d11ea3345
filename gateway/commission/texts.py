"""Every sentence about a device that is being connected, in both languages. Pure.

- Each code has a sentence in each language, with the same values in it.
- What a driver says of a setting is said as `millgate check` says it.
"""

from collections.abc import Mapping

from drivers.probed import Said, Step
from gateway.commission.texts_device import DEVICE
from gateway.domain.vocabulary import Text
from gateway.settings.message import Message
from gateway.settings.messages_drivers import DRIVERS
from gateway.settings.problems import Prose, show

STEPS: Mapping[str, Text] = {
    "resolve": {"zh": "解析名称", "en": "resolve the name"},
    "connect": {"zh": "TCP 连接", "en": "TCP connection"},
    "port": {"zh": "打开串口", "en": "open the port"},
    "tls": {"zh": "TLS 握手", "en": "TLS handshake"},
    "dial_in": {"zh": "等待 DTU 拨入", "en": "wait for the DTU"},
    "unit": {"zh": "站号应答", "en": "unit answers"},
    "endpoint": {"zh": "服务器端点", "en": "endpoints"},
    "security": {"zh": "安全策略", "en": "security"},
    "session": {"zh": "登录会话", "en": "session"},
    "tags": {"zh": "读取点位", "en": "read the tags"},
    "tag": {"zh": "点位", "en": "tag"},
    "end": {"zh": "结束", "en": "end"},
}
"""What each step is called."""

_TYPED: Mapping[str, Message] = {
    "no_link_text": Message(
        "“{text}”不是连接；写成 modbus-tcp://192.168.1.17:502/1、opc.tcp://192.168.1.20:4840 "
        "或 modbus-rtu:///dev/ttyUSB0?baudrate=9600&unit_id=3",
        "'{text}' is no link; write it like modbus-tcp://192.168.1.17:502/1, "
        "opc.tcp://192.168.1.20:4840 or modbus-rtu:///dev/ttyUSB0?baudrate=9600&unit_id=3",
    ),
    "no_protocol": Message(
        "没有协议“{text}”；有 {known}", "there is no protocol {text}; known: {known}"
    ),
    "bad_setting": Message("{key} 不对：{reason}", "{key}: {reason}"),
    "bad_configuration": Message(
        "配置有误，先运行 millgate check：{where}：{reason_zh}",
        "the configuration is refused, run millgate check first: {where}: {reason}",
    ),
    "which_link": Message("哪个连接？有 {known}", "which link? There are {known}"),
    "no_such_link": Message(
        "没有叫“{name}”的连接或设备；有 {known}",
        "there is no link and no equipment '{name}'; known: {known}",
    ),
    "no_live_reading": Message(
        "{protocol} 不能这样读；用 millgate record", "{protocol} cannot be read like this"
    ),
    "what_to_read": Message(
        "要读什么？目录后面写连接或设备，连接后面写地址，如 hr:100",
        "what is to be read? After a directory name a link or equipment, after a link an address "
        "such as hr:100",
    ),
    "only_modbus": Message(
        "只能扫描 Modbus，{protocol} 用 millgate browse",
        "only Modbus can be scanned; use millgate browse for {protocol}",
    ),
    "only_opcua": Message(
        "只有 OPC UA 可以浏览，{protocol} 用 millgate scan",
        "only OPC UA can be browsed; use millgate scan for {protocol}",
    ),
    "no_network": Message(
        "“{text}”不是网段；写成 192.168.1.0/24", "'{text}' is no network; write 192.168.1.0/24"
    ),
    "big_network": Message(
        "{text} 超过 {limit} 个地址；分成小段",
        "{text} has more than {limit} addresses; take smaller parts of it",
    ),
    "no_units": Message(
        "“{text}”不是站号范围；写成 1-247 或 1,3,10-12",
        "'{text}' are no units; write 1-247 or 1,3,10-12",
    ),
    "no_such_tag": Message(
        "没有点位“{name}”；有 {known}", "there is no tag '{name}'; known: {known}"
    ),
}
_NETWORK: Mapping[str, Message] = {
    "one_connection": Message(
        "会占用设备的一个连接，用完即还；有的 PLC 只允许很少几个连接",
        "this takes one connection of the device and gives it back; some PLCs allow only few",
    ),
    "unknown_host": Message(
        "本机不认识主机名 {host}（{reason}）",
        "this machine does not know the host {host} ({reason})",
    ),
    "try_address": Message(
        "检查拼写；或直接写设备的 IP 地址，工业网络里常常没有 DNS",
        "check the spelling, or write the IP address: plant networks often have no DNS",
    ),
    "refused": Message(
        "主机在，但端口 {port} 没有服务",
        "the host is there, but nothing listens on port {port}",
    ),
    "reset": Message(
        "端口 {port} 一接通就被设备断开",
        "the device cut the connection to port {port} at once",
    ),
    "timed_out": Message("{seconds} 秒内没有任何应答", "no answer at all within {seconds} s"),
    "unreachable": Message(
        "本机到不了这个地址（{reason}）", "there is no way to this address ({reason})"
    ),
    "not_connected": Message("连接不上（{reason}）", "no connection ({reason})"),
    "port_answers": Message(
        "这台主机应答的端口是 {ports}：是不是端口写错了？",
        "this host answers on {ports}: is the port in the link wrong?",
    ),
    "host_answers": Message(
        "这台主机应答端口 {ports}，但不是 Modbus 也不是 OPC UA：地址是不是别的设备的？",
        "this host answers on {ports}, neither Modbus nor OPC UA: is it another device's address?",
    ),
    "try_server_on": Message(
        "在设备上启用服务：Modbus TCP 服务器或 OPC UA 服务器，并核对端口 {port}；"
        "有的 PLC 连接数用完时也这样拒绝",
        "switch the server on in the device (Modbus TCP or OPC UA) and compare port {port}; some "
        "PLCs also refuse like this when all their connections are taken",
    ),
    "other_subnet": Message(
        "{host} 不在本机任何网段（{own}）：给本机加一个同网段的地址，或核对网关路由和设备 IP",
        "{host} is in no network of this machine ({own}): give this machine an address there, or "
        "check the route and the device's IP address",
    ),
    "on_the_cable": Message(
        "{host} 与 {interface} {own} 同网段，也应答 ARP：设备在，多半是防火墙或端口过滤",
        "{host} is in the network of {interface} {own} and answers to ARP: the device is there, "
        "probably behind a firewall or port filter",
    ),
    "not_on_the_cable": Message(
        "{host} 与 {interface} {own} 同网段，但没有设备应答这个地址（ARP）："
        "没上电、网线没通或 IP 写错",
        "{host} is in the network of {interface} {own}, but nobody there answers to it (ARP): no "
        "power, no cable, or a wrong IP address",
    ),
    "try_cable": Message(
        "看设备网口灯、交换机、VLAN；在 PLC 软件里核对 IP 和子网掩码",
        "look at the lights of the port, the switch, the VLAN; compare IP address and mask in "
        "the PLC's software",
    ),
    "time_is_up": Message("{seconds} 秒到了，没有做完", "not done within {seconds} s"),
    "try_more_time": Message(
        "设备太慢，或点位太多：加大 --seconds，或缩短连接的 timeout",
        "the device is slow or has many tags: raise --seconds, or lower the timeout of the link",
    ),
    "driver_error": Message("{reason}", "{reason}"),
}
_CAUSES: Mapping[str, Message] = {
    "cause_never_read": Message("没有得到值", "no value came"),
    "cause_no_link": Message("没有连接", "there is no connection"),
    "cause_illegal_address": Message(
        "设备没有这个地址（异常 2 或 3）",
        "the device has no such address (exception 2 or 3)",
    ),
    "cause_device_refused": Message("设备拒绝读取", "the device refuses to tell it"),
    "cause_device_busy": Message("设备忙", "the device is busy"),
    "cause_not_connected": Message(
        "设备后面的部分没有接通",
        "what lies behind the device is not connected",
    ),
    "cause_invalid_value": Message(
        "读到的不是有效值（NaN、无效标记等）",
        "what was read is no value (NaN, a mark for none, ...)",
    ),
    "cause_type_mismatch": Message(
        "值的类型不是数、布尔或文本", "the value is no number, bool or text"
    ),
    "cause_missing_node": Message("服务器没有这个节点", "the server has no such node"),
    "cause_bad_status": Message(
        "服务器给出坏状态 {status}", "the server gives the bad status {status}"
    ),
}
SENTENCES: Mapping[str, Message] = {**_TYPED, **_NETWORK, **_CAUSES, **DEVICE}


def sentence(said: Said) -> Text:
    """Return a sentence in both languages; of a code nobody knows the code and its values."""
    fields = {name: show(Prose(value)) for name, value in said.fields.items()}
    message = SENTENCES.get(said.code) or DRIVERS.get(said.code)
    if message is None:
        text = fields.get("reason", said.code)
        return {"zh": text, "en": text}
    return {"zh": message.zh.format_map(fields), "en": message.en.format_map(fields)}


def next_of(step: Step) -> tuple[Text, ...]:
    """Return what to try next, in both languages, the likeliest first."""
    said = tuple(sentence(one) for one in step.try_next)
    hint = None if step.cause is None else hint_of(step.cause)
    return said if hint is None else (hint, *said)


def hint_of(said: Said) -> Text | None:
    """Return what `millgate check` would say to do about a setting, if it is one."""
    message = DRIVERS.get(said.code)
    if message is None or not message.hint_zh:
        return None
    fields = {name: show(Prose(value)) for name, value in said.fields.items()}
    zh, en = message.hint_zh.format_map(fields), message.hint_en.format_map(fields)
    return {"zh": zh, "en": en}
