"""Finds the tests that carry ``@pytest.mark.fault``, without running or importing them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, order=True)
class Proof:
    """One test that proves one case."""

    number: int
    test: str
    """``path::name``, without parameters."""
    injection: str
    expectation: str
    soak: bool


def proofs(root: Path = ROOT) -> list[Proof]:
    found = [
        proof
        for path in sorted((root / "tests").rglob("test_*.py"))
        for proof in _of_file(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    ]
    return sorted(found)


def _of_file(path: str, source: str) -> Iterator[Proof]:
    if "mark.fault" not in source:
        return
    tree = ast.parse(source)
    module = _module_marks(tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            inner = [*module, *node.decorator_list]
            for test in node.body:
                yield from _of_test(f"{path}::{node.name}", test, inner)
        else:
            yield from _of_test(path, node, module)


def _of_test(path: str, node: ast.stmt, around: list[ast.expr]) -> Iterator[Proof]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    if not node.name.startswith("test_"):
        return
    marks = [*around, *node.decorator_list]
    soak = any(_mark(mark) == "soak" for mark in marks)
    for mark in marks:
        if isinstance(mark, ast.Call) and _mark(mark) == "fault":
            yield _proof(f"{path}::{node.name}", mark, soak=soak)


def _proof(test: str, mark: ast.Call, *, soak: bool) -> Proof:
    try:
        (number,) = (ast.literal_eval(value) for value in mark.args)
        said = {str(word.arg): ast.literal_eval(word.value) for word in mark.keywords}
        return Proof(number, test, said["injection"], said["expectation"], soak)
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{test}: write @pytest.mark.fault(NUMBER, injection='...', expectation='...')"
            " in plain values"
        ) from error


def _mark(node: ast.expr) -> str:
    """``fault`` of ``pytest.mark.fault(...)``, else nothing."""
    target = node.func if isinstance(node, ast.Call) else node
    match target:
        case ast.Attribute(value=ast.Attribute(attr="mark"), attr=name):
            return name
    return ""


def _module_marks(tree: ast.Module) -> list[ast.expr]:
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        if any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
        ):
            return list(node.value.elts) if isinstance(node.value, ast.List) else [node.value]
    return []
