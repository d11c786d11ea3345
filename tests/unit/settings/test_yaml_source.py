import time

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.settings.node import Node, find, plain
from gateway.settings.problems import Report
from gateway.settings.yaml_source import MAX_BYTES, MAX_PROBLEMS, parse

MARKS = list(":-?,[]{}#&*!|>'\"%@` \n\t~\ufeff\r")
PIECES = ["a: ", "- ", "\n  ", "---\n", "...\n", "%YAML 1.2\n", "&a ", "*a", "!!str ", "!<"]
ODDITIES = ["|2\n", '"\\UFFFFFFFF"', '"\\uD800"', "<<: "]
TOKENS = st.sampled_from(MARKS + PIECES + ODDITIES)
YAMLISH = st.lists(st.one_of(TOKENS, st.text(max_size=3)), max_size=30).map(
    lambda parts: "".join(parts).encode("utf-8", "surrogatepass")
)


def read(text: str | bytes) -> tuple[Node | None, list[tuple[int, str, str]]]:
    report = Report()
    content = text.encode("utf-8") if isinstance(text, str) else text
    node = parse(content, "a.yaml", report)
    return node, [(p.line, p.key, p.code) for p in report.problems]


def value(text: str) -> object:
    node, problems = read(text)
    assert node is not None, problems
    return plain(node)


def test_values_and_the_line_of_each_key() -> None:
    node, problems = read("a: 1\nb:\n  - x\n  - c: true\n    d: null\n")
    assert problems == []
    assert node is not None
    assert plain(node) == {"a": 1, "b": ["x", {"c": True, "d": None}]}
    paths = [("a",), ("b",), ("b", 0), ("b", 1), ("b", 1, "d")]
    places = [find(node, path) for path in paths]
    assert [found.place.line for found in places if found] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30:00", "12:30:00"),
        ("2026-03-20", "2026-03-20"),
        ("0x1000", "0x1000"),
        ("0o17", "0o17"),
        ("00001", "00001"),
        ("1_000", "1_000"),
        ("+5", "+5"),
        ("40001", 40001),
        ("-3", -3),
        ("0", 0),
        ("0.1", 0.1),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("9" * 400, "9" * 400),
        ("7号冲床", "7号冲床"),
    ],
)
def test_scalar(written: str, meant: object) -> None:
    found = value(f"a: {written}\n")
    assert found == {"a": meant}
    assert isinstance(found, dict)
    assert type(found["a"]) is type(meant)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"a: 1\nb: \xff\n", (2, "", "not_utf8")),
        ("a: 1\0", (1, "", "not_text")),
        ('a: "\\0"', (1, "a", "not_text")),
        ('a: "\\uD800"', (1, "a", "not_text")),
        ('a: "\\UFFFFFFFF"', (1, "", "syntax")),
        ("", (1, "", "empty")),
        ("# only a comment\n", (2, "", "empty")),
        ("a: 1\n---\nb: 2\n", (2, "", "several_documents")),
        ("a:\n\tb: 1\n", (2, "", "tab")),
        ("a: b: c\n", (1, "", "unexpected_colon")),
        ("a: 'x\n", (2, "", "unclosed_quote")),
        ("a: [1, 2\n", (2, "", "unclosed_bracket")),
        ("a: @x\n", (1, "", "bad_start")),
        ('a: "\\q"\n', (1, "", "bad_escape")),
        ('a: "\\x1"\n', (1, "", "bad_escape")),
        ("a:\n  b: 1\n c: 2\n", (3, "", "bad_indentation")),
        ("a:\n - 1\n- 2\n", (3, "", "bad_indentation")),
        ("a: - 1\n", (1, "", "unexpected_dash")),
        ("a: 'x' y\n", (1, "", "text_after_value")),
        ("a: ]\n", (1, "", "unexpected_bracket")),
        ("a: {b: 1}}\n", (1, "", "unexpected_bracket")),
        ("{a: 1}}\n", (1, "", "unexpected_bracket")),
        ("a: >0\n x\n", (1, "", "syntax")),
        ("a: &\n", (1, "", "alias")),
        ("a: &x 1\n", (1, "a", "alias")),
        ("a: *x\n", (1, "a", "alias")),
        ("&x a: 1\n", (1, "a", "alias")),
        ("a: !!python/object:os.system 1\n", (1, "a", "yaml_tag")),
        ("? [1]\n: 2\n", (1, "", "key_not_text")),
        ("[" * 3000, (1, "", "too_deep")),
        (b"#" * (MAX_BYTES + 1), (0, "", "too_big")),
    ],
)
def test_what_cannot_be_used_is_one_problem(
    text: str | bytes, problem: tuple[int, str, str]
) -> None:
    node, problems = read(text)
    assert node is None
    assert problems == [problem]


def test_the_first_of_two_equal_keys_is_kept_and_the_second_reported() -> None:
    node, problems = read("a:\n  b: 1\n  c: 2\n  b: 3\n")
    assert node is not None
    assert plain(node) == {"a": {"b": 1, "c": 2}}
    assert problems == [(4, "a.b", "duplicate_key")]


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    node, problems = read(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert problems == []
    assert node is not None
    assert plain(node) == {"a": 1, "b": 2}


def test_endless_problems_are_cut_off() -> None:
    began_s = time.process_time()
    _, problems = read("a: 1\n" * 190_000)
    assert len(problems) == MAX_PROBLEMS + 2
    assert (MAX_PROBLEMS + 2, "", "too_many") in problems
    assert time.process_time() - began_s < 10


@settings(max_examples=500, deadline=None)
@given(st.one_of(YAMLISH, st.binary(max_size=200)))
def test_any_bytes_give_a_tree_or_problems(content: bytes) -> None:
    report = Report()
    node = parse(content, "a.yaml", report)
    assert node is not None or report.refused


@given(
    st.recursive(
        st.one_of(st.integers(-(10**17), 10**17), st.booleans(), st.none(), st.text("ab:#- ")),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
        ),
        max_leaves=10,
    )
)
def test_json_reads_as_itself(written: object) -> None:
    assert value(orjson.dumps({"a": written}).decode()) == {"a": written}
