"""What `check` says of counters, in both languages."""

from collections.abc import Mapping

from gateway.settings.message import Message

COUNTERS: Mapping[str, Message] = {
    "float_counter": Message(
        "计数器的寄存器是 float32：超过 {limit} 之后就数不准了",
        "the counter's register is a float32: beyond {limit} it does not show every step",
        "设备有整数（uint32）的计数器就用那个",
        "use an integer (uint32) counter if the machine has one",
        severity="warning",
    ),
    "cycle_time_unit": Message(
        "节拍点位“{name}”的单位是“{unit}”，应为 s 或 ms",
        "the unit of cycle time tag '{name}' is '{unit}' and must be s or ms",
        "在点位里写 unit: s",
        "say unit: s in the tag",
    ),
    "balance_needs_two": Message(
        "balance 要写 good、reject、total 中的两个或三个，各不相同",
        "a balance needs two or three of good, reject and total, all different",
        "写计数器的名称；缺的那个由另外两个得出",
        "name counters; the one that is missing is derived from the others",
    ),
    "unknown_counter": Message(
        "没有计数器“{name}”", "there is no counter '{name}'", "可用：{known}", "known: {known}"
    ),
    "unknown_counter_guess": Message(
        "没有计数器“{name}”",
        "there is no counter '{name}'",
        "是不是“{guess}”？",
        "did you mean '{guess}'?",
    ),
    "balance_units": Message(
        "balance 里的计数器单位或分辨率不同，无法相加",
        "the counters of a balance differ in unit or resolution and cannot be added",
    ),
    "derived_exists": Message(
        "balance 要得出“{name}”，但已有同名的计数器",
        "the balance derives '{name}', but there is a counter of that name",
        "把它也写进 balance，或给它换个名称",
        "name it in the balance too, or give it another name",
    ),
}
