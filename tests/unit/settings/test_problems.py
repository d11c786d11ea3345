from string import Formatter

import pytest

from gateway.settings.messages import MESSAGES
from gateway.settings.messages_conditions import CONDITIONS
from gateway.settings.messages_drivers import DRIVERS
from gateway.settings.problems import (
    MAX_SHOWN,
    ConfigProblems,
    Place,
    Prose,
    Report,
    dotted,
    show,
)


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("code", MESSAGES)
def test_every_sentence_stands_in_both_languages(code: str) -> None:
    message = MESSAGES[code]
    assert message.zh
    assert message.en
    assert bool(message.hint_zh) == bool(message.hint_en)
    assert not message.en.isupper()
    assert any("\u4e00" <= c <= "\u9fff" for c in message.zh)


@pytest.mark.parametrize("code", sorted(MESSAGES.keys() - DRIVERS.keys() - CONDITIONS.keys()))
def test_both_languages_say_the_same(code: str) -> None:
    message = MESSAGES[code]
    assert fields(message.zh) <= fields(message.en)
    assert fields(message.hint_zh) == fields(message.hint_en)


def test_problems_come_by_file_and_line_and_only_once() -> None:
    report = Report()
    for file, line in [("b", 1), ("a", 9), ("a", 2), ("a", 9)]:
        report.add("empty", Place(file, line))
    assert [(p.file, p.line) for p in report.problems] == [("a", 2), ("a", 9), ("b", 1)]


def test_warnings_do_not_refuse() -> None:
    report = Report()
    report.add("no_status", Place("a"))
    assert not report.refused
    report.add("empty", Place("a"))
    assert report.refused


def test_a_guess_is_made_where_one_is_near() -> None:
    report = Report()
    report.add_unknown("unknown_key", Place("a"), ("adress",), "adress", ["address", "type"])
    report.add_unknown("unknown_key", Place("b"), ("zzz",), "zzz", ["address", "type"])
    hints = [p.hint["en"] for p in report.problems if p.hint]
    assert hints == ["did you mean 'address'?", "known keys: address, type"]


def test_values_are_shown_short_and_without_control_characters() -> None:
    assert show("a\x1b[31m\nb") == "a\ufffd[31m\ufffdb"
    assert len(show("x" * 1000)) == MAX_SHOWN
    assert len(show(Prose("x" * 300))) == 300
    assert show("{value}") == "{value}"


def test_paths_are_dotted() -> None:
    assert dotted(("status", 0, "when")) == "status[0].when"
    assert dotted(()) == ""


def test_the_exception_repeats_the_errors() -> None:
    report = Report()
    report.add("empty", Place("b.yaml", 1))
    report.add("no_status", Place("a.yaml", 1), ("status",))
    err = ConfigProblems(report.problems)
    assert str(err) == "b.yaml:1: : the file is empty"
    assert len(err.problems) == 2


def test_a_problem_as_data() -> None:
    report = Report()
    report.add("timezone", Place("gateway.yaml", 3), ("timezone",), value="Mars")
    assert report.problems[0].data() == {
        "file": "gateway.yaml",
        "line": 3,
        "key": "timezone",
        "code": "timezone",
        "severity": "error",
        "text": {"zh": "没有时区“Mars”", "en": "there is no time zone 'Mars'"},
        "hint": {
            "zh": "用 IANA 名称，如 Asia/Shanghai",
            "en": "use an IANA name such as Asia/Shanghai",
        },
    }
