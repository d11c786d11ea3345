"""Sentences about files as such: reading them, their YAML, their CSV."""

from collections.abc import Mapping

from gateway.settings.message import Message

FILES: Mapping[str, Message] = {
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

YAML: Mapping[str, Message] = {
    "syntax": Message(
        "YAML 写法有误，读不下去",
        "this is not YAML ({detail})",
        "检查这一行和上一行的缩进、引号和括号",
        "check the indentation, quotes and brackets of this line and the one above",
    ),
    "bad_start": Message(
        "文字不能以这个符号开头",
        "a text cannot begin with this character",
        "给这段文字加上引号",
        "put the text in quotes",
    ),
    "bad_escape": Message(
        "双引号里的反斜杠后面不能是这个字符",
        "this cannot follow a backslash inside double quotes",
        "改用单引号，或把反斜杠写两遍",
        "use single quotes, or write the backslash twice",
    ),
    "bad_indentation": Message(
        "缩进与上面各行不齐",
        "the indentation does not match the lines above",
        "同一层的各行从同一列开始",
        "lines of one level begin in the same column",
    ),
    "text_after_value": Message(
        "值后面还有文字",
        "there is more text after the value",
        "整个值用一对引号括起来，多行文字各行对齐",
        "put one pair of quotes around the whole value and align the lines of a long text",
    ),
    "unexpected_bracket": Message(
        "这里不该有括号或逗号",
        "a bracket or comma is not expected here",
        "检查括号是否成对；以括号或逗号开头的文字要加引号",
        "check whether all brackets have a partner; quote text that begins with one",
    ),
    "unexpected_dash": Message(
        "这里不该有“-”",
        "a '-' is not expected here",
        "列表的“- ”要另起一行，各项对齐",
        "begin a list on a line of its own, all its '- ' in one column",
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

FAULT_TABLES: Mapping[str, Message] = {
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
    "xlsx_broken": Message(
        "不是可用的 XLSX 工作簿：{reason}",
        "this is not an XLSX workbook: {reason}",
        "另存为 .xlsx（不要 .xls，不要加密）",
        "save it as .xlsx, not as .xls and without a password",
    ),
    "xlsx_unpacked": Message(
        "工作簿解压后超过 {limit} 字节", "the workbook unpacks to more than {limit} bytes"
    ),
    "xlsx_beyond": Message(
        "表头只有 {count} 列，右边还有内容",
        "there is something right of the {count} columns of the header",
    ),
    "xlsx_other_sheets": Message(
        "只读取工作表“{used}”，其余不读：{names}",
        "only sheet '{used}' is read, not: {names}",
        severity="warning",
    ),
    "csv_too_long": Message("超过 {limit} 行", "more than {limit} rows"),
    "csv_no_text": Message(
        "没有文字：text_zh 和 text_en 都是空的",
        "there is no text: text_zh and text_en are both empty",
        severity="warning",
    ),
}
