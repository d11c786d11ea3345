"""Every sentence with which the domain refuses a command has its Chinese."""

import ast
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from gateway.domain import fault_desk, orders, scrap, usage
from gateway.web.refusals import told

REFUSING = re.compile(r"refusal|refuse|_cannot_\w+|_too_many")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def sentences(module: ModuleType) -> Iterator[str]:
    """Yield what the functions that refuse may return, with a word for each value."""
    for function in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(function, ast.FunctionDef) and REFUSING.fullmatch(function.name):
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from said(node.value)


def said(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(str() as text):
            yield text
        case ast.JoinedStr(parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts
            )
        case ast.IfExp():
            yield from said(node.body)
            yield from said(node.orelse)


@pytest.mark.parametrize("module", [fault_desk, orders, scrap, usage])
def test_every_refusal_is_said_in_chinese_too(module: ModuleType) -> None:
    found = list(sentences(module))
    assert found
    for sentence in found:
        text = told(sentence)
        assert text is not None
        assert CHINESE.search(text["zh"]), sentence
        assert text["en"] == sentence


def test_values_are_kept_and_what_is_new_stays_as_it_is() -> None:
    acked = told("fault press-07.alarms.0 was acknowledged by li at 2026-03-20T01:00:00.000Z")
    assert acked is not None
    assert acked["zh"] == "已由 li 于 2026-03-20T01:00:00.000Z 确认"
    assert told("something newer") == {"zh": "something newer", "en": "something newer"}
    assert told(None) is None
