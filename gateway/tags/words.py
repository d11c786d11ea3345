"""The words of vendors' tag lists, and ours for them.

Promises:

- A word nobody knows is passed on as it is: the driver says what it takes.
- A bare number becomes a Modbus address only if its table and its first number are known.
"""

import re
from collections.abc import Mapping
from typing import Literal

from gateway.tags.messages import SheetError

From = Literal[0, 1]
"""The number a manual gives to the first address of a table."""


def _table(**words: str) -> Mapping[str, str]:
    return {_bare(word): own for own, all_words in words.items() for word in all_words.split(",")}


def _bare(text: str) -> str:
    return re.sub(r"[\s_\-()()/]+", "", text).lower()


TYPES = _table(
    bool="bool,boolean,bit,位,开关量,布尔,布尔型,bit位,digital,di,do",
    int16="int16,int,short,sint16,s16,i16,signed16,有符号16位,16位有符号,16位有符号数,短整型,整型,有符号整数,"
    "16bitsigned,signed16bit,signedint16,有符号单字",
    uint16="uint16,uint,ushort,word,u16,unsigned16,无符号16位,16位无符号,16位无符号数,字,单字,无符号整数,"
    "16bitunsigned,unsigned16bit,unsignedint16,16bit,16位",
    int32="int32,dint,long,sint32,s32,i32,signed32,有符号32位,32位有符号,32位有符号数,长整型,双整型,"
    "32bitsigned,signed32bit,signedint32,有符号双字",
    uint32="uint32,udint,ulong,dword,u32,unsigned32,无符号32位,32位无符号,32位无符号数,双字,"
    "32bitunsigned,unsigned32bit,unsignedint32,32bit,32位",
    int64="int64,lint,longlong,s64,i64,有符号64位,64位有符号",
    uint64="uint64,ulint,lword,qword,u64,无符号64位,64位无符号",
    float32="float32,float,real,single,f32,浮点,浮点数,浮点型,单精度,单精度浮点,单精度浮点数,32位浮点,"
    "32位浮点数,ieee754,32bitfloat",
    float64="float64,double,lreal,f64,双精度,双精度浮点,双精度浮点数,64位浮点,64位浮点数",
    string="string,str,ascii,text,字符串,文本",
    bcd16="bcd16,bcd",
    bcd32="bcd32,dbcd",
)
ORDERS = _table(
    ABCD="abcd,1234,3210,big,bigendian,be,大端,大端模式,高位在前,高字在前,高字节在前,msb,msbfirst",
    CDAB="cdab,3412,1032,littleendianbyteswap,littleendianbyteswapped,wordswap,wordswapped,"
    "低字在前,小端字节交换,字交换,大端字交换",
    BADC="badc,2143,2301,bigendianbyteswap,bigendianbyteswapped,byteswap,byteswapped,大端字节交换,字节交换",
    DCBA="dcba,4321,0123,little,littleendian,le,小端,小端模式,低位在前,lsb,lsbfirst",
)
TABLES = _table(
    coil="coil,coils,01,1,0x,0xxxx,线圈,线圈状态,fc01,fc1,1x01,01h,co,readcoils,do,0区,输出线圈",
    di="di,02,2,1x,1xxxx,离散输入,离散量输入,输入状态,discreteinput,discreteinputs,fc02,fc2,02h,1区",
    hr="hr,03,3,4x,4xxxx,保持寄存器,保持,holdingregister,holdingregisters,holding,fc03,fc3,03h,4区,0306,"
    "0310,0316,316,36,0x03,读写寄存器",
    ir="ir,04,4,3x,3xxxx,输入寄存器,inputregister,inputregisters,input,fc04,fc4,04h,3区,0x04,只读寄存器",
)
ROLES = _table(
    run="run,running,运行,运行中,运行信号,加工中",
    ready="ready,idle,standby,待机,就绪,准备好,空闲",
    setup="setup,调试,换型,调机",
    maintenance="maintenance,维护,检修,保养",
    good="good,goodparts,合格,合格数,良品,良品数,合格品",
    reject="reject,rejects,scrap,bad,ng,不良,不良数,次品,废品,不合格,不合格数",
    total="total,count,parts,总数,产量,总产量,计数,加工数",
    alarm="alarm,alarms,fault,alarmword,报警,故障,报警字,故障字,报警位,故障位,急停",
    alarm_code="alarmcode,faultcode,errorcode,报警代码,故障代码,报警号,故障号",
    alive="alive,heartbeat,watchdog,心跳",
)
NO_ROLE = frozenset({"none", "reading", "无", "监视", "显示", "采集", "-"})
_TRUTH = {
    **dict.fromkeys(("yes", "true", "1", "y", "是", "√", "on"), True),
    **dict.fromkeys(("no", "false", "0", "n", "否", "×", "off"), False),
}

