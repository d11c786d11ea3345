from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.settings.load import load
from tests.support.config_site import GATEWAY, write_site
from tests.unit.tags.test_importing import PRESS


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(
        tmp_path / "site", {"gateway.yaml": GATEWAY, "equipment/press-07.yaml": PRESS}
    )


def tags(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["tags", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_out_changed_and_in_again(site: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"tags.{suffix}"
    code, said = tags("export", site, "press-07", "--out", out)
    assert (code, out.exists()) == (0, True), said
    code, said = tags("import", site, out, "--equipment", "press-07")
    assert code == 0
    assert "0 added, 0 changed, 2 unchanged" in said
    assert "nothing is written" in said


def test_bad_rows_come_back_in_a_file_to_repair(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "map.csv"
    file.write_bytes("颜色,点位,地址\r\n红,heat,D9\r\n绿,torn,1E+05\r\n".encode("gb18030"))
    code, said = tags("import", site, file, "--equipment", "press-07")
    assert code == 1
    assert "gb18030" in said
    assert "not used: 颜色" in said
    assert "1 added" in said
    answer = tmp_path / "map.errors.csv"
    lines = answer.read_text("utf-8-sig").splitlines()
    assert lines[0] == "颜色,点位,地址,文件行号 row,错误 error"
    assert lines[1].startswith("绿,torn,1E+05,3,")
    assert "文本格式" in lines[1]
    assert "format the column as text" in lines[1]

    answer.write_text(answer.read_text("utf-8-sig").replace("1E+05", "D10"), "utf-8")
    code, said = tags("import", site, answer, "--equipment", "press-07")
    assert code == 0, said
    assert set(load(site).equipment["press-07"].rules.tags) == {"run", "parts", "heat", "torn"}
    code, said = tags("import", site, file, "--equipment", "press-07", "--dry-run")
    assert code == 1
    file.write_text("点位,地址\nheat,D9\n", "utf-8")
    assert tags("import", site, file, "--equipment", "press-07")[0] == 0
    assert not answer.exists()


def test_a_new_device_says_what_to_add_next(site: Path, tmp_path: Path) -> None:
    file = tmp_path / "map.csv"
    file.write_text("名称,地址\n速度,D9\n", "utf-8")
    link = ("--link", "modbus-tcp://192.168.1.20/2")
    code, said = tags("import", site, file, "--new", "press-09", *link, "--dry-run")
    assert (code, (site / "equipment/press-09.yaml").exists()) == (0, False)
    assert "dry run" in said
    code, said = tags("import", site, file, "--new", "press-09", *link)
    assert code == 0
    assert "还没有状态规则" in said
    assert "there are no counters yet" in said
    assert load(site).links["press-09.plc"].settings.unit_id == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "{site}", "{site}/none.csv"), "cannot be read"),
        (("import", "{site}", "{site}/gateway.yaml"), ".xlsx"),
        (("import", "{site}", "{site}/none.csv", "--new", "x"), "--new needs --link"),
        (("export", "{site}", "press-99", "--out", "{site}/x.csv"), "no equipment 'press-99'"),
        (("export", "{site}", "--out", "{site}/none/x.csv"), "cannot be written"),
        (("export", "{site}", "--out", "{site}/x.ods"), ".xlsx"),
    ],
)
def test_what_cannot_be_done_is_said(site: Path, arguments: tuple[str, ...], said: str) -> None:
    code, output = tags(*(argument.format(site=site) for argument in arguments))
    assert code == 1
    assert said in output


def test_a_site_that_would_be_invalid_is_named_and_kept(site: Path, tmp_path: Path) -> None:
    write_site(site, {"equipment/other.yaml": "equipment: other\nwhat: 1\n"})
    file = tmp_path / "map.csv"
    file.write_text("点位,地址,用途\nheat,D9,运行\n", "utf-8")
    code, said = tags("import", site, file, "--equipment", "press-07")
    assert code == 1
    assert "equipment/other.yaml:2 what" in said
    assert "the site would not be valid" in said
