"""What to try next where a link fails, in Chinese; in English the driver says it.

The code is that of `drivers.contract.Hint`.
"""

from collections.abc import Mapping

_SERIAL_SIDE = "检查其串口侧的波特率、校验和停止位，A、B 线是否接反，站号；timeout_ms 是否够长"

LINK_HINTS: Mapping[str, str] = {
    "modbus_closed": "设备断开了连接：它允许几个客户端？",
    "modbus_tcp_refused": "主机在线但端口没有监听：是否启用了 Modbus TCP，端口是否正确？",
    "modbus_timeout": "检查网线、IP 地址和防火墙",
    "modbus_silent": "检查站号 unit_id，以及 timeout_ms 对该设备是否够长",
    "modbus_tcp_foreign": "对方是 Modbus TCP 服务吗？是否有别的主站共用它的串行线路？",
    "modbus_gateway_refused": "主机在线但端口没有监听："
    "串口服务器是否为 TCP 服务器模式，端口是否正确？",
    "modbus_gateway_silent": _SERIAL_SIDE,
    "modbus_gateway_foreign": "串口服务器是否原样转发帧，格式（RTU 或 ASCII）是否与此处配置一致？"
    "如果它做协议转换，请用 modbus-tcp",
    "modbus_tls_refused": "主机在线但端口没有监听："
    "是否启用了 Modbus/TCP Security，端口是否正确（802）？",
    "modbus_tls_certificate": "设备证书不是 ca_file 签发的，"
    "或名称不符，或已过期：与设备上显示的核对",
    "modbus_tls_denied": "设备拒绝 TLS：它是否要求客户端证书（cert_file、key_file），"
    "是否支持 TLS 1.2 及以上？",
    "modbus_tls_files": "检查 ca_file、cert_file 和 key_file",
    "modbus_tls_forbidden": "运行网关的用户能否读取 ca_file、cert_file 和 key_file？",
    "modbus_udp_refused": "主机在线但端口没有监听：是否启用了 Modbus UDP，端口是否正确？",
    "modbus_udp_silent": "UDP 下地址写错也是这个现象：检查主机、端口、防火墙、站号",
    "modbus_udp_foreign": "对方是 Modbus 服务吗？是否有别的主站共用它的串行线路？",
    "modbus_line_silent": "检查波特率、校验和停止位，A、B 线是否接反，"
    "终端电阻，站号；发送时适配器的灯闪吗？",
    "modbus_line_noise": "线路有干扰或有别的主站："
    "检查波特率、校验、终端电阻、屏蔽，以及站号是否重复",
    "modbus_adapter_gone": "适配器被拔出或复位：检查 USB 线和供电",
    "modbus_port_busy": "结束占用串口的程序，或让它用别的串口；一条线上的两个主站会互相干扰",
    "modbus_port_unfit": "设置该适配器支持的波特率、校验和停止位",
    "modbus_port_forbidden": "把运行网关的用户加入该用户组，然后重新启动网关",
    "modbus_port_missing": "适配器插好了吗？是这个串口吗？",
    "modbus_dtu_absent": "检查 DTU 的目标地址和端口、SIM 卡和信号，以及注册包是否与配置一致",
    "modbus_dtu_gone": "DTU 断开或失去信号；它会自行重新拨入",
    "modbus_dtu_silent": "DTU 在线；" + _SERIAL_SIDE,
    "modbus_dtu_foreign": "DTU 是否发送了没有配置的心跳，"
    "framing 是否一致，是否有别的主站共用它的串行线路？",
    "modbus_listen_taken": "是否有别的程序占用该端口，运行网关的用户能否监听它？",
    "modbus_registrations_alike": "给其中一台 DTU 设置另一个注册包",
    "opcua_no_answer": "服务器是否开机，防火墙是否放行该端口？",
    "opcua_no_host": "主机名是否正确，本机能否解析？",
    "opcua_refused": "OPC UA 服务是否启动，端口是否正确？",
    "opcua_no_licence": "控制器没有 OPC UA 授权",
    "opcua_sessions_full": "关闭另一个客户端，或提高服务器的会话上限",
    "opcua_subscriptions_full": "关闭另一个客户端，或提高服务器的订阅上限",
}
