"""Sentences about profiles."""

from collections.abc import Mapping

from gateway.settings.message import Message

_COMPARE_ZH = (
    "现场核对地址：用 millgate read 目录 {equipment} 读出 {compare}，与人机界面对照，一致后写 "
    "compared: true；"
    "读不到时用 millgate probe 目录"
)
_COMPARE_EN = (
    "on site, compare {compare} as millgate read DIR {equipment} shows them with the machine's "
    "own display, then write compared: true; if nothing can be read, try millgate probe DIR"
)

PROFILES: Mapping[str, Message] = {
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
        "设备模板“{name}”的地址没有依据手册或程序核对过",
        "the addresses of profile '{name}' were checked against nothing yet",
        _COMPARE_ZH,
        _COMPARE_EN,
        severity="warning",
    ),
    "partly_unverified_profile": Message(
        "设备模板“{name}”的这些点位没有核对过：{tags}",
        "these tags of profile '{name}' were checked against nothing yet: {tags}",
        _COMPARE_ZH,
        _COMPARE_EN,
        severity="warning",
    ),
    "profile_layout": Message(
        "设备模板“{name}”的地址是约定，由机器的程序决定",
        "the addresses of profile '{name}' are an agreement: the machine's program decides",
        _COMPARE_ZH,
        _COMPARE_EN,
        severity="warning",
    ),
    "only_with_profile": Message(
        "没有 profile 时不能写“{name}”",
        "'{name}' means nothing without a profile",
    ),
    "no_variant": Message(
        "设备模板“{name}”有几种型号，要写明 variant",
        "profile '{name}' is for several models: say which with variant",
        "可选：{known}",
        "one of {known}",
    ),
    "unknown_variant": Message(
        "设备模板没有型号“{name}”",
        "the profile has no variant '{name}'",
        "可选：{known}",
        "known: {known}",
    ),
    "missing_parameter": Message(
        "设备模板要求参数“{name}”（{meaning}）",
        "the profile needs the parameter '{name}' ({meaning})",
        "写 parameters: {{{name}: 数值}}",
        "write parameters: {{{name}: NUMBER}}",
    ),
    "unknown_parameter": Message(
        "设备模板没有参数“{name}”",
        "the profile has no parameter '{name}'",
        "可用：{known}",
        "known: {known}",
    ),
    "bad_times": Message(
        "times 要列出模板的参数",
        "times must list parameters of the profile",
        "可用：{known}",
        "known: {known}",
    ),
    "link_needs": Message(
        "设备模板“{profile}”要求连接写明“{name}”，各现场不同",
        "profile '{profile}' needs '{name}' on the link: it differs from site to site",
        "照 PLC 里的参数写；说明见模板的开头",
        "write what the device's own parameters say; the head of the profile shows how",
    ),
    "no_such_tag": Message(
        "模板没有点位“{name}”",
        "the profile has no tag '{name}'",
        "可用：{known}",
        "known: {known}",
    ),
    "link_differs": Message(
        "共用连接“{link}”的 {name} 是 {value}，设备模板“{profile}”要的是 {wanted}",
        "{name} of the shared link '{link}' is {value}, and profile '{profile}' is for {wanted}",
        "改连接，或给设备写自己的 links",
        "change the link, or give the equipment links of its own",
        severity="warning",
    ),
}
