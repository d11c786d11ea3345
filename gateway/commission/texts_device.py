"""What a Modbus unit or an OPC UA server does wrong, and what to try: Chinese, English."""

from collections.abc import Mapping

from gateway.settings.message import Message

_MODBUS: Mapping[str, Message] = {
    "unit_silent": Message("没有应答（{reason}）", "it says nothing ({reason})"),
    "foreign_answer": Message(
        "应答的不是 Modbus，或不是问的那个（{reason}）",
        "the answer is not Modbus, or not to this question ({reason})",
    ),
    "try_foreign": Message(
        "这个端口上是不是 Modbus 服务？是不是有别的主站在同一条线上？",
        "is it Modbus that lives on this port? Does another master share the device's line?",
    ),
    "gateway_no_target": Message(
        "网关在，但它后面的这个站没有应答（异常 {code}）",
        "the Modbus gateway is there, but the unit behind it is silent (exception {code})",
    ),
    "nobody_dialled_in": Message("DTU 没有拨入（{reason}）", "no DTU has dialled in ({reason})"),
    "port_busy": Message("串口被占用：{reason}", "the port is taken: {reason}"),
    "port_forbidden": Message(
        "无权打开串口：{reason}", "this user may not open the port: {reason}"
    ),
    "port_unfit": Message(
        "串口不能这样设置：{reason}",
        "the port cannot be set as configured: {reason}",
    ),
    "port_missing": Message("没有这个串口", "there is no such port"),
    "unit_answers": Message(
        "应答的站号是 {units}：连接里写 unit_id: {unit}",
        "units that answer: {units}; write unit_id: {unit} in the link",
    ),
    "place_answers": Message(
        "站号是对的：问 {other} 有应答，问 {place} 没有；"
        "有的设备对不存在的地址不作声，核对点位地址",
        "the unit is right: it answers for {other} and not for {place}; some devices say nothing "
        "to an address they do not have, so compare the tag's address",
    ),
    "unit_fails": Message(
        "站号 {unit} 报设备故障（异常 4），别的站号却正常：有的设备对不存在的站号这样答",
        "unit {unit} reports a failure (exception 4) and others do not: some devices answer like "
        "this for units they do not have",
    ),
    "protocol_answers": Message(
        "换成 {protocol} 就有应答：连接里写 protocol: {protocol}",
        "it answers when spoken to as {protocol}: write protocol: {protocol} in the link",
    ),
    "line_answers": Message(
        "用 {baudrate} 波特、校验 {parity} 就有应答：写 baudrate: {baudrate}、parity: {parity}",
        "it answers at {baudrate} baud, parity {parity}: write baudrate: {baudrate} and "
        "parity: {parity}",
    ),
    "units_silent": Message(
        "也试过站号 {units}，都没有应答",
        "units {units} were tried as well; none answers",
    ),
    "try_unit": Message(
        "核对设备里的站号；用 millgate scan 找出应答的站号；设备慢就加大 timeout_ms；"
        "看看是否有别的程序占着它仅有的连接",
        "compare the unit id in the device; millgate scan finds the units that answer; raise "
        "timeout_ms for a slow device; see whether another program holds its only connection",
    ),
    "try_line": Message(
        "依次检查：站号；波特率、校验、停止位；A、B 是否接反；终端电阻和共地；"
        "发送时转换器的灯是否闪",
        "check in this order: unit id; baud rate, parity, stop bits; A and B swapped; termination "
        "and common ground; whether the adapter's light flashes when it sends",
    ),
    "try_serial_side": Message(
        "DTU 在，检查它的串口侧：站号、波特率、校验、A 和 B",
        "the DTU is there; check its serial side: unit id, baud rate, parity, A and B",
    ),
    "try_connection": Message(
        "设备刚刚还接受了连接：连接数可能用完了，关掉别的客户端再试",
        "the device took a connection a moment ago: perhaps it has no more to give; close another "
        "client and try again",
    ),
    "try_port": Message(
        "检查转换器是否插好，是不是这个串口",
        "is the adapter plugged in, is it this port?",
    ),
    "try_port_missing": Message(
        "ls -l /dev/serial/by-path/ 看有哪些串口；用这里的名字，重启后不会变",
        "ls -l /dev/serial/by-path/ shows the ports; take a name from there, it stays after a "
        "restart",
    ),
    "try_port_busy": Message(
        "一条线上只能有一个主站：先停止占用它的程序（采集程序用 systemctl stop millgate）再试",
        "one line has one master: stop the program that has it (the collector: systemctl stop "
        "millgate) and try again",
    ),
    "try_port_forbidden": Message(
        "把用户加入该组（usermod -aG 组 用户），重新登录",
        "add the user to that group (usermod -aG GROUP USER) and log in again",
    ),
    "try_port_unfit": Message(
        "换成转换器支持的波特率、校验和停止位",
        "take a baud rate, parity and stop bits that the adapter can do",
    ),
    "try_tls": Message(
        "核对 ca_file 是否签发了设备证书、证书上的名称、设备是否要客户端证书",
        "compare ca_file with the device's certificate and the name in it; does the device ask "
        "for a client certificate?",
    ),
    "try_dial_in": Message(
        "核对 DTU 的目标地址和端口、SIM 卡和信号、注册包",
        "check the DTU's target address and port, its SIM card and signal, its registration packet",
    ),
    "address_beside": Message(
        "{place} 不能读，旁边能读：{near}。差一位？手册从 1 数（40001），hr: 从 0 数；或功能码不同",
        "{place} cannot be read, but beside it: {near}. Offset by one? Manuals count from 1 "
        "(40001), hr: from 0; or it is another function code",
    ),
    "address_absent": Message(
        "{place} 和它旁边都不能读：核对手册的数据区和地址，或用 millgate scan 看哪些存在",
        "neither {place} nor what lies beside it can be read: compare table and address with the "
        "manual, or let millgate scan show what there is",
    ),
    "other_order": Message(
        "{type} 的值不像真的；四种次序：{orders}。与触摸屏核对：millgate decode {hex} --expect 值",
        "an unlikely {type}; the orders give: {orders}. Compare with the HMI: "
        "millgate decode {hex} --expect VALUE",
    ),
}
_OPCUA: Mapping[str, Message] = {
    "server_silent": Message(
        "TCP 通了，但 OPC UA 没有应答（{reason}）",
        "the port is open, but nothing answers as OPC UA ({reason})",
    ),
    "server_hung_up": Message(
        "服务器断开了连接（{reason}）",
        "the server closed the connection ({reason})",
    ),
    "foreign_server": Message(
        "应答的不像 OPC UA 服务器（{reason}）",
        "what answers does not look like an OPC UA server ({reason})",
    ),
    "endpoint_unknown": Message(
        "服务器没有这个端点地址（{reason}）",
        "the server does not know this endpoint ({reason})",
    ),
    "too_many_sessions": Message(
        "服务器的会话数用完了（{reason}）",
        "the server has no session left to give ({reason})",
    ),
    "try_server": Message(
        "端口是不是 OPC UA 的（常用 4840）？服务器的证书和许可是否就绪？稍后再试",
        "is this the port of OPC UA (4840 as a rule)? Are the server's certificate and licence in "
        "place? Try again in a while",
    ),
    "try_opcua_port": Message(
        "这个端口是不是别的服务（如 Modbus 502）？OPC UA 一般是 4840",
        "does another service live on this port, such as Modbus on 502? OPC UA is at 4840 as a "
        "rule",
    ),
    "try_endpoint_path": Message(
        "按服务器显示的写端点，包括端口后面的路径",
        "write the endpoint as the server shows it, with the path behind the port",
    ),
    "try_sessions": Message(
        "关掉别的客户端（UaExpert、SCADA），或在服务器上加大会话数",
        "close another client (UaExpert, SCADA), or raise the limit in the server",
    ),
    "namespace_absent": Message(
        "{node} 的命名空间不存在；服务器有 {known}。命名空间的序号重启后可能变，写 nsu=URI 更稳",
        "the namespace of {node} is not there; the server has {known}. Indexes may change with a "
        "restart, nsu=URI does not",
    ),
    "node_absent": Message(
        "命名空间在，节点不在：{node}；用 millgate browse 查看（有 {known}），注意大小写和引号",
        "the namespace is there, the node is not: {node}; millgate browse shows what is ({known}); "
        "mind upper case and quotes",
    ),
}
DEVICE: Mapping[str, Message] = {**_MODBUS, **_OPCUA}
