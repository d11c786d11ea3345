"""What the OPC UA driver says about certificates and logins, in Chinese."""

from collections.abc import Mapping

from gateway.settings.message import Message


def _said(zh: str, hint_zh: str) -> Message:
    return Message(zh, "{reason}", hint_zh, "{hint}")


def _warned(zh: str, hint_zh: str) -> Message:
    return Message(zh, "{reason}", hint_zh, "{hint}", "warning")


OPCUA_SETTINGS: Mapping[str, Message] = {
    "opcua_two_logins": _said("user 和 user_certificate 是两种登录方式", "只留一个"),
    "opcua_open_login": _said(
        "没有加密，路上任何人都能看到这个登录信息",
        "用 security 给连接加密，或去掉登录信息",
    ),
}
"""Of settings alone."""

OPCUA_NOTICES: Mapping[str, Message] = {
    "opcua_own_expired": _warned(
        "本网关的证书已于 {ends} 过期，服务器可能拒绝", "做一张新的，并让各服务器信任：{command}"
    ),
    "opcua_own_expires": _warned(
        "本网关的证书将于 {ends} 过期，还有 {days} 天",
        "先备好下一张，并让各服务器信任：{command}",
    ),
    "opcua_none_trusted": _warned("还没有信任 {endpoint} 的证书", "查看并信任：{command}"),
    "opcua_server_expires": _warned(
        "{endpoint} 的证书有效期到 {ends}", "在服务器上更换，再信任新的：{command}"
    ),
    "opcua_unusable_file": _warned("{file} 不能用：{reason}", "把文件放好，并让网关的用户可读"),
}
"""Of files, with the settings that name them."""

OPCUA_CONNECT: Mapping[str, Message] = {
    "opcua_untrusted": _said(
        "还没有信任这台服务器的证书：{subject}，SHA-256 {fingerprint}",
        "与服务器上显示的指纹核对，一致就执行：{command}",
    ),
    "opcua_changed_certificate": _said(
        "{endpoint} 的证书变了，与已信任的不同：{subject}，SHA-256 {fingerprint}；"
        "已信任的是 {before}",
        "如果是有意更换：{command}；如果没有人更换过，要查清是谁在应答",
    ),
    "opcua_weak_key": _said(
        "服务器证书的密钥只有 {bits} 位", "让服务器重新生成证书：RSA，{least} 位或更长"
    ),
    "opcua_early_certificate": _said(
        "服务器的证书从 {begins} 起才有效", "看看本机的时钟对不对，生成证书时服务器的时钟对不对"
    ),
    "opcua_expired_certificate": _said(
        "服务器的证书已于 {ends} 过期",
        "在服务器上更换并重新信任；在此之前可写 accept_expired: true",
    ),
    "opcua_other_host": _said(
        "服务器的证书是给 {hosts} 的，不是 {host}", "确认就是这台服务器后执行：{command}"
    ),
    "opcua_other_uri": _said(
        "服务器自称 {said}，证书上却是 {uris}", "确认就是这台服务器后执行：{command}"
    ),
    "opcua_no_certificate": _said(
        "服务器给出的证书不是证书", "让服务器生成证书：RSA，2048 位或更长，SHA-256"
    ),
    "opcua_not_offered": _said(
        "服务器不提供 {wanted}", "它提供：{offered}。选其中之一，或在服务器上启用所要的"
    ),
    "opcua_no_such_login": _said("服务器不接受这种登录方式：{wanted}", "它接受：{offered}"),
    "opcua_plain_password": _said("服务器要求不加密地发送密码", "改用 mode: sign_and_encrypt"),
    "opcua_we_are_untrusted": _said(
        "服务器不信任本网关（{status}）",
        "把 {file} 加入服务器的受信任客户端。TIA 博途：证书管理器，受信任的客户端；"
        "Kepware：OPC UA 配置，Trusted Clients；Sysmac Studio：客户端认证",
    ),
    "opcua_our_time": _said(
        "服务器认为本网关的证书今天无效（{status}）",
        "先看服务器的时钟，再看证书的有效期：{command}",
    ),
    "opcua_our_certificate": _said(
        "服务器不接受本网关的证书（{status}）", "在服务器上删掉本网关的旧证书，再信任 {file}"
    ),
    "opcua_user_refused": _said(
        "服务器拒绝用户 {name}（{status}）",
        "用户名和密码对不对？服务器上允许该用户使用 OPC UA 吗？",
    ),
    "opcua_user_certificate_refused": _said(
        "服务器拒绝用户证书 {file}（{status}）", "把它加入服务器的受信任用户"
    ),
    "opcua_no_anonymous": _said(
        "服务器拒绝匿名用户（{status}）",
        "给连接加上 user，或在服务器上允许匿名",
    ),
    "opcua_policy_refused": _said(
        "服务器拒绝 {policy} {mode}（{status}）", "选一种它提供的：{command}"
    ),
    "opcua_needs_security": _said(
        "服务器不接受未加密的会话（{status}）",
        "给连接加上 security，写服务器提供的 policy 和 mode",
    ),
}
"""Of a server that is there; said by the commands, never by `check`."""
