"""The Chinese sentences about certificates and logins fit what the driver says in English."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from string import Formatter

import pytest

import drivers.opcua
from drivers.contract import BadSetting
from gateway.settings.messages_opcua_security import OPCUA_CONNECT, OPCUA_NOTICES, OPCUA_SETTINGS
from gateway.settings.problems import Place, Report

ALL = {**OPCUA_SETTINGS, **OPCUA_NOTICES, **OPCUA_CONNECT}


def refusals() -> Mapping[str, BadSetting]:
    """Every BadSetting of the driver by its code, with its fields filled with their names."""
    found = {}
    for path in Path(drivers.opcua.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "BadSetting":
                texts = [ast.literal_eval(arg) for arg in node.args if _is_text(arg)]
                fields = {word.arg: f"<{word.arg}>" for word in node.keywords if word.arg}
                if len(texts) == len(node.args):
                    found[texts[0]] = BadSetting(*texts, **fields)
    return found


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def names_in(*texts: str) -> set[str]:
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("code", sorted(ALL))
def test_both_languages_say_the_same_things(code: str) -> None:
    refusal, message = refusals()[code], ALL[code]
    assert names_in(message.zh, message.hint_zh) == set(refusal.fields)
    report = Report()
    report.add_refusal(refusal, Place("a.yaml", 1))
    (problem,) = report.problems
    assert problem.code == code
    assert problem.text["en"] == refusal.problem
    assert problem.hint is not None
    assert problem.hint["en"] == refusal.hint
    for said in (problem.text["zh"], problem.hint["zh"]):
        assert re.search("[\u4e00-\u9fff]", said)


def test_what_needs_a_hand_soon_refuses_no_configuration() -> None:
    assert {message.severity for message in OPCUA_NOTICES.values()} == {"warning"}
    others = {**OPCUA_SETTINGS, **OPCUA_CONNECT}
    assert {message.severity for message in others.values()} == {"error"}