_BIT = re.compile(
    r"(?P<word>%?[A-Za-z]{0,4}\d+|(?:hr|ir):(?:0[xX][0-9A-Fa-f]+|\d+)|0[xX][0-9A-Fa-f]+)"
    r"(?:[.:](?P<bit>\d{1,2}|[A-Fa-f])|\[(?P<index>\d{1,2})\])"
)
_WORD = re.compile(r"(hr|ir):\w+|\d{5,6}|0[xX][0-9A-Fa-f]+|[DRWZ]\d+|[HST]D\d+|DBW\d+")
"""Words whose bits are counted from 0 to 15, whichever family they are of."""
_RANGE = re.compile(r"([A-Za-z]*\d+)\s*[-~至/,]\s*[A-Za-z]*\d+")
_HMI = re.compile(r"([134])[xX](\d{1,5})")
_HEX = re.compile(r"(?:0[xX]([0-9A-Fa-f]+)|([0-9][0-9A-Fa-f]*)[hH])")
_LEADING = {"coil": "0", "di": "1", "ir": "3", "hr": "4"}
_REFERENCE_DIGITS = (5, 6)


def type_of(text: str) -> str:
    """Return our name of a data type."""
    return TYPES.get(_bare(text), text)


def order_of(text: str) -> str:
    """Return our name of a byte order."""
    return ORDERS.get(_bare(text), text.upper())


def truth(text: str) -> bool:
    """Return what yes or no means; raises SheetError for anything else."""
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    raise SheetError("not_boolean", value=text)


def role_of(text: str) -> str | None:
    """Return what a tag is for; None if nothing special. Raises SheetError."""
    bare = _bare(text)
    if not bare or bare in NO_ROLE:
        return None
    if bare in ROLES:
        return ROLES[bare]
    raise SheetError("unknown_role", value=text, known=", ".join(dict.fromkeys(ROLES.values())))


def table_of(text: str) -> str | None:
    """Return the Modbus table a word or a function code names; raises SheetError."""
    if not text:
        return None
    first = re.split(r"[/,,、;]", text)[0]
    for word in (text, first):
        if _bare(word) in TABLES:
            return TABLES[_bare(word)]
    raise SheetError("unknown_table", value=text)


def is_bare(address: str, table: str | None) -> bool:
    """Say whether an address is a number that only its table and first number explain."""
    if not (address.isascii() and address.isdigit()):
        return False
    long = len(address) in _REFERENCE_DIGITS
    return not (long and address[0] == _LEADING.get(table or "", address[0]))


def spelled(address: str, table: str | None, first: From | None) -> str:
    """Return a Modbus address as the driver takes it; raises SheetError.

    ``table`` is that of the row, if it says one; ``first`` what the first address is.
    """
    if found := _RANGE.fullmatch(address):
        address = found[1]
    if found := _HMI.fullmatch(address):
        return f"{found[1]}{int(found[2]):05d}"
    if found := _HEX.fullmatch(address):
        number = address if found[1] else f"0x{found[2].upper()}"
        return f"{table}:{number}" if table else number
    if table is None or not is_bare(address, table):
        return address
    if first is None:
        raise SheetError("counts_from", value=address)
    if int(address) < first:
        raise SheetError("below_first", value=address)
    return f"{table}:{int(address) - first}"


def split_bit(address: str, *, was_number: bool = False) -> tuple[str, str]:
    """Return an address without the bit it names, and that bit as written, if any.

    ``was_number``: the spreadsheet held it as a number, which has no last zero. Raises
    SheetError.
    """
    found = _BIT.fullmatch(address)
    if found is None:
        return address, ""
    bit = found["bit"] or found["index"]
    if was_number and bit == "1":
        raise SheetError("which_bit", value=address)
    return found["word"], bit


def bit_of_word(address: str, bit: object) -> tuple[str, int] | None:
    """Return the word and the bit an address means, with the bit beside it; None if neither."""
    word, written = split_bit(address)
    if not _WORD.fullmatch(word):
        return None
    if written:
        return word, bit_number(written)
    return (word, bit) if isinstance(bit, int) else None


def bit_number(written: str) -> int:
    """Return the bit ``7`` or ``A`` names."""
    return int(written) if written.isdecimal() else int(written, 16)
