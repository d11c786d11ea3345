"""What is wrong with a row of a tag list, said to the person who pasted it."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.vocabulary import Text
from gateway.settings.message import Message
from gateway.settings.problems import show

_SENTENCES: Mapping[str, Message] = {
    "became_date": Message(
        "“{value}”被表格软件变成了日期；把这一列设为文本格式，重新填写",
        "the spreadsheet turned this into a date ({value}); format the column as text and "
        "write it again",
    ),
    "scientific": Message(
        "“{value}”是表格软件缩写的数，后几位已经丢失；把这一列设为文本格式，重新填写",
        "{value} is a number the spreadsheet shortened, its last digits are lost; format the "
        "column as text and write it again",
    ),
    "formula_error": Message(
        "单元格里是公式错误 {value}",
        "the cell shows the error {value} of a formula",
    ),
    "formula_unknown": Message(
        "公式 {value} 没有结果；用表格软件打开并保存，或只粘贴数值",
        "the formula {value} has no result yet; open and save the file in a spreadsheet, or paste "
        "values only",
    ),
    "which_bit": Message(
        "{value} 可能是第 1 位，也可能是第 10 位：表格软件会去掉末尾的 0；写在单独的“位”列",
        "{value} may be bit 1 or bit 10, for a spreadsheet drops the last zero; write the bit in "
        "a column of its own",
    ),
    "two_bits": Message(
        "地址说是第 {one} 位，“位”列说是第 {other} 位",
        "the address says bit {one}, the column of bits says {other}",
    ),
    "counts_from": Message(
        "{value} 没有说明从 0 还是从 1 数；手册第一个地址是 0 就加 --numbers-from 0，是 1 就加 "
        "--numbers-from 1",
        "{value} does not say whether it counts from 0 or 1; add --numbers-from 0 if the first "
        "address of the manual is 0, --numbers-from 1 if it is 1",
    ),
    "below_first": Message(
        "{value} 小于第一个地址 1（--numbers-from 1）",
        "{value} is below the first address, 1 (--numbers-from 1)",
    ),
    "unknown_table": Message(
        "“{value}”不是 Modbus 数据区；可用 hr、ir、coil、di，或功能码 01 02 03 04",
        "'{value}' is no Modbus table; use hr, ir, coil, di or the function codes 01 02 03 04",
    ),
    "unknown_role": Message(
        "不认识的用途“{value}”；可用：{known}",
        "unknown role '{value}'; known are {known}",
    ),
    "missing": Message("缺少“{column}”", "'{column}' is missing"),
    "same_tag": Message(
        "点位“{name}”与第 {line} 行重复",
        "tag '{name}' stands in row {line} already",
    ),
    "not_boolean": Message(
        "“{value}”应为 是/否（true/false）",
        "'{value}' should be yes or no (true/false)",
    ),
    "not_number": Message("“{value}”不是数字", "'{value}' is not a number"),
    "unknown_equipment": Message(
        "没有设备“{name}”；新设备用 --new {name} --link ...",
        "there is no equipment '{name}'; for a new one use --new {name} --link ...",
    ),
    "which_equipment": Message(
        "没有说明属于哪台设备；加 --equipment",
        "does not say which equipment it belongs to; add --equipment",
    ),
    "which_link": Message(
        "设备“{equipment}”有几个连接，没有说明用哪个；加 --link",
        "equipment '{equipment}' has several links and the row names none; add --link",
    ),
    "unknown_link": Message(
        "设备“{equipment}”没有连接“{name}”",
        "equipment '{equipment}' has no link '{name}'",
    ),
    "no_header": Message(
        "找不到表头：需要一行含有“地址”（address）或“节点”（node）等列名",
        "there is no header: one row must name the columns, an address or a node among them",
    ),
    "no_rows": Message("表头下面没有内容", "there is nothing below the header"),
    "same_column": Message(
        "“{name}”有两列：{headers}",
        "the column {name} stands twice: {headers}",
    ),
    "too_big": Message("文件超过 {limit} 字节", "the file is larger than {limit} bytes"),
    "too_many_rows": Message("超过 {limit} 行", "more than {limit} rows"),
    "not_text": Message(
        "文件既不是 UTF-8 也不是 GB18030；用 --encoding 指明，或另存为 UTF-8",
        "the file is neither UTF-8 nor GB18030; save it as UTF-8",
    ),
    "broken": Message("文件读不了：{reason}", "the file cannot be read: {reason}"),
    "kind_of_file": Message(
        "文件名要以 .csv、.txt 或 .xlsx 结尾",
        "the file's name must end in .csv, .txt or .xlsx",
    ),
    "exists": Message(
        "设备“{name}”已经存在；去掉 --new，用 --equipment {name}",
        "equipment '{name}' exists already; leave out --new and use --equipment {name}",
    ),
    "bad_link": Message(
        "“{value}”不是连接；写成 modbus-tcp://192.168.1.17:502/1、opc.tcp://192.168.1.20:4840 "
        "或共用连接的名字",
        "'{value}' is no link; write modbus-tcp://192.168.1.17:502/1, "
        "opc.tcp://192.168.1.20:4840 or the name of a shared link",
    ),
    "uneditable": Message(
        "{file} 的写法无法自动修改；请手工加入这些点位",
        "{file} is written in a way that cannot be edited; add the tags by hand",
    ),
}


def sentence(code: str, **fields: object) -> Text:
    """Return one sentence in both languages."""
    said = _SENTENCES[code]
    shown = {name: show(value) for name, value in fields.items()}
    return {"zh": said.zh.format(**shown), "en": said.en.format(**shown)}


class SheetError(ValueError):
    """Something in a tag list that cannot be; ``text`` says it in both languages."""

    def __init__(self, code: str, **fields: object) -> None:
        """``code`` names the sentence, ``fields`` are the values in it."""
        self.code = code
        self.text = sentence(code, **fields)
        super().__init__(self.text["en"])


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one row is left out; ``row`` is its number in the file, from 1."""

    row: int
    text: Text
