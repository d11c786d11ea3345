"""Conditions over tags, in three values: true, false and unknown.

    run and not door_open
    state_code in (3, 4) or speed > 0.5

A condition is parsed into Python's syntax tree, checked against a short whitelist and
turned into nested closures; nothing of the text is ever executed. Kleene's logic: an
unknown operand leaves the result unknown unless the other operand decides it.
"""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from drivers.contract import Value

MAX_LENGTH = 500
MAX_NODES = 100

Lookup = Callable[[str], Value | None]
"""Name -> present good value, or None where it is unknown."""
Term = Callable[[Lookup], Value | tuple[Value, ...] | None]

_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, choices: value in choices,
    ast.NotIn: lambda value, choices: value not in choices,
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.BitAnd: operator.and_,
}
_WRITTEN = (ast.Constant, ast.Tuple, ast.List)
_CONSTANTS: Mapping[str, Value] = {"true": True, "false": False}


class ExpressionError(ValueError):
    """The condition cannot be understood; ``column`` counts from 1.

    ``code`` names the sentence in any language, ``part`` is what it is about.
    """

    def __init__(self, text: str, column: int, code: str, problem: str, part: object = "") -> None:
        """Keep the text and the place beside the sentence."""
        super().__init__(f"{problem} at column {column} of '{text}'")
        self.text = text
        self.column = column
        self.code = code
        self.problem = problem
        self.part = part


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled condition; equal to another that was written alike."""

    text: str
    names: frozenset[str]
    _term: Term = field(compare=False, repr=False)

    def evaluate(self, lookup: Lookup) -> bool | None:
        """Return true, false, or None where a tag it needs is unknown.

        An operation its operands do not support ("on" < 3) is unknown too: the
        condition says nothing about such values.
        """
        try:
            value = self._term(lookup)
        except (TypeError, ValueError, OverflowError):
            return None
        return None if value is None else bool(value)


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Expression:
    """Compile a condition; raises ExpressionError naming the column.

    Machines with an equal one share it, so that it stays in the processor's cache.
    """
    if len(text) > MAX_LENGTH:
        problem = f"longer than {MAX_LENGTH} characters"
        raise ExpressionError(text, MAX_LENGTH, "condition_too_long", problem, MAX_LENGTH)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as err:
        column = getattr(err, "offset", None) or 1
        raise ExpressionError(text, column, "bad_condition", "not a condition") from err
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        problem = f"more than {MAX_NODES} parts"
        raise ExpressionError(text, 1, "condition_too_big", problem, MAX_NODES)
    names: set[str] = set()
    term = _build(tree.body, text, names)
    return Expression(text, frozenset(names), term)


def one_of(name: str, values: Sequence[Value]) -> Expression:
    """Return the condition that ``name`` shows one of these; texts in any case."""
    known = frozenset(folded(value) for value in values)

    def term(lookup: Lookup) -> Value | None:
        value = lookup(name)
        return None if value is None else folded(value) in known

    return Expression(f"{name} in {tuple(values)}", frozenset({name}), term)


def every(conditions: Sequence[Expression]) -> Expression:
    """Return the condition that all of these hold."""

    def term(lookup: Lookup) -> Value | None:
        found = [condition.evaluate(lookup) for condition in conditions]
        if False in found:
            return False
        return None if None in found else True

    text = " and ".join(condition.text for condition in conditions)
    names = frozenset(name for condition in conditions for name in condition.names)
    return Expression(text, names, term)


def folded(value: Value) -> Value:
    """Return a value as `one_of` compares it."""
    return value.casefold() if isinstance(value, str) else value


def _build(node: ast.expr, text: str, names: set[str]) -> Term:
    builder = _BUILDERS.get(type(node))
    if builder is None:
        part = ast.get_source_segment(text.strip(), node)
        raise _refused(node, text, "condition_part", f"'{part}' is not allowed here", part)
    return builder(node, text, names)


def _refused(
    node: ast.expr, text: str, code: str, problem: str, part: object = ""
) -> ExpressionError:
    return ExpressionError(text, node.col_offset + 1, code, problem, part)


def _name(node: ast.Name, _text: str, names: set[str]) -> Term:
    name = node.id
    if name in _CONSTANTS:
        constant = _CONSTANTS[name]
        return lambda _lookup: constant
    names.add(name)
    return lambda lookup: lookup(name)


def _constant(node: ast.Constant, text: str, _names: set[str]) -> Term:
    value = node.value
    if not isinstance(value, bool | int | float | str):
        raise _refused(node, text, "condition_constant", "only numbers, texts, true, false")
    return lambda _lookup: value


def _tuple(node: ast.Tuple | ast.List, text: str, names: set[str]) -> Term:
    if not all(isinstance(item, ast.Constant | ast.UnaryOp) for item in node.elts):
        raise _refused(node, text, "condition_list", "a list may hold constants only")
    items = tuple(_build(item, text, names)(lambda _name: None) for item in node.elts)
    return lambda _lookup: items  # type: ignore[return-value]


def _not(node: ast.UnaryOp, text: str, names: set[str]) -> Term:
    term = _build(node.operand, text, names)
    if isinstance(node.op, ast.USub):

        def negative(lookup: Lookup) -> Value | None:
            value = term(lookup)
            return None if value is None else -value  # type: ignore[operator]

        return negative
    if not isinstance(node.op, ast.Not):
        raise _refused(node, text, "condition_sign", "only 'not' and '-' are allowed here")

    def negated(lookup: Lookup) -> Value | None:
        value = term(lookup)
        return None if value is None else not value

    return negated


def _logic(node: ast.BoolOp, text: str, names: set[str]) -> Term:
    terms = [_build(value, text, names) for value in node.values]
    decides = isinstance(node.op, ast.Or)

    def logic(lookup: Lookup) -> Value | None:
        unknown = False
        for term in terms:
            value = term(lookup)
            if value is None:
                unknown = True
            elif bool(value) is decides:
                return decides
        return None if unknown else not decides

    return logic


def _compare(node: ast.Compare, text: str, names: set[str]) -> Term:
    terms = [_build(node.left, text, names)]
    terms += [_build(item, text, names) for item in node.comparators]
    operators = []
    for op in node.ops:
        if type(op) not in _COMPARE:
            raise _refused(node, text, "condition_comparison", "this comparison is not allowed")
        operators.append(_COMPARE[type(op)])

    if len(operators) == 1:
        left, right = node.left, node.comparators[0]
        if isinstance(left, ast.Name) and left.id in names and isinstance(right, _WRITTEN):
            return _compared_with(left.id, operators[0], terms[1](lambda _name: None))
        return _compared(terms[0], operators[0], terms[1])

    def compare(lookup: Lookup) -> Value | None:
        values = [term(lookup) for term in terms]
        if any(value is None for value in values):
            return None
        pairs = zip(operators, values, values[1:], strict=False)
        return all(bool(op(left, right)) for op, left, right in pairs)

    return compare


def _compared(left: Term, op: Callable[[Any, Any], Any], right: Term) -> Term:
    """Return the comparison of two, which nearly all are."""

    def compare(lookup: Lookup) -> Value | None:
        one = left(lookup)
        if one is None:
            return None
        two = right(lookup)
        return None if two is None else bool(op(one, two))

    return compare


def _compared_with(name: str, op: Callable[[Any, Any], Any], written: Any) -> Term:
    """Return the comparison of a tag with a constant: most are, and every reading asks for it."""

    def compare(lookup: Lookup) -> Value | None:
        shown = lookup(name)
        return None if shown is None else bool(op(shown, written))

    return compare


def _arithmetic(node: ast.BinOp, text: str, names: set[str]) -> Term:
    op = _ARITHMETIC.get(type(node.op))
    if op is None:
        raise _refused(node, text, "condition_arithmetic", "only + - * & are allowed here")
    left, right = _build(node.left, text, names), _build(node.right, text, names)

    def arithmetic(lookup: Lookup) -> Value | None:
        one, two = left(lookup), right(lookup)
        if not isinstance(one, bool | int | float) or not isinstance(two, bool | int | float):
            return None  # a text or a list times a number could grow without bound
        result: Value = op(one, two)
        return result

    return arithmetic


_BUILDERS: Mapping[type[ast.expr], Callable[..., Term]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Tuple: _tuple,
    ast.List: _tuple,
    ast.UnaryOp: _not,
    ast.BoolOp: _logic,
    ast.Compare: _compare,
    ast.BinOp: _arithmetic,
}
