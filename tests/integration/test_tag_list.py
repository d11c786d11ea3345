"""A register map pasted from a spreadsheet becomes a working device in one command."""

import asyncio
import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from openpyxl import Workbook
from typer.testing import CliRunner

from drivers.contract import Value
from gateway.app.collector import collector
from gateway.cli.main import app
from gateway.settings.load import load
from tests.support.config_site import write_site
from tests.support.modbus_device import COIL, HR, Device, device
from tests.support.ports import HOST

ROWS = 300
GATEWAY = (
    "site: suzhou\ngateway: gw-01\ntimezone: Asia/Shanghai\nmqtt: {port: 9}\n"
    "historian: {enabled: false}\nweb: {enabled: false}\n"
)
HEADER = ("序号", "变量名", "描述", "寄存器地址", "功能码", "数据类型", "字节序", "倍率", "用途")

Cells = tuple[str | float, ...]


def fill(plc: Device) -> tuple[list[Cells], dict[str, Value]]:
    """Return the rows of a map and what each is worth, and put that into the device."""
    rows: list[Cells] = []
    worth: dict[str, Value] = {}
    for n in range(ROWS):
        kind, at = n % 5, 4 * n
        if kind == 0:
            plc.put(HR, at, 65535 - n)
            row: Cells = (f"I{n}", "温度", at, "03", "INT", "", 0.5)
            worth[f"i{n}"] = (-1 - n) * 0.5
        elif kind == 1:
            plc.put(HR, at, 100 + n)
            row, worth[f"u{n}"] = (f"U{n}", "计数", float(at), 3, "WORD", "大端", 1), 100 + n
        elif kind == 2:
            high, low = struct.unpack(">HH", struct.pack(">f", n + 0.25))
            plc.put(HR, at, low, high)
            row, worth[f"f{n}"] = (f"F{n}", "速度", at, "03/06", "REAL", "CD AB", ""), n + 0.25
        elif kind == 3:
            plc.put(HR, at, 1 << 7 if n % 2 else 0)
            row, worth[f"b{n}"] = (f"B{n}", "门", f"{at}.7", "03", "BOOL", "", ""), bool(n % 2)
        else:
            plc.put(COIL, at, n % 2)
            row, worth[f"c{n}"] = (f"C{n}", "灯", at, "01", "位", "", ""), bool(n % 2)
        rows.append((n + 1, *row, "运行" if n == 4 else ""))
    return rows, worth


def workbook(rows: list[Cells]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["7号冲床 Modbus 点表"])
    sheet.merge_cells("A1:I1")
    for row in (HEADER, *rows):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def collected(directory: Path, wanted: int) -> Mapping[str, Value]:
    """Run the collecting gateway until it has told so many values."""
    values: dict[str, Value] = {}
    async with collector(load(directory)) as running, asyncio.TaskGroup() as tasks:
        running.start(tasks)
        seen = 0

        async def news() -> None:
            nonlocal seen
            for row in await running.journal.rows(seen, 1000):
                seen = row.seq
                if row.type == "reading":
                    values.update(good_of(orjson.loads(row.data)))

        async def look() -> None:
            changed = running.journal.watch()
            while len(values) < wanted:
                await changed.changed()
                await news()

        async with asyncio.timeout(60):
            await look()
        await running.stop()
    return values


def good_of(data: Mapping[str, Any]) -> Mapping[str, Value]:
    found: Mapping[str, Value] = data["values"]
    return found


async def test_a_map_of_300_rows_becomes_a_working_device(tmp_path: Path) -> None:
    write_site(tmp_path, {"gateway.yaml": GATEWAY})
    async with device() as plc:
        rows, worth = fill(plc)
        (tmp_path / "map.xlsx").write_bytes(workbook(rows))
        link = f"modbus-tcp://{HOST}:{plc.port}/1?poll_interval_ms=100&max_gap_registers=0"
        said = await asyncio.to_thread(
            CliRunner().invoke,
            app,
            [
                *("tags", "import", str(tmp_path), str(tmp_path / "map.xlsx")),
                *("--new", "press-09", "--link", link),
            ],
        )
        assert said.exit_code == 0, said.output
        assert "300 added" in said.output
        values = await collected(tmp_path, ROWS)
    assert values == worth
    site = load(tmp_path)
    assert [rule.state.value for rule in site.equipment["press-09"].rules.status] == ["running"]
    assert "map.errors" not in said.output
