"""Whatever both parsers read, they read alike."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.settings.problems import Report
from gateway.settings.yaml_quick import quick_tree
from gateway.settings.yaml_source import explained_tree

ROOT = Path(__file__).parents[3]
FILES = sorted(
    path
    for folder in ("config", "tests", "docs")
    for path in (ROOT / folder).rglob("*.y*ml")
    if path.stat().st_size < 100_000
)

keys = st.sampled_from(["a", "b", "tags", "'q r'", '"x\\ty"', "压力", "1", "yes", "~"])
plain = st.text(st.sampled_from("ab01.-+:#e_ ,[]{}'\"|>&*!%@`\n压\u3000"), max_size=12)
scalars = st.one_of(
    plain,
    st.sampled_from(
        ["0x10", "012", "1e5", "1_0", "12:30", ".inf", "null", "'a''b'", '"\\u4e00"', "- x", "a: b"]
    ),
)
lines = st.builds(
    lambda depth, dash, key, value: "  " * depth + dash + key + ": " + value,
    st.integers(0, 3),
    st.sampled_from(["", "- ", "-"]),
    keys,
    scalars,
)
flows = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(st.tuples(keys, inner), max_size=3).map(
            lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items) + "}"
        ),
    ),
    max_leaves=8,
)
documents = st.one_of(
    st.lists(lines, max_size=8).map("\n".join),
    flows,
    st.builds("{}: {}\n{}".format, keys, flows, plain),
)


def compare(text: str) -> bool:
    """Return whether the quick parser took it; then the other has the same tree, or cannot read it.

    A few odd things are YAML to one of them only, such as ``["":]``.
    """
    quick = quick_tree(text, "f.yaml")
    if quick is None:
        return False
    report = Report()
    explained = explained_tree(text, "f.yaml", report)
    assert explained in (quick, None)
    assert explained is None or not report.problems
    return True


@given(documents)
@example("a: [b, c]\nd: {e: 1}\n")
@example("a: 'x'\na: 2\n")
@example("- &x 1\n- *x\n")
@example("%YAML 1.1\n---\na: yes\n")
@example("a: 1\n---\nb: 2\n")
@example("? [a]\n: b\n")
@example("a: !!str 1\n")
@example('["":]')
@example("")
def test_both_see_the_same_tree(text: str) -> None:
    compare(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_both_see_the_same_in_a_file_people_wrote(path: Path) -> None:
    compare(path.read_text(encoding="utf-8-sig", errors="replace"))


@pytest.mark.parametrize(
    "text", ["a: 1\nb: [x, 'y', 2.5]\nc: {d: null}\n", '{"a": {"b": [1, true]}}', "- 1\n- 2\n"]
)
def test_it_takes_what_is_well_written(text: str) -> None:
    assert compare(text)


@pytest.mark.parametrize(
    "text",
    ["a: 1\na: 2\n", "a: *x\n", "a: [1\n", "a: 1\n---\nb: 1\n", "\ta: 1", '"\\0": 1', "a:\tb"],
)
def test_it_leaves_to_the_other_what_needs_words(text: str) -> None:
    assert quick_tree(text, "f.yaml") is None
